"""The market that the sandbox runs: made trades, money and securities, stand-ins."""

from typing import Final

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse, Response
from pydantic import TypeAdapter

from api import balance_schemas, sandbox_schemas
from api.dependencies import CallingHolder, RunningSandbox
from api.routers.operations import fund
from api.routers.sandbox_controls import delete_stub, list_stubs, make_trades, put_stub
from api.web.forms import Form, only_own_pages
from api.web.outcomes import Outcome
from api.web.page_route import PageRoute
from api.web.sandbox.screen import Shown, whole_number
from ledger.domain.key_holders import KeyRole
from nodes.sandbox.made_trades import MADE_TRADES_MAX, SEED_MAX
from nodes.sandbox.sandbox import Sandbox

router = APIRouter(include_in_schema=False, route_class=PageRoute)

HOME: Final = "/sandbox"
TRADES: Final = "POST /sandbox/trades"
FUND: Final = "POST /sandbox/fund"
STUBS: Final = "POST /sandbox/stubs"
OFF: Final = "off"
_FUNDING: Final = TypeAdapter[balance_schemas.CashMovement | balance_schemas.SecuritiesMovement](
    balance_schemas.Funding
)


@router.get("/sandbox", response_class=HTMLResponse)
def market_page(screen: Shown, sandbox: RunningSandbox, holder: CallingHolder) -> Response:
    """What runs now, and what can be made to happen in it."""
    network = sandbox.consortium.network
    with sandbox.lock:
        block = sandbox.consortium.clearing_house.projection.height
        wrong = len(sandbox.standing_faults())
    may_stand_in = screen.may("GET /v1/sandbox/stubs")
    return screen.answer(
        "page",
        block=block,
        # Whoever knows the seed has the keys of all.
        seed=network.seed if holder.role is KeyRole.OPERATOR else None,
        wrong=wrong if screen.may("GET /v1/sandbox/faults") else None,
        business_date=network.business_date,
        traders=_traders(sandbox),
        accounts=[each for each in network.account_ids() if network.trades(each)],
        instruments=network.instruments,
        stubs=list_stubs(sandbox).data if may_stand_in else None,
        trades_max=MADE_TRADES_MAX,
        seed_max=SEED_MAX,
    )


@router.post("/sandbox/trades", dependencies=[Depends(only_own_pages)])
def make_trades_by_form(screen: Shown, sandbox: RunningSandbox, form: Form) -> Response:
    """Has trades made up."""

    def act() -> Outcome:
        count, seed = whole_number(form, "count"), whole_number(form, "seed")
        asked = sandbox_schemas.MadeTrades(count=count, seed=seed)
        done = make_trades(asked, sandbox)
        values = {"captured": f"{done.captured:,}", "repeated": f"{done.repeated:,}"}
        return Outcome(said="done_trades", values=values)

    return screen.carry_out(HOME, form, act)


@router.post("/sandbox/fund", dependencies=[Depends(only_own_pages)])
def fund_by_form(
    screen: Shown, sandbox: RunningSandbox, holder: CallingHolder, form: Form
) -> Response:
    """Brings cash or securities into an account, or takes them out."""

    def act() -> Outcome:
        names = ("reference", "direction", "account", "kind")
        movement = {name: form[name] for name in names if name in form}
        asset = form.get("asset", "")
        # What the form calls the amount is a quantity of what is no currency.
        is_cash = asset in sandbox.consortium.network.currencies
        of_cash = {"kind": "cash", "currency": asset, "amount": form.get("amount", "")}
        of_securities = {
            "kind": "securities",
            "instrument": asset,
            "quantity": form.get("amount", ""),
        }
        asked = _FUNDING.validate_python(movement | (of_cash if is_cash else of_securities))
        balance = fund(asked, sandbox, holder)
        values = {
            "account": balance.account,
            "asset": asset,
            "total": balance.available,
            "reference": asked.reference,
        }
        return Outcome(said="done_fund", values=values)

    return screen.carry_out(HOME, form, act)


@router.post("/sandbox/stubs", dependencies=[Depends(only_own_pages)])
def stand_in_by_form(screen: Shown, sandbox: RunningSandbox, form: Form) -> Response:
    """Stands in for a participant, or no more."""
    participant = form.get("participant", "")

    def act() -> Outcome:
        if form.get("behaviour") == OFF:
            delete_stub(participant, sandbox)
            return Outcome(said="done_stub_off", values={"participant": participant})
        after = whole_number(form, "after_seconds") if form.get("after_seconds") else 0
        fields = {"behaviour": form.get("behaviour", ""), "after_seconds": after}
        put_stub(participant, sandbox_schemas.NewStub.model_validate(fields), sandbox)
        return Outcome(said="done_stub", values={"participant": participant})

    return screen.carry_out(HOME, form, act)


def _traders(sandbox: Sandbox) -> list[str]:
    network = sandbox.consortium.network
    return [each.id for each in network.participants if network.trades(each.id)]
