"""``novate node``: the process of one institution, started by ``novate up --processes``."""

from pathlib import Path
from typing import Annotated

import typer

from api.access.access import RateOptions
from api.access.rate_limits import RATE, RATE_MAX
from api.cli.chain_options import FOLDER_NAMES
from api.cli.engines import engine_failures
from api.cli.listening import listen
from api.cli.log_options import LogFileOption, LogFormOption, LogLevelOption, logged
from api.cli.loopback import LoopbackOption
from api.cli.processes import ServedAt
from api.cli.serving import address_of, application, greeting, webhook_rules
from api.cli.terminal import bad_input, file_trouble, say
from api.server import server_of
from ledger.domain.participants import Role
from nodes.folder_meta import StateFolderError
from nodes.processes.house_process import HouseProcess
from nodes.processes.lifeline import end_with_supervisor, say_ready
from nodes.processes.node_process import founded, serve
from nodes.sandbox.sandbox import CYCLE_SECONDS


def node(
    id: Annotated[str, typer.Argument(metavar="ID", help="The participant whose node it is.")],
    state: Annotated[
        Path, typer.Option(*FOLDER_NAMES, help="State folder, begun by novate up --processes.")
    ],
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port for other nodes; 0: any free one.")
    ] = 0,
    host: Annotated[str, typer.Option(help="Clearing house: where REST listens.")] = "127.0.0.1",
    rest_port: Annotated[
        int, typer.Option(min=1, max=65535, help="Clearing house: port of REST and pages.")
    ] = 8000,
    cycle_seconds: Annotated[
        float,
        typer.Option(min=0, max=86_400, help="Clearing house: as of novate up."),
    ] = CYCLE_SECONDS,
    rate: Annotated[
        int, typer.Option(min=1, max=RATE_MAX, help="Clearing house: as of novate up.")
    ] = RATE,
    burst: Annotated[
        int | None,
        typer.Option(min=1, max=RATE_MAX, help="Clearing house: as of novate up."),
    ] = None,
    webhooks_to_loopback: LoopbackOption = None,
    log_file: LogFileOption = None,
    log_level: LogLevelOption = None,
    log_format: LogFormOption = None,
) -> None:
    """Run one node until its standard input ends: novate up --processes starts and watches them."""
    logs = logged(log_file, log_level, log_format, id)
    try:
        meta = founded(state, id)
        with engine_failures("novate up --processes starts it again."):
            if meta.network.participant(id).role is Role.CLEARING_HOUSE:
                rates = RateOptions(rate, burst)
                at = ServedAt(host, rest_port, cycle_seconds, rates, webhooks_to_loopback, logs)
                _serve_house(state, port, at)
            else:
                serve(state, id, port)
    except StateFolderError as error:
        bad_input(str(error))
    except OSError as error:
        file_trouble(error)


def _serve_house(state: Path, port: int, at: ServedAt) -> None:
    with listen(at.host, at.port) as listener:
        house = HouseProcess(state, port, at.cycle_seconds)
        webhooks = webhook_rules(listener, to_loopback=at.webhooks_to_loopback)
        app = application(state, house.sandbox, at.rates, webhooks)
        server = server_of(app, at.host, at.port, say)

        def end() -> None:
            server.should_exit = True

        end_with_supervisor(end)
        words = greeting(house.sandbox, app.state.access, address_of(at.host, at.port))
        say_ready(house.port, words, house.contracts)
        server.run(sockets=[listener])
        house.close()


node_app = typer.Typer()
"""The command by itself, for a process that has imported this."""
node_app.command()(node)
