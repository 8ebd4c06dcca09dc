"""The state hash: one number for where everything stands, the same for the same story.

It covers balances and held amounts of every account, as the ledger has them, and every instruction
and every trade that has not simply settled in a cycle, each with its state and reason.
"""

import hashlib
from collections.abc import Iterable, Iterator

from ledger.books.postings import Register
from nodes.consortium import Consortium
from nodes.trade_words import describe_trade_id


def state_hash(consortium: Consortium) -> str:
    """SHA-256 over the state in canonical text, as 0x-prefixed hex."""
    digest = hashlib.sha256()
    for line in state_lines(consortium):
        digest.update(line.encode() + b"\n")
    return "0x" + digest.hexdigest()


def state_lines(consortium: Consortium) -> Iterator[str]:
    """The state, a line of text for each fact, in canonical order."""
    yield from _holdings(consortium)
    yield from _trades(consortium)
    yield from _instructions(consortium)


def _holdings(consortium: Consortium) -> Iterable[str]:
    house = consortium.clearing_house
    return sorted(
        f"{register.value} {house.name_holding(register, key)} {available} {held}"
        for register in Register
        for key, available, held in house.projection.holdings(register)
        if available or held
    )


def _trades(consortium: Consortium) -> Iterable[str]:
    house = consortium.clearing_house
    by_id = {each.id: each for each in house.desk.instructions()}
    yield f"trades {house.intake.stream.end_position}"
    for position, standing in sorted(house.intake.exceptions().items()):
        trade = house.intake.stream.trades(position, position + 1)
        name = describe_trade_id(consortium.network, trade, 0)
        own = by_id.get(standing.instruction)
        state = own.state.value if own else standing.state
        reason = own.reason if own else standing.reason
        yield f"trade {name} {position} {state} {reason.name if reason else '-'}"


def _instructions(consortium: Consortium) -> Iterable[str]:
    for each in consortium.clearing_house.desk.instructions():
        reason = each.reason.name if each.reason else "-"
        yield f"instruction {each.label} {each.state.value} {reason}"
