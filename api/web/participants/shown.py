"""What the pages of participants show: no more than the interface tells the same reader."""

from dataclasses import dataclass
from typing import Final

import msgspec

from api import queue_schemas, schemas, side_schemas
from api.access.visible import sees_holding, visible_participant
from api.errors import refuse
from api.instruction_views import limit_view
from api.positions import position_view, positions_now
from api.side_search import first_sides
from api.side_views import side_view
from api.views import participant_view
from api.web.participants.permissions import Permissions, permissions_of
from ledger.books.interface.events import EventFilter
from ledger.domain.accounts import participant_of
from ledger.domain.instructions import State
from ledger.domain.key_holders import KeyHolder, KeyRole
from ledger.domain.reasons import Reason
from ledger.settlement.legs import participants_in
from nodes.consortium import Consortium
from nodes.journal.event import Event
from nodes.journal.own_view import payload_for
from nodes.node import Node
from nodes.sandbox.sandbox import Sandbox
from nodes.sandbox.stubs import Stub

POSITIONS_A_PAGE: Final = 25
EVENTS_SHOWN: Final = 15
EVENTS_LOOKED_THROUGH: Final = 50_000
SIDES_SHOWN: Final = 10
LIMITS_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the address book. ``reconciled_block`` is its own affair: None to others."""

    participant: schemas.Participant
    reconciled_block: int | None


@dataclass(frozen=True, slots=True)
class AddressBook:
    """Everybody, as of the clearing house's block."""

    as_of_block: int
    entries: list[Entry]


@dataclass(frozen=True, slots=True)
class PositionSearch:
    """Which positions are asked for; ``first`` is where the page begins."""

    asset: str = ""
    kind: str = ""
    only_differing: bool = False
    first: int = 0

    def takes(self, each: schemas.Position) -> bool:
        """Whether a position is wanted."""
        text = self.asset.casefold()
        return (
            (text in each.symbol.casefold() or text in each.asset.casefold())
            and self.kind in ("", each.kind)
            and not (self.only_differing and each.agrees)
        )


@dataclass(frozen=True, slots=True)
class Profile:
    """One participant.

    Attributes:
        is_open: whether the reader sees what is the participant's own affair.
        positions: the page of those that are asked for; ``positions_total`` of all of these.
        stub: how its desk is stood in for, where the reader runs the sandbox.
    """

    entry: Entry
    as_of_block: int
    is_open: bool
    positions: list[schemas.Position]
    positions_total: int
    positions_differing: int
    limits: list[queue_schemas.Limit]
    sides: list[side_schemas.Side]
    live_instructions: int
    stub: Stub | None
    events: list[Event]
    permissions: list[Permissions]
    holds_accounts: bool
    currency: str


def address_book(consortium: Consortium, holder: KeyHolder) -> AddressBook:
    """Everybody who takes part."""
    entries = [_entry(consortium, holder, node) for node in consortium.nodes.values()]
    return AddressBook(consortium.clearing_house.projection.height, entries)


def profile_of(sandbox: Sandbox, holder: KeyHolder, id: str, search: PositionSearch) -> Profile:
    """One participant, as the holder of a key sees it; whoever calls holds the lock."""
    consortium = sandbox.consortium
    node = consortium.nodes.get(id)
    if node is None:
        raise refuse(Reason.UNKNOWN, f"there is no participant {id}")
    network, is_open = consortium.network, holder.may_see(id)
    house = consortium.clearing_house
    everything = [
        position_view(each)
        for each in positions_now(consortium, id)
        if sees_holding(network, holder, id, each.register)
    ]
    wanted = [each for each in everything if search.takes(each)]
    live = house.desk.book.queue.live() if is_open else ()
    stubs = sandbox.stubs.all() if holder.role is KeyRole.OPERATOR else {}
    return Profile(
        entry=_entry(consortium, holder, node),
        as_of_block=house.projection.height,
        is_open=is_open,
        positions=wanted[search.first : search.first + POSITIONS_A_PAGE],
        positions_total=len(wanted),
        positions_differing=sum(each.agrees is False for each in everything),
        limits=_limits(consortium, node) if is_open else [],
        sides=_sides(consortium, id) if is_open else [],
        live_instructions=sum(node.number in participants_in(each) for each in live),
        stub=stubs.get(id),
        events=_activity(sandbox, holder, id),
        permissions=permissions_of(KeyRole(network.participant(id).role.value)),
        holds_accounts=network.trades(id),
        currency=network.currencies[0],
    )


def _entry(consortium: Consortium, holder: KeyHolder, node: Node) -> Entry:
    participant = visible_participant(holder, participant_view(consortium, node))
    return Entry(participant, node.reconciled_block if holder.may_see(node.id) else None)


def _limits(consortium: Consortium, node: Node) -> list[queue_schemas.Limit]:
    every = sorted(consortium.clearing_house.desk.book.limits.all().items())
    own = [each for each in every if participant_of(each[0].account) == node.number]
    return [limit_view(consortium, *each) for each in own[:LIMITS_SHOWN]]


def _sides(consortium: Consortium, id: str) -> list[side_schemas.Side]:
    """Its sides that still lack the other one."""
    if not consortium.network.trades(id):
        return []
    desk = consortium.clearing_house.matching
    found = first_sides(desk, 0, SIDES_SHOWN, id, State.UNMATCHED)
    return [side_view(consortium.network, desk, each) for each in found]


def _activity(sandbox: Sandbox, holder: KeyHolder, id: str) -> list[Event]:
    """The last events that concern it and that the reader may see, the newest first."""
    events, reader = sandbox.journal.events, None if holder.sees_everything else holder.name
    since = max(events.last_sequence - EVENTS_LOOKED_THROUGH, 0)
    found = events.latest(EventFilter(participant=id), EVENTS_SHOWN, reader, since=since)
    told = [msgspec.json.decode(payload_for(reader, each), type=Event) for each in found]
    # Of trades that came together a reader is told its own: those are not the other's activity.
    return [each for each in told if id in each.participants]
