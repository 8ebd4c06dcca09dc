"""What the page of liquidity shows: obligations, queues, and a resolution before and after."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from api import queue_schemas
from api.instruction_views import amount_in, asset_name, limit_view, queue_view
from api.web.liquidity.graph import Graph, Owing, drawn, summed
from ledger.domain.accounts import participant_of
from ledger.domain.amounts import format_amount
from ledger.domain.instructions import Instruction
from ledger.domain.key_holders import KeyHolder
from ledger.domain.rules import Gridlock
from ledger.settlement.legs import Pot, PotKind, participants_in
from nodes.clearing_house.resolving import Resolution
from nodes.clearing_house.waiting import first_of, queues, standing_aside
from nodes.consortium import Consortium

QUEUES_SHOWN: Final = 12
FIRST_SHOWN: Final = 5
POTS_SHOWN: Final = 24
ASIDE_SHOWN: Final = 20
LIMITS_SHOWN: Final = 20
PREVIEWED_MAX: Final = 2_000
"""Up to so many waiting instructions, what a run would settle is looked for each time."""


@dataclass(frozen=True, slots=True)
class PotFigures:
    """A balance before a resolution and after it. Amounts are decimal text."""

    account: str
    asset: str
    available: str
    owes: str
    is_due: str
    after: str
    lacks: str | None


@dataclass(frozen=True, slots=True)
class Figures:
    """How much, of one currency."""

    currency: str
    owed: str
    settles: str
    stays: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Liquidity:
    """The whole page as of one block.

    ``settles`` are the labels that a run of ``algorithm`` would settle together, as far as the
    viewer sees them; None: there are too many to look for them each time. ``is_gridlock``: some of
    them lack something that the others bring; otherwise only the order of the queue holds them up.
    """

    as_of_block: int
    algorithm: str
    standing: int
    aside_total: int
    settles: list[str] | None
    is_gridlock: bool
    is_exact: bool
    figures: list[Figures]
    graph: Graph
    asset: str
    assets: list[str]
    pots: list[PotFigures]
    pots_total: int
    queues: list[queue_schemas.Queue]
    queues_total: int
    limits: list[queue_schemas.Limit]
    limits_total: int


def liquidity_of(
    consortium: Consortium, holder: KeyHolder, algorithm: Gridlock, asset: str | None
) -> Liquidity:
    """Obligations and queues as the holder of a key sees them."""
    house = consortium.clearing_house
    found = None
    if len(house.desk.book.queue.standing()) <= PREVIEWED_MAX:
        found = house.desk.preview(algorithm)
    return shown_with(consortium, holder, algorithm, asset, found)


def shown_with(
    consortium: Consortium,
    holder: KeyHolder,
    algorithm: Gridlock,
    asset: str | None,
    found: Resolution | None,
) -> Liquidity:
    """The same with what a run has selected."""
    house, network = consortium.clearing_house, consortium.network
    book = house.desk.book
    is_own = _own(consortium, holder)
    standing = [each for each in book.queue.standing() if is_own(participants_in(each))]
    live = [each for each in book.queue.live() if is_own(participants_in(each))]
    selected = set(found.settled) if found else set()
    owings = _owings_by_asset(consortium, standing, selected)
    assets = sorted(owings, key=lambda name: (name not in network.currencies, name))
    chosen = asset if asset in owings else next(iter(assets), network.currencies[0])
    every = [each for each in queues(book) if is_own({participant_of(each.pot.account)})]
    every.sort(key=lambda each: (each.available >= each.owed_in_all, each.pot))
    pots = _pots(consortium, standing, selected, is_own)
    limits = sorted(book.limits.all().items())
    own_limits = [each for each in limits if is_own({participant_of(each[0].account)})]
    return Liquidity(
        as_of_block=house.projection.height,
        algorithm=algorithm.value,
        standing=len(standing),
        aside_total=standing_aside(book, 0, live)[1],
        settles=[each.label for each in standing if each.label in selected] if found else None,
        is_gridlock=any(book.queue.outlook(label).missing for label in selected),
        is_exact=found.is_exact if found else False,
        figures=_figures(consortium, standing, selected),
        graph=drawn(owings.get(chosen, [])),
        asset=chosen,
        assets=assets,
        pots=pots[:POTS_SHOWN],
        pots_total=len(pots),
        queues=[
            queue_view(network, each, first_of(book, each, FIRST_SHOWN)).model_copy(
                update={"asset": _symbol(consortium, each.pot)}
            )
            for each in every[:QUEUES_SHOWN]
        ],
        queues_total=len(every),
        limits=[limit_view(consortium, *each) for each in own_limits[:LIMITS_SHOWN]],
        limits_total=len(own_limits),
    )


def _own(consortium: Consortium, holder: KeyHolder) -> Callable[[Collection[int]], bool]:
    """Whether what concerns some participants, by number, is what the holder of a key sees."""
    if holder.sees_everything:
        return lambda _: True
    own = holder.participant
    number = consortium.network.participant_number(own) if own else 0
    return lambda concerned: number in concerned


def _figures(
    consortium: Consortium, standing: Sequence[Instruction], selected: set[str]
) -> list[Figures]:
    owed: dict[int, int] = defaultdict(int)
    settles: dict[int, int] = defaultdict(int)
    for each in standing:
        if each.open_amount:
            owed[each.currency] += each.open_amount
            settles[each.currency] += each.open_amount if each.label in selected else 0
    names = {number: consortium.network.currency(number) for number in owed}
    return [
        Figures(
            currency=name,
            owed=format_amount(owed[number], name),
            settles=format_amount(settles[number], name),
            stays=format_amount(owed[number] - settles[number], name),
        )
        for number, name in sorted(names.items())
    ]


def _owings_by_asset(
    consortium: Consortium, standing: Sequence[Instruction], selected: set[str]
) -> dict[str, list[Owing]]:
    """Who owes whom how much, by currency or symbol."""
    network = consortium.network
    owings: dict[str, list[Owing]] = defaultdict(list)
    for each in standing:
        deliverer = network.account_id(each.deliverer)
        receiver = network.account_id(each.receiver)
        settles = each.label in selected
        if each.open_amount:
            amount = each.open_amount
            owing = Owing(receiver, deliverer, amount, amount if settles else 0)
            owings[network.currency(each.currency)].append(owing)
        if each.open_quantity:
            amount = each.open_quantity
            owing = Owing(deliverer, receiver, amount, amount if settles else 0)
            owings[network.instrument(each.instrument).symbol].append(owing)
    return {asset: summed(each) for asset, each in owings.items()}


def _pots(
    consortium: Consortium,
    standing: Sequence[Instruction],
    selected: set[str],
    is_own: Callable[[Collection[int]], bool],
) -> list[PotFigures]:
    """Every balance that lacks something or that the run would change, the shortest first."""
    book = consortium.clearing_house.desk.book
    owes: dict[Pot, int] = defaultdict(int)
    due: dict[Pot, int] = defaultdict(int)
    change: dict[Pot, int] = defaultdict(int)
    for each in standing:
        for debtor, creditor, amount in book.queue.legs(each.label):
            settles = amount if each.label in selected else 0
            if debtor is not None:
                owes[debtor] += amount
                change[debtor] -= settles
            if creditor is not None:
                due[creditor] += amount
                change[creditor] += settles
    pots = [
        pot
        for pot in owes
        if pot.kind is not PotKind.LIMIT and is_own({participant_of(pot.account)})
    ]
    available = dict(zip(pots, book.available_of_many(pots), strict=True))
    pots = [pot for pot in pots if owes[pot] > available[pot] or change[pot]]
    pots.sort(key=lambda pot: (available[pot] - owes[pot] >= 0, available[pot] - owes[pot], pot))
    network = consortium.network

    def figures(pot: Pot) -> PotFigures:
        lacks = owes[pot] - available[pot]
        return PotFigures(
            account=network.account_id(pot.account),
            asset=_symbol(consortium, pot),
            available=amount_in(network, pot, available[pot]),
            owes=amount_in(network, pot, owes[pot]),
            is_due=amount_in(network, pot, due[pot]),
            after=amount_in(network, pot, available[pot] + change[pot]),
            lacks=amount_in(network, pot, lacks) if lacks > 0 else None,
        )

    return [figures(pot) for pot in pots]


def _symbol(consortium: Consortium, pot: Pot) -> str:
    if pot.kind is PotKind.SECURITIES:
        return consortium.network.instrument(pot.asset).symbol
    return asset_name(consortium.network, pot)
