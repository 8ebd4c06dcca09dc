"""One story under the three models of delivery-versus-payment (CPMI 1992), and with one default.

Model 1 settles every trade on its own, both legs gross. Models 2 and 3 settle the trades of a cycle
together: 2 books the securities trade by trade and the cash net, 3 books both net. In all three,
securities and cash change hands in the same moment or not at all: no seller delivers unpaid.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ledger.books.postings import FinalBlock, Register
from ledger.domain.accounts import asset_of
from ledger.domain.amounts import format_amount
from ledger.domain.identifiers import owner_of
from ledger.domain.rules import SettlementMode
from nodes.clock import SimulatedClock
from nodes.dvp_models.liquidity import peak_needs
from nodes.scenario.played import Played
from nodes.scenario.result import Outcome
from nodes.scenario.runner import play
from nodes.scenario.story import (
    ClockEvent,
    CycleEvent,
    Expectations,
    Story,
    TimedEvent,
    TradeEvent,
)
from nodes.scenario.times import DAY_BEGINS

MODELS: Final = (1, 2, 3)
_SETTLED: Final = "settled"


@dataclass(frozen=True, slots=True)
class UnderModel:
    """What became of the trades under one model.

    Attributes:
        positions: totals by account, kind and asset, as text.
        movements: register movements booked, by register.
        peak_cash: the cash that all accounts together had to have at hand, by currency, as text.
        peak_securities: units that they had to have at hand, by ISIN.
        settled_value: cash value of the settled trades in minor units, of all currencies.
        waits_seconds: business seconds from capture to finality of each settled trade, in order.
        blocks: in how many blocks they settled.
        waiting: the trades that did not settle, with the reason.
        violations: invariants that did not hold; none is the rule.
    """

    model: int
    positions: Mapping[str, Mapping[str, Mapping[str, str]]]
    movements: Mapping[str, int]
    peak_cash: Mapping[str, str]
    peak_securities: Mapping[str, int]
    settled_value: int
    waits_seconds: Sequence[int]
    blocks: int
    waiting: Mapping[str, str]
    violations: Sequence[str]


@dataclass(frozen=True, slots=True)
class Default:
    """What happens when one participant has no cash.

    ``hit`` are, by model, the other participants with a trade that does not settle.
    """

    participant: str
    under: Sequence[UnderModel]
    hit: Mapping[int, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The models side by side."""

    story: str
    under: Sequence[UnderModel]
    default: Default

    @property
    def ends_are_equal(self) -> bool:
        """Whether everybody ends with the same under every model."""
        return all(each.positions == self.under[0].positions for each in self.under)


def compare(story: Story, defaulter: str | None = None) -> Comparison:
    """Plays a story under each model, and again without the cash of one participant.

    Without a name, that is whoever owes the most cash on balance. Raises ValueError for a story
    without trades, or a participant that is in none of them.
    """
    traders = _traders(story)
    if not traders:
        raise ValueError("the story has no trades to compare")
    if defaulter is not None and defaulter not in traders:
        raise ValueError(f"{defaulter} has no trade in the story; {', '.join(traders)} have")
    chosen = defaulter or _largest_debtor(story)
    without = replace(
        story,
        opening_cash={
            place: amount
            for place, amount in story.opening_cash.items()
            if owner_of(place[0]) != chosen
        },
    )
    under = [_play_under(story, model) for model in MODELS]
    defaulted = [_play_under(without, model) for model in MODELS]
    hit = {each.model: _others_hit(story, each, chosen) for each in defaulted}
    return Comparison(story.name, under, Default(chosen, defaulted, hit))


def _play_under(story: Story, model: int) -> UnderModel:
    played = play(_under(story, model))
    try:
        return _read(played, model)
    finally:
        played.consortium.close()


def _under(story: Story, model: int) -> Story:
    """The story with the rules of a model; a cycle closes at its end at the latest."""
    mode = SettlementMode.GROSS if model == 1 else SettlementMode.NET
    events = story.events
    if model == 1:
        events = tuple(each for each in events if not isinstance(each.event, CycleEvent))
    elif not any(isinstance(each.event, CycleEvent) for each in events):
        events = (*events, TimedEvent(CycleEvent(), None))
    rules = replace(story.rules, settlement=mode, dvp_model=model)
    return replace(story, rules=rules, events=events, expectations=Expectations())


