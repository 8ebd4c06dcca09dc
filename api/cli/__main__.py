"""``python -m api.cli``: the command ``novate``."""

from api.cli.main import app

app()
