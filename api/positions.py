"""Positions: what accounts hold, now or as of an earlier block, in the order of their pages."""

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from typing import Final

from api import schemas
from api.errors import refuse
from api.paging import Key
from ledger.books.postings import Register
from ledger.books.projection import ALL_PARTICIPANTS, Projection
from ledger.domain.accounts import account_of, asset_of, holder_of
from ledger.domain.reasons import Reason
from nodes.bus import UnreachableError
from nodes.consortium import Consortium
from nodes.node import Node, OwnHolding
from nodes.past_positions import projection_at
from nodes.sandbox.sandbox import Sandbox

PAST_BLOCKS_MAX: Final = 20_000
_REGISTERS: Final = (Register.CASH, Register.SECURITIES)


@dataclass(frozen=True, slots=True)
class Held:
    """A holding of a node.

    Attributes:
        own: what its own book says; None as of an earlier block, and while the node is away.
        is_away: the node does not answer now.
    """

    node: Node
    place: int
    register: Register
    key: int
    available: int
    held: int
    own: int | None
    is_away: bool = False

    @property
    def sort_key(self) -> Key:
        """Owner, register, asset and account: its place among all positions."""
        return self.place, _REGISTERS.index(self.register), self.key


def positions_now(consortium: Consortium, participant: str | None) -> list[Held]:
    """What accounts hold, from each owner's own node; of one participant, or of all.

    Of a node that is away, what the ledger has, as the clearing house follows it.
    """
    found: list[Held] = []
    away: set[str] = set()
    for place, node in enumerate(consortium.nodes.values()):
        if participant in (None, node.id):
            try:
                found += [_held(node, place, each) for each in node.position_report()]
            except UnreachableError:
                away.add(node.id)
    if away:
        ledger = consortium.clearing_house.projection
        found += [replace(each, is_away=True) for each in _held_in(consortium, ledger, away)]
        found.sort(key=lambda each: each.sort_key)
    return found


def _held(node: Node, place: int, one: OwnHolding) -> Held:
    return Held(node, place, one.register, one.key, one.available, one.held, one.own)


def positions_at(sandbox: Sandbox, participant: str | None, block: int) -> list[Held]:
    """What accounts held when a block was final. Refuses blocks that are not, or too many."""
    consortium = sandbox.consortium
    height = consortium.clearing_house.projection.height
    if block > height:
        raise refuse(
            Reason.UNKNOWN, f"as_of_block: block {block} is not final: the last one is {height}"
        )
    if block > PAST_BLOCKS_MAX:
        detail = f"as_of_block: expected at most {PAST_BLOCKS_MAX}, or none for now"
        raise refuse(Reason.INVALID, detail)
    number = consortium.network.participant_number(participant) if participant else ALL_PARTICIPANTS
    projection = projection_at(consortium, number, block, sandbox.lock)
    wanted = consortium.nodes if participant is None else {participant}
    found = list(_held_in(consortium, projection, wanted))
    return sorted(found, key=lambda each: each.sort_key)


def _held_in(
    consortium: Consortium, projection: Projection, wanted: Container[str]
) -> Iterator[Held]:
    places = {node.number: (place, node) for place, node in enumerate(consortium.nodes.values())}
    for register in _REGISTERS:
        for key, available, held in projection.holdings(register):
            place, node = places[holder_of(key)]
            if node.id in wanted:
                yield Held(node, place, register, key, available, held, None)


def position_view(position: Held) -> schemas.Position:
    """A position, in words."""
    node, register, key = position.node, position.register, position.key
    total = position.available + position.held
    words = [
        node.describe_holding(register, key, amount)
        for amount in (position.available, position.held, total)
    ]
    own = position.own
    asset = node.name_holding(register, key).rpartition(" ")[2]
    is_cash = register is Register.CASH
    return schemas.Position(
        account=node.network.account_id(account_of(key)),
        asset=asset,
        symbol=asset if is_cash else node.network.instrument(asset_of(key)).symbol,
        kind=register.value,
        available=words[0],
        held=words[1],
        total=words[2],
        own_book=None if own is None else node.describe_holding(register, key, own),
        agrees=None if own is None else own == total,
        is_away=position.is_away,
    )
