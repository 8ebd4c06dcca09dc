"""The list of trades, the page of one, and the check of its proof."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, status
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api.chain_words import sentence
from api.dependencies import CallingHolder, RunningExplorer, RunningSandbox
from api.own_trades import visible_position
from api.trade_filters import POSITION_MAX, STATES, Asked
from api.web.page_route import PageRoute
from api.web.trades.listed import is_trade_id, trade_list
from api.web.trades.proven import proven
from api.web.trades.story import story_of
from api.web.trades.words import TRADES_WORDS
from api.web.visit import Visit, Visiting
from ledger.domain.key_holders import KeyHolder
from nodes.explorer import Explorer
from nodes.sandbox.sandbox import Sandbox

router = APIRouter(include_in_schema=False, route_class=PageRoute)

TEXT_MAX: Final = 100
CHECK: Final = "check"
Text = Annotated[str, Query(max_length=TEXT_MAX)]
Before = Annotated[int | None, Query(ge=0, le=POSITION_MAX)]


@dataclass(frozen=True, slots=True)
class Search:
    """What of the trades is asked for, as the page's form has it; ``query`` is for its links."""

    text: str
    asked: Asked
    query: dict[str, str | None]


def _search(
    q: Text = "",
    state: Text = "",
    participant: Text = "",
    instrument: Text = "",
    trade_date: Text = "",
) -> Search:
    """What a form sends; a field that is left empty asks for nothing."""
    text = q.strip()
    given = {
        "state": state,
        "participant": participant,
        "instrument": instrument.strip(),
        "trade_date": trade_date,
    }
    query = {name: value or None for name, value in given.items()}
    asked = Asked(number=text.upper() or None, **query)
    return Search(text, asked, query | {"q": text or None})


@router.get("/trades", response_class=HTMLResponse)
def trades_page(
    visit: Visiting,
    sandbox: RunningSandbox,
    explorer: RunningExplorer,
    holder: CallingHolder,
    search: Annotated[Search, Depends(_search)],
    before: Before = None,
) -> Response:
    """Trades by what is asked for, the newest first; a whole id leads to its trade."""
    if is_trade_id(search.text):
        path = f"/trades/{search.text}"
        return RedirectResponse(visit.link(path), status.HTTP_303_SEE_OTHER)
    found = trade_list(sandbox, explorer, holder, search.asked, before)
    return visit.answer(
        "trades/page.html",
        TRADES_WORDS,
        list=found,
        search=search,
        states=STATES,
        before=before,
    )


@router.get("/trades/{trade_id}", response_class=HTMLResponse)
def trade_page(
    visit: Visiting,
    sandbox: RunningSandbox,
    explorer: RunningExplorer,
    holder: CallingHolder,
    trade_id: str,
    proof: Text = "",
) -> Response:
    """One trade, from its capture to where it stands; with ``proof=check``, its proof checked."""
    return _trade(visit, "trades/trade.html", sandbox, explorer, holder, trade_id, proof)


@router.get("/parts/trades/{trade_id}", response_class=HTMLResponse)
def trade_part(
    visit: Visiting,
    sandbox: RunningSandbox,
    explorer: RunningExplorer,
    holder: CallingHolder,
    trade_id: str,
    proof: Text = "",
) -> Response:
    """The part that changes while a trade is on its way."""
    return _trade(visit, "trades/trade_part.html", sandbox, explorer, holder, trade_id, proof)


def _trade(
    visit: Visit,
    template: str,
    sandbox: Sandbox,
    explorer: Explorer,
    holder: KeyHolder,
    trade_id: str,
    proof: str,
) -> Response:
    position = visible_position(sandbox.consortium, holder, trade_id)
    story = story_of(sandbox, explorer, holder, position)
    made = story.netted.proof if story.netted else None
    is_checked = proof == CHECK and made is not None
    return visit.answer(
        template,
        TRADES_WORDS,
        story=story,
        trade=story.trade,
        proven=proven(sandbox.consortium, made) if is_checked and made else None,
        act_sentence=lambda act: sentence(act, visit.language),
    )
