import typer
scenario_app = typer.Typer()
@scenario_app.command("run")
def run() -> None: ...
