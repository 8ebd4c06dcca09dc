"""How the clearing house keeps a cycle that has been attested."""

import msgspec

from ledger.books.tables import CycleRow
from nodes.clearing_house.cycle import Cut
from nodes.messages import SignedCycle


def pack_signed(signed: SignedCycle) -> bytes:
    """A signed cycle as it is kept."""
    return msgspec.msgpack.encode(signed)


def unpack_signed(payload: bytes) -> SignedCycle:
    """The signed cycle that ``pack_signed`` wrote."""
    return msgspec.msgpack.decode(payload, type=SignedCycle)


def row_of(number: int, id: bytes, cut: Cut, state: str) -> CycleRow:
    """The record of a cut; without trades in it, it only moves the watermark."""
    debits = cut.cash.amounts[cut.cash.amounts < 0]
    return CycleRow(
        number=number,
        id=id,
        first_position=cut.window.first,
        end_position=cut.window.end,
        state=state,
        trade_count=len(cut.trades),
        securities_lines=len(cut.securities),
        cash_lines=len(cut.cash),
        party_count=len(cut.parties),
        gross_value=int(cut.trades.amounts.sum()),
        net_value=-int(debits.sum()),
    )
