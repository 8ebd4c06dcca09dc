"""One netting cycle: struck over a window of the intake, attested by its parties, ready to settle.

Nothing here touches the disk or the chain: a cycle that is not ready leaves no trace and is struck
again over the same window.
"""

import hashlib
from dataclasses import dataclass, field

import numpy as np

from contracts.abi import Array
from contracts.lines import Lines
from contracts.typed_data import CycleMessage
from ledger.books.intake import Window
from ledger.clearing.columns import Column, TradeColumns, holding_keys, participants_of
from ledger.clearing.commitment import Commitment
from ledger.clearing.netting import NetLines, trades_that_fit
from ledger.clearing.trimming import Available, trim
from ledger.domain.reasons import Reason
from nodes.messages import CycleProposal, OwnChunk, SignedCycle


@dataclass(frozen=True, slots=True)
class CycleTerms:
    """What a cycle is struck under."""

    id: bytes
    rule_version: int
    deadline: int
    salt_key: bytes


@dataclass(slots=True)
class Cut:
    """A window, cut down to the trades that can settle.

    Attributes:
        leavers: reason by position of the trades that left so far, the silent parties' first.
        parties: numbers of the participants with a trade in the cycle, ascending.
    """

    window: Window
    leavers: dict[int, Reason]
    trades: TradeColumns
    securities: Lines
    cash: Lines
    parties: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        accounts = np.concatenate([self.trades.sellers, self.trades.buyers])
        self.parties = tuple(np.unique(participants_of(accounts)).tolist())


def cut(window: Window, excluded: dict[int, Reason], available: Available) -> Cut:
    """The trades of a window that can settle: less the excluded ones, then trimmed by the rule."""
    positions = window.first + window.rows
    staying = window.rows[~np.isin(positions, list(excluded))]
    candidates = window.trades.take(staying)
    trimmed = trim(candidates, available)
    leavers = dict(excluded)
    for row, reason in trimmed.reason_by_row.items():
        leavers[window.first + int(staying[row])] = reason
    return Cut(
        window=window,
        leavers=leavers,
        trades=candidates.take(trimmed.stays),
        securities=_lines(trimmed.result.securities),
        cash=_lines(trimmed.result.cash),
    )


class Proposal:
    """A cut that the parties are asked to attest."""

    def __init__(self, cut: Cut, terms: CycleTerms) -> None:
        self.cut = cut
        self._commitment = Commitment(cut.trades, terms.salt_key, terms.id)
        self.cycle = CycleMessage(
            id=terms.id,
            root=self._commitment.root,
            count=len(cut.trades),
            parties=Array.of_numbers(cut.parties),
            securities_lines=cut.securities.pack(),
            cash_lines=cut.cash.pack(),
            rule_version=terms.rule_version,
            deadline=terms.deadline,
        )

    def for_party(self, party: int) -> CycleProposal:
        """What one party is shown: all lines, and its own chunks with their proofs."""
        chunks = tuple(
            OwnChunk(
                index=chunk.index,
                salt=chunk.salt,
                trades=self.cut.trades.take(chunk.rows),
                proof=self._commitment.proof(chunk.index),
            )
            for chunk in self._commitment.chunks
            if party in chunk.parties
        )
        return CycleProposal(self.cycle, chunks)

    def signed(self, signatures: dict[int, bytes]) -> SignedCycle:
        """The cycle with the signatures of all its parties."""
        return SignedCycle(self.cycle, tuple(signatures[party] for party in self.cut.parties))


def cycle_id(chain_id: int, settlement: bytes, number: int) -> bytes:
    """A new id for a cycle. All its versions share it, so that no two of them can both settle."""
    text = b"novate cycle|%d|%s|%d" % (chain_id, settlement.hex().encode(), number)
    return hashlib.sha256(text).digest()


def rows_that_fit(trades: TradeColumns, lines_max: int) -> int:
    """How many trades from the first on one cycle can carry.

    They need at most so many net lines in each register, and their amounts can be added up.
    """
    fits = trades_that_fit(trades)
    for assets in (trades.instruments, trades.currencies):
        keys = np.stack(
            [holding_keys(assets, trades.sellers), holding_keys(assets, trades.buyers)], axis=1
        ).ravel()
        first_uses = np.zeros(len(keys), dtype=np.int64)
        first_uses[np.unique(keys, return_index=True)[1]] = 1
        used: Column = np.cumsum(first_uses)[1::2]
        fits = min(fits, int(np.searchsorted(used, lines_max, side="right")))
    return fits


def _lines(lines: NetLines) -> Lines:
    return Lines(lines.keys, lines.amounts)
