"""Faults: what can be made to go wrong with whom, what stands now, and how it is healed."""

from typing import Any, Final

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, Response

from api.dependencies import RunningSandbox
from api.fault_schemas import NewFault
from api.routers.faults import heal, inject
from api.web.forms import Form, only_own_pages
from api.web.outcomes import Outcome
from api.web.page_route import PageRoute
from api.web.sandbox.screen import Shown, whole_number
from nodes.faults.desk_faults import DESK_FAULTS, RUNNING_FAULTS
from nodes.faults.node_faults import MILLISECONDS_MAX, NODE_FAULTS, NodeFault

router = APIRouter(include_in_schema=False, route_class=PageRoute)

PLACE: Final = "/sandbox/faults"
OF_DESKS: Final = frozenset(fault.value for fault in DESK_FAULTS)


@router.get("/sandbox/faults", response_class=HTMLResponse)
def faults_page(screen: Shown, sandbox: RunningSandbox) -> Response:
    """Every fault that there is; what stands now is for the operator of the sandbox."""
    with sandbox.lock:
        standing = sandbox.standing_faults()
    network = sandbox.consortium.network
    nodes = [each.id for each in network.participants]
    return screen.answer(
        "faults",
        standing=standing if screen.may("GET /v1/sandbox/faults") else None,
        node_faults={
            fault.value: form for fault, form in NODE_FAULTS.items() if fault is not NodeFault.HEAL
        },
        desk_faults={fault.value: form for fault, form in DESK_FAULTS.items()},
        nodes=nodes,
        traders=[each for each in nodes if network.trades(each)],
        milliseconds_max=MILLISECONDS_MAX,
        forms=RUNNING_FAULTS,
    )


@router.post("/sandbox/faults", dependencies=[Depends(only_own_pages)])
def inject_by_form(screen: Shown, sandbox: RunningSandbox, form: Form) -> Response:
    """Makes something go wrong."""

    def act() -> Outcome:
        fields: dict[str, Any] = {
            "fault": form.get("fault", ""),
            "participant": form.get("participant", ""),
        }
        if form.get("milliseconds"):
            fields["milliseconds"] = whole_number(form, "milliseconds")
        asked = NewFault.model_validate(fields)
        inject(asked, sandbox)
        values = {"participant": asked.participant, "fault": asked.fault}
        return Outcome(said="done_fault", values=values)

    return screen.carry_out(PLACE, form, act)


@router.post("/sandbox/faults/heal", dependencies=[Depends(only_own_pages)])
def heal_by_form(screen: Shown, sandbox: RunningSandbox, form: Form) -> Response:
    """Makes everything right again with a node and its desk."""
    participant = form.get("participant", "")

    def act() -> Outcome:
        heal(participant, sandbox)
        return Outcome(said="done_heal", values={"participant": participant})

    return screen.carry_out(PLACE, form, act)
