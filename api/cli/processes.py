"""The nodes of a sandbox as processes: starting all of them, and what may be done to each."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Annotated, Final

import msgspec
import typer
from rich.table import Table

from api.access.access import RateOptions
from api.cli.chain_options import DEFAULT_STATE, FOLDER, FOLDER_NAMES
from api.cli.loopback import loopback_flag
from api.cli.terminal import bad_input, output
from ledger.domain.participants import Role
from nodes.folder_meta import StateFolderError
from nodes.log_output import LogOptions
from nodes.processes.children import Children
from nodes.processes.control import ControlServer, ProcessControl
from nodes.processes.node_process import found_desks, founded
from nodes.processes.supervisor import ProcessError, Processes
from nodes.state_folder import StateFolder
from nodes.stop_signals import on_stop

StateOption = Annotated[
    Path, typer.Option(*FOLDER_NAMES, help="State folder of novate up --processes.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]
NodeArgument = Annotated[str, typer.Argument(metavar="ID", help="The participant.")]

NODE: Final = "nodes.processes.__main__:main"
HOUSE: Final = "api.cli.node:node_app"
ENTRIES: Final = (NODE, HOUSE)
"""What the processes of nodes do: as ``python -m nodes.processes`` and ``novate node``."""


@dataclass(frozen=True, slots=True)
class ServedAt:
    """Where the clearing house serves, and how it clears."""

    host: str
    port: int
    cycle_seconds: float
    rates: RateOptions
    webhooks_to_loopback: bool | None
    logs: LogOptions


def run_processes(state: Path, at: ServedAt, children: Children) -> None:
    """Serves a sandbox that is founded by processes of its nodes, and watches them.

    Ends them in order on SIGTERM and SIGINT, at once on a second one.
    """
    try:
        folder = StateFolder(state)
    except StateFolderError as error:
        bad_input(str(error))
    meta = founded(state, None)
    found_desks(state, meta)
    stopping = Event()
    on_stop(stopping.set)
    house = meta.network.sole(Role.CLEARING_HOUSE)
    processes = Processes(
        state,
        [each.id for each in meta.network.participants],
        house,
        children,
        lambda id, port: _command(state, id, port, at, has_chain=id == house),
        _say,
        [folder.lock],
    )
    control = ControlServer(state, processes)
    try:
        processes.start_all()
        _say(_lines(processes))
        stopping.wait()
    except ProcessError as error:
        bad_input(str(error))
    finally:
        control.close()
        _say("Stopping: every node ends in order. A second signal ends at once.")
        processes.stop_all()
        folder.close()


def _command(state: Path, id: str, port: int, at: ServedAt, *, has_chain: bool) -> Sequence[str]:
    given = [id, FOLDER, str(state), "--port", str(port), *at.logs.words()]
    if not has_chain:
        return [NODE, *given]
    served = ["--host", at.host, "--rest-port", str(at.port)]
    served += ["--cycle-seconds", str(at.cycle_seconds), "--rate", str(at.rates.rate)]
    if at.rates.burst is not None:
        served += ["--burst", str(at.rates.burst)]
    if at.webhooks_to_loopback is not None:
        served.append(loopback_flag(to_loopback=at.webhooks_to_loopback))
    return [HOUSE, *given, *served]


def _say(words: str) -> None:
    output().print(words, markup=False, soft_wrap=True)


def _lines(processes: Processes) -> str:
    lines = ["  processes (novate processes list):"]
    for id, place in processes.states().items():
        lines.append(f"          {id:<15} pid {place.pid}, port {place.port}")
    return "\n".join(lines)


processes_app = typer.Typer(
    help="The nodes of novate up --processes: list them, end them, start them.",
    no_args_is_help=True,
)


@processes_app.command("list")
def list_processes(state: StateOption = DEFAULT_STATE, as_json: JsonOption = False) -> None:
    """List the nodes: process, port, and how each stands."""
    try:
        nodes = ProcessControl(state).states()
    except ProcessError as error:
        bad_input(str(error))
    if as_json:
        output().print(msgspec.json.encode(nodes).decode(), markup=False, soft_wrap=True)
        return
    table = Table("node", "state", "pid", "port")
    for id, place in nodes.items():
        table.add_row(id, place.state, str(place.pid or "-"), str(place.port or "-"))
    output().print(table)


@processes_app.command()
def kill(id: NodeArgument, state: StateOption = DEFAULT_STATE) -> None:
    """End a node at once, as a crash does; it stays away until it is started."""
    _order(state, "kill", id)


@processes_app.command()
def start(id: NodeArgument, state: StateOption = DEFAULT_STATE) -> None:
    """Start a node that was ended."""
    _order(state, "start", id)


@processes_app.command()
def restart(id: NodeArgument, state: StateOption = DEFAULT_STATE) -> None:
    """End a node in order, if it runs, and start it again."""
    _order(state, "restart", id)


@processes_app.command()
def pause(id: NodeArgument, state: StateOption = DEFAULT_STATE) -> None:
    """Let a node stand still: it is there and answers nothing."""
    _order(state, "pause", id)


@processes_app.command()
def resume(id: NodeArgument, state: StateOption = DEFAULT_STATE) -> None:
    """Let a node go on that was paused."""
    _order(state, "resume", id)


def _order(state: Path, act: str, id: str) -> None:
    control = ProcessControl(state)
    try:
        getattr(control, act)(id)
        place = control.states()[id]
    except ProcessError as error:
        bad_input(str(error))
    output().print(f"{id} is {place.state}", markup=False)
