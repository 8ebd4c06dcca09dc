"""The command ``novate``: one file a noun."""