def _read(played: Played, model: int) -> UnderModel:
    outcome, network = Outcome(played), played.consortium.network
    blocks = [each for some in played.consortium.feed.blocks_after(-1) for each in some]
    needs = peak_needs(blocks)
    cash: dict[str, int] = {}
    for key, amount in needs[Register.CASH].items():
        currency = network.currency(asset_of(key))
        cash[currency] = cash.get(currency, 0) + amount
    securities: dict[str, int] = {}
    for key, amount in needs[Register.SECURITIES].items():
        isin = played.story.name_by_isin[network.instrument(asset_of(key)).isin]
        securities[isin] = securities.get(isin, 0) + amount
    states = {id: state for id, state in outcome.states().items() if played.is_trade(id)}
    finals = _final_blocks(played, [id for id, each in states.items() if each.state == _SETTLED])
    return UnderModel(
        model=model,
        positions=outcome.balances(),
        movements=outcome.movements(),
        peak_cash={name: format_amount(amount, name) for name, amount in sorted(cash.items())},
        peak_securities=dict(sorted(securities.items())),
        settled_value=outcome.settled_value(),
        waits_seconds=_waits(played, finals, blocks),
        blocks=len(set(finals.values())),
        waiting={
            id: each.reason or each.state for id, each in states.items() if each.state != _SETTLED
        },
        violations=[f"{each.path}: {each.actual}" for each in outcome.differences()],
    )


def _final_blocks(played: Played, ids: Sequence[str]) -> dict[str, int]:
    """The block in which each settled trade became final."""
    consortium, network = played.consortium, played.consortium.network
    house, final = consortium.clearing_house, {}
    for id in ids:
        position = consortium.exchange.position_of(
            network.business_date.toordinal(),
            network.instrument_number(played.trades[id].isin),
            played.number_by_trade[id],
        )
        standing, cycle = house.standing_of(position), house.cycles.covering(position)
        own = house.desk.book.by_id(standing.instruction) if standing.instruction else None
        block = own.block if own else cycle.block if cycle else None
        assert block is not None, "what has settled did so in a block"
        final[id] = block
    return final


def _waits(played: Played, finals: Mapping[str, int], blocks: Sequence[FinalBlock]) -> list[int]:
    """How long each settled trade has waited, from the events' times and the blocks' stamps."""
    stamp_by_block = {block.number: block.timestamp for block in blocks}
    captured_at = _captured_at(played.story)
    midnight = SimulatedClock.at(played.story.business_date, 0).chain_time()
    return [stamp_by_block[block] - midnight - captured_at[id] for id, block in finals.items()]


def _captured_at(story: Story) -> dict[str, int]:
    """The second of the day at which each trade was captured."""
    now = DAY_BEGINS
    captured: dict[str, int] = {}
    for timed in story.events:
        now = now if timed.second is None else timed.second
        match timed.event:
            case TradeEvent(id=id):
                captured.setdefault(id, now)
            case ClockEvent(second=second):
                now = second
            case _:
                pass
    return captured


def _trades_of(story: Story) -> dict[str, TradeEvent]:
    """The first trade of each id."""
    trades: dict[str, TradeEvent] = {}
    for timed in story.events:
        if isinstance(timed.event, TradeEvent):
            trades.setdefault(timed.event.id, timed.event)
    return trades


def _traders(story: Story) -> list[str]:
    sides = ((each.seller, each.buyer) for each in _trades_of(story).values())
    return sorted({owner_of(account) for pair in sides for account in pair})


def _largest_debtor(story: Story) -> str:
    """Who owes the most cash on balance for the trades; of several the first by name."""
    paid = dict.fromkeys(_traders(story), 0)
    for trade in _trades_of(story).values():
        paid[owner_of(trade.buyer)] += trade.quantity * trade.price
        paid[owner_of(trade.seller)] -= trade.quantity * trade.price
    return max(sorted(paid), key=lambda each: paid[each])


def _others_hit(story: Story, under: UnderModel, defaulter: str) -> list[str]:
    trades = _trades_of(story)
    sides = {
        owner_of(account)
        for id in under.waiting
        for account in (trades[id].seller, trades[id].buyer)
    }
    return sorted(sides - {defaulter})
