"""``novate fault``: what can be made to go wrong, and with the nodes of a running ``novate up``.

With ``--supervisor`` the supervisor of ``novate up --processes`` is asked instead of REST, which
is away when the clearing house is.
"""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from api.cli.chain_options import FOLDER
from api.cli.http_client import (
    DEFAULT_URL,
    REMEDY,
    Client,
    JsonOption,
    UrlOption,
    print_json,
    segment,
)
from api.cli.key_choice import folder_of
from api.cli.terminal import bad_input, output
from nodes.faults.desk_faults import RUNNING_FAULTS
from nodes.faults.node_faults import MILLISECONDS_MAX, NODE_FAULTS, NodeFault
from nodes.market_day.faults import FAULT_FORMS
from nodes.processes.control import ProcessControl
from nodes.processes.faults import do_to_process, fault_of_state
from nodes.processes.supervisor import ProcessError
from nodes.scenario.faults import FAULTS

_PATH = "sandbox/faults"
_OF_THE_SUPERVISOR = frozenset(
    each.value
    for each, form in NODE_FAULTS.items()
    if not form.takes_milliseconds and each is not NodeFault.DUPLICATE
)
"""What is done to a process from outside."""
_REMEDY = f"{REMEDY} Where nodes are processes, --supervisor asks the one above them."

fault_app = typer.Typer(
    help="What can be made to go wrong, and with the nodes of a running novate up.",
    no_args_is_help=True,
)

SupervisorOption = Annotated[
    bool,
    typer.Option(
        "--supervisor",
        help=f"Ask the supervisor of novate up --processes, not REST; {FOLDER} says of which.",
    ),
]
ParticipantArgument = Annotated[str, typer.Argument(help="Whose node, e.g. BANK-1.")]


@fault_app.callback()
def _fault() -> None:
    """What can be made to go wrong."""


@fault_app.command("list")
def list_faults(as_json: JsonOption = False) -> None:
    """List the faults by name: in a scenario, of a market day, and of a running node."""
    day_form_by_name = {name.value: form for name, form in FAULT_FORMS.items()}
    rows = [
        {
            "name": name,
            "what": form.what,
            "what_zh": form.what_zh,
            "in_a_scenario": _scenario_form(name),
            "of_a_day": day_form_by_name.get(name),
            "of_a_running_node": name in RUNNING_FAULTS,
        }
        for name, form in FAULTS.items()
    ]
    if as_json:
        print_json({"faults": rows})
        return
    table = Table("name", "what goes wrong", "出什么故障", "in a scenario", "elsewhere")
    for row in rows:
        running = f"novate fault inject {row['name']}" if row["of_a_running_node"] else None
        day = f"novate day --fault {row['of_a_day']}" if row["of_a_day"] else None
        elsewhere = "\n".join(filter(None, [running, day]))
        values = (row["name"], row["what"], row["what_zh"], row["in_a_scenario"])
        table.add_row(*map(str, values), elsewhere or "-")
    output().print(table)


@fault_app.command()
def inject(
    fault: Annotated[str, typer.Argument(help="One of novate fault list.")],
    participant: ParticipantArgument,
    milliseconds: Annotated[
        int | None,
        typer.Option("--ms", min=1, max=MILLISECONDS_MAX, help="With slow: how late it answers."),
    ] = None,
    url: UrlOption = DEFAULT_URL,
    supervisor: SupervisorOption = False,
    as_json: JsonOption = False,
) -> None:
    """Do something to a node or its desk: the others go on."""
    if fault not in RUNNING_FAULTS:
        bad_input(f"expected a fault among {', '.join(RUNNING_FAULTS)}, found {fault!r}")
    if supervisor:
        _order(folder_of(url), fault, participant, as_json=as_json)
        return
    body = {"fault": fault, "participant": participant, "milliseconds": milliseconds}
    _show(Client(url, remedy=_REMEDY).post(_PATH, body), as_json=as_json)


@fault_app.command()
def heal(
    participant: ParticipantArgument,
    url: UrlOption = DEFAULT_URL,
    supervisor: SupervisorOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make everything right again with a node and its desk: it catches up."""
    if supervisor:
        _order(folder_of(url), NodeFault.HEAL.value, participant, as_json=as_json)
        return
    client = Client(url, remedy=_REMEDY)
    client.delete(f"{_PATH}/{segment(participant)}")
    _show(client.get(_PATH), as_json=as_json)


@fault_app.command()
def standing(
    url: UrlOption = DEFAULT_URL, supervisor: SupervisorOption = False, as_json: JsonOption = False
) -> None:
    """Show what is wrong with nodes and desks now."""
    if supervisor:
        _show_processes(ProcessControl(folder_of(url)), as_json=as_json)
        return
    _show(Client(url, remedy=_REMEDY).get(_PATH), as_json=as_json)


def _order(folder: Path, fault: str, participant: str, *, as_json: bool) -> None:
    """Has the supervisor do it."""
    if fault not in _OF_THE_SUPERVISOR:
        bad_input(f"{fault}: the node or its desk does it, over REST: leave --supervisor out")
    control = ProcessControl(folder)
    try:
        do_to_process(control, NodeFault(fault), participant)
    except ProcessError as error:
        bad_input(str(error))
    _show_processes(control, as_json=as_json)


def _show_processes(control: ProcessControl, *, as_json: bool) -> None:
    """What is wrong with processes as such, by their supervisor."""
    try:
        states = control.states()
    except ProcessError as error:
        bad_input(str(error))
    found = [
        {"participant": id, "fault": fault.value, "milliseconds": None}
        for id, place in states.items()
        if (fault := fault_of_state(place.state)) is not None
    ]
    _show({"standing": found}, as_json=as_json)


def _scenario_form(name: str) -> str:
    form = FAULTS[name]
    keys = [*form.keys, *(f"{key}?" for key in form.optional)]
    return f"fault: {{at: {name}, {', '.join(keys)}}}"


def _show(answer: dict[str, Any], *, as_json: bool) -> None:
    """What is wrong, as JSON or as a line for each."""
    if as_json:
        print_json({"standing": answer["standing"]})
        return
    if not answer["standing"]:
        output().print("nothing is wrong")
    for each in answer["standing"]:
        late = f" {each['milliseconds']} ms" if each["milliseconds"] else ""
        what = RUNNING_FAULTS[each["fault"]].what
        output().print(f"{each['participant']}  {each['fault']}{late}  {what}", markup=False)
