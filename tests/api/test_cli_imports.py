"""Short commands import no web server and no virtual machine."""

import subprocess
import sys


def test_command_that_only_asks_imports_neither_server_nor_virtual_machine():
    code = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from api.cli.main import app\n"
        "done = CliRunner().invoke(app, ['breaks', 'list', '--help'])\n"
        "assert done.exit_code == 0 and '--folder' in done.output, done.output\n"
        "print(sorted({'web3', 'fastapi', 'eth', 'numpy', 'sqlalchemy'} & set(sys.modules)))\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
