"""One netting cycle: struck over a window of the intake, attested by its parties, ready to settle.

Nothing here touches the disk or the chain: a cycle that is not ready leaves no trace and is struck
again over the same window.
"""

import hashlib
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from contracts.abi import Array
from contracts.lines import LINES_PER_CALL_MAX, Lines
from contracts.moves import MOVES_PER_CALL_MAX
from contracts.typed_data import CycleMessage
from ledger.books.intake import Window
from ledger.clearing.cells import occurring, rows_within
from ledger.clearing.columns import Column, TradeColumns, participants_of
from ledger.clearing.commitment import Commitment, cut_salt_key
from ledger.clearing.netting import NetLines, trades_that_fit
from ledger.clearing.trimming import Available, trim
from ledger.domain.reasons import Reason
from nodes.clearing_house.committed import name_of_cut
from nodes.cycle_moves import moves_of
from nodes.messages import CycleProposal, SignedCycle


@dataclass(frozen=True, slots=True)
class CycleTerms:
    """What a cycle is struck under; ``is_gross``: its securities trade by trade (DvP model 2)."""

    id: bytes
    rule_version: int
    deadline: int
    salt_secret: bytes
    is_gross: bool = False


@dataclass(slots=True)
class Cut:
    """A window, cut down to the trades that can settle.

    Attributes:
        leavers: reason by position of the trades that left so far, the silent parties' first.
        positions: of the trades that are left, ascending.
        parties: numbers of the participants with a trade in the cycle, ascending.
    """

    window: Window
    leavers: dict[int, Reason]
    positions: Column
    trades: TradeColumns
    securities: Lines
    cash: Lines
    parties: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        sides = [participants_of(self.trades.sellers), participants_of(self.trades.buyers)]
        self.parties = tuple(occurring(*sides).tolist())


def cut(window: Window, excluded: dict[int, Reason], available: Available) -> Cut:
    """The trades of a window that can settle: less the excluded ones, then trimmed by the rule."""
    positions, candidates = window.first + window.rows, window.trades
    if excluded:
        positions = positions[~np.isin(positions, list(excluded))]
    # Nearly always all stay: then nothing is copied.
    if len(positions) < len(candidates):
        candidates = candidates.take(positions - window.first)
    trimmed = trim(candidates, available)
    leavers = dict(excluded)
    for row, reason in trimmed.reason_by_row.items():
        leavers[int(positions[row])] = reason
    if trimmed.reason_by_row:
        positions, candidates = positions[trimmed.stays], candidates.take(trimmed.stays)
    return Cut(
        window=window,
        leavers=leavers,
        positions=positions,
        trades=candidates,
        securities=_lines(trimmed.result.securities),
        cash=_lines(trimmed.result.cash),
    )


class Proposal:
    """A cut that the parties are asked to attest, and the commitment to its trades."""

    def __init__(self, cut: Cut, terms: CycleTerms) -> None:
        self.cut = cut
        name = name_of_cut(cut.window.first, cut.window.end, cut.positions)
        salt_key = cut_salt_key(terms.salt_secret, terms.id, name)
        self.commitment = Commitment(cut.trades, salt_key, terms.id)
        self.cycle = CycleMessage(
            id=terms.id,
            root=self.commitment.root,
            count=len(cut.trades),
            parties=Array.of_numbers(cut.parties),
            securities_lines=(moves_of(cut.trades) if terms.is_gross else cut.securities).pack(),
            cash_lines=cut.cash.pack(),
            rule_version=terms.rule_version,
            deadline=terms.deadline,
            is_gross=terms.is_gross,
        )

    def for_party(self, party: int) -> CycleProposal:
        """What one party is shown: all lines, and its own chunks with their proofs."""
        return CycleProposal(self.cycle, partial(self.commitment.show_party, party))

    def signed(self, signatures: dict[int, bytes]) -> SignedCycle:
        """The cycle with the signatures of all its parties."""
        return SignedCycle(self.cycle, tuple(signatures[party] for party in self.cut.parties))


def cycle_id(chain_id: int, settlement: bytes, number: int) -> bytes:
    """A new id for a cycle. All its versions share it, so that no two of them can both settle."""
    text = b"novate cycle|%d|%s|%d" % (chain_id, settlement.hex().encode(), number)
    return hashlib.sha256(text).digest()


def rows_that_fit(trades: TradeColumns, lines_max: int, *, is_gross: bool) -> int:
    """How many trades from the first on one cycle can carry.

    They touch at most so many holdings in each register, and their amounts can be added up. A cycle
    whose securities are gross (DvP model 2) settles in one call, since its moves cannot be staged:
    credits that wait in parts would not cover the debits of others. So it has no more trades and
    cash lines than one call takes.
    """
    cash_lines_max = min(lines_max, LINES_PER_CALL_MAX) if is_gross else lines_max
    return min(
        trades_that_fit(trades),
        MOVES_PER_CALL_MAX if is_gross else len(trades),
        rows_within(trades.instruments, trades.sellers, trades.buyers, lines_max),
        rows_within(trades.currencies, trades.sellers, trades.buyers, cash_lines_max),
    )


def _lines(lines: NetLines) -> Lines:
    return Lines(lines.keys, lines.amounts)
