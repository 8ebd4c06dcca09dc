"""A story that has been played, and what is only known from playing it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property

from ledger.books.trade_index import NOT_FOUND
from ledger.domain.identifiers import TradeId, encode_trade_number
from ledger.domain.reasons import Reason
from nodes.consortium import Consortium
from nodes.scenario.story import Event, InstructEvent, RepeatEvent, SideEvent, Story, TradeEvent


@dataclass
class Played:
    """A story on a consortium.

    Attributes:
        refusals: id and reason, in order.
    """

    story: Story
    consortium: Consortium
    refusals: list[tuple[str, Reason]] = field(default_factory=list)

    @property
    def ids(self) -> Collection[str]:
        """The ids of all trades, instructions and sides of the story, in order."""
        return self._first_by_id

    @cached_property
    def trades(self) -> dict[str, TradeEvent]:
        """The first trade of every id that stands for a trade, in order."""
        return {
            id: event for id, event in self._first_by_id.items() if isinstance(event, TradeEvent)
        }

    @cached_property
    def sides(self) -> dict[str, SideEvent]:
        """The first side of every id that stands for a side, in order."""
        return {
            id: event for id, event in self._first_by_id.items() if isinstance(event, SideEvent)
        }

    @cached_property
    def number_by_trade(self) -> dict[str, int]:
        """The venue's identifier that a trade of the story is given."""
        return {id: encode_trade_number(_venue_number(i)) for i, id in enumerate(self.trades)}

    def is_trade(self, id: str) -> bool:
        """Whether an id stands for a trade: it came first with one."""
        return id in self.trades

    def is_instruction(self, id: str) -> bool:
        """Whether an id stands for an instruction: it came first with one."""
        return isinstance(self._first_by_id.get(id), InstructEvent)

    def is_captured(self, event: TradeEvent) -> bool:
        """Whether the exchange has captured the trade that an event's id stands for."""
        network = self.consortium.network
        is_listed = any(each.isin == event.isin for each in network.instruments)
        if event.id not in self.trades or not is_listed:
            return False
        position = self.consortium.exchange.position_of(
            network.business_date.toordinal(),
            network.instrument_number(event.isin),
            self.number_by_trade[event.id],
        )
        return position != NOT_FOUND

    def label(self, id: str) -> str:
        """The name under which the clearing house knows an instruction or trade of the story.

        The id of a side stands for the instruction that it has been matched into.
        """
        if id in self.sides:
            matching = self.consortium.clearing_house.matching
            entered = matching.get(self.sides[id].by, id)
            return entered.label if entered and entered.label else id
        if id not in self.trades:
            return id
        network, place = self.story.network, list(self.trades).index(id)
        isin = self.trades[id].isin
        return str(TradeId(network.venue, network.business_date, isin, _venue_number(place)))

    @cached_property
    def _first_by_id(self) -> dict[str, TradeEvent | InstructEvent | SideEvent]:
        first: dict[str, TradeEvent | InstructEvent | SideEvent] = {}
        for timed in self.story.events:
            event = _message_of(timed.event)
            if isinstance(event, TradeEvent | InstructEvent | SideEvent):
                first.setdefault(event.id, event)
        return first


def _venue_number(place: int) -> str:
    return f"S{place + 1}"


def _message_of(event: Event) -> Event:
    """The event itself, or the one that is delivered again."""
    return _message_of(event.event) if isinstance(event, RepeatEvent) else event
