"""Trades on which a desk and the exchange differ: found when asked, closed when they agree."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, Protocol

import numpy as np

from ledger.books.blotter import Blotter, Match
from ledger.books.break_life import Break
from ledger.books.breaks import BreakBook
from ledger.books.keyed import NO_ROWS
from ledger.books.position_sets import set_of
from ledger.books.reconciliation import Comparison, Difference
from ledger.books.trade_index import NOT_FOUND, fingerprints_of
from ledger.clearing.columns import COLUMN_NAMES, Column, TradeColumns
from ledger.domain.amounts import trade_amount
from ledger.domain.break_meanings import LikelyCause
from ledger.domain.breaks import BreakKind, TradeDifference
from ledger.domain.identifiers import TradeId, encode_trade_number
from ledger.domain.participants import Instrument
from nodes.network import Network
from nodes.trade_words import CANCEL_MARK, describe_terms, describe_trade_id

ASKED: Final = "trade:"
NEVER_ASKED: Final = "extra:"
"""How the ids of breaks begin: of trades the exchange asked about, and of those it never did."""
_OF_AMOUNTS: Final = frozenset({BreakKind.QUANTITY, BreakKind.AMOUNT})


class _Desk(Protocol):
    """The node whose trades these are."""

    @property
    def network(self) -> Network: ...

    @property
    def break_book(self) -> BreakBook: ...


class TradeBreaks:
    """What a trader's blotter and the exchange do not agree on."""

    def __init__(self, desk: _Desk, blotter: Blotter) -> None:
        self._desk = desk
        self._blotter = blotter
        self._looked_at = NOT_FOUND
        self._agreed: set[str] = set()
        self._never_asked_for: Column | None = None

    def found(
        self, positions: Column, trades: TradeColumns, match: Match
    ) -> tuple[dict[int, TradeDifference], list[Difference]]:
        """What is wrong with trades that the exchange has asked about: in words, and as breaks.

        ``positions`` are those of the capture.
        """
        differences, breaks = {}, []
        for row, kind in match.kinds.items():
            place = int(match.positions[row])
            ours = self._blotter.at(np.array([place])) if place != NOT_FOUND else None
            words = self._in_words(kind, trades, row, ours)
            is_behind = ours is None and int(positions[row]) > self._blotter.fed_to
            differences[row] = words
            breaks.append(
                Difference(
                    id=f"{ASKED}{words.subject}",
                    kind=kind,
                    subject=words.subject,
                    ours=words.ours,
                    theirs=words.theirs,
                    asset=self._instrument(trades, row).isin,
                    at_risk=self._worth(kind, trades, row, ours),
                    currency=self._instrument(trades, row).currency,
                    cause=LikelyCause.FEED_BEHIND if is_behind else None,
                )
            )
        self._agreed -= {each.id for each in breaks}
        self._agreed |= self._standing_among(trades.take(match.agreed()))
        return differences, breaks

    def never_asked_for(self) -> Comparison:
        """Every own trade that the exchange never asked about."""
        trades = self._blotter.at(self._blotter.never_asked_for())
        found = [self._never_asked(trades, row) for row in range(len(trades))]
        return Comparison(NEVER_ASKED, found, is_complete=True)

    def looked_at_again(self) -> tuple[list[Comparison], Column, Column]:
        """The breaks that stand, as they are now; nothing when all are as they were.

        A trade that the desk has reported late as the exchange has it is a difference no more; nor
        is one that the exchange has asked about after all. With them come the positions of own
        records that the exchange had asked about before they were reported, and of those among
        them that are as the exchange has them.
        """
        asked, never = self._standing(ASKED), self._standing(NEVER_ASKED)
        self._agreed &= {each.id for each in asked}
        gone, changed = set(self._agreed), dict[str, Difference]()
        late = agreed = NO_ROWS
        if asked and len(self._blotter) != self._looked_at:
            late, agreed = self._look_at_late(asked, gone, changed)
        never_asked = self._blotter.never_asked_for() if never else None
        if never_asked is not None and not _are_same(never_asked, self._never_asked_for):
            positions = self._blotter.find(self._trades_of(never))
            was_asked = ~np.isin(positions, never_asked)
            gone.update(never[row].id for row in np.flatnonzero(was_asked).tolist())
        # Whatever was found is found again until it is on disk.
        is_as_before = not gone and not changed
        self._looked_at = len(self._blotter) if is_as_before else NOT_FOUND
        self._never_asked_for = never_asked if is_as_before else None
        comparisons = []
        for scope, breaks in ((ASKED, asked), (NEVER_ASKED, never)):
            there = [each for each in breaks if each.id not in gone]
            if len(there) < len(breaks) or any(each.id in changed for each in there):
                found = [changed.get(each.id) or _as_before(each) for each in there]
                comparisons.append(Comparison(scope, found, is_complete=True))
        return comparisons, late, agreed

    def _look_at_late(
        self, asked: Sequence[Break], gone: set[str], changed: dict[str, Difference]
    ) -> tuple[Column, Column]:
        """Finds trades that were missing and have been reported since.

        Where those stand that the exchange has asked about, and those of them that agree.
        """
        missing = [each for each in asked if each.kind is BreakKind.MISSING_OURS]
        positions = self._blotter.find(self._trades_of(missing))
        is_there = positions != NOT_FOUND
        agrees = np.zeros(len(positions), dtype=bool)
        for row in np.flatnonzero(is_there).tolist():
            each, ours = missing[row], self._blotter.at(positions[row : row + 1])
            words = describe_terms(self._desk.network, ours, 0)
            # Of a trade that is missing all of its amount is at risk.
            if (words, int(ours.amounts[0])) == (each.theirs, each.version.at_risk):
                gone.add(each.id)
                agrees[row] = True
            else:
                kind = _kind_of_words(words, each.theirs)
                changed[each.id] = replace(_as_before(each), kind=kind, ours=words, cause=None)
        is_late = is_there & np.isin(positions, self._blotter.never_asked_for())
        return set_of(positions[is_late]), set_of(positions[is_late & agrees])

    def _standing_among(self, trades: TradeColumns) -> set[str]:
        """The breaks that stand of some of these trades."""
        standing = self._standing(ASKED)
        if not standing or not len(trades):
            return set()
        sought = fingerprints_of(self._trades_of(standing))
        rows = np.flatnonzero(np.isin(fingerprints_of(trades), sought)).tolist()
        names = {f"{ASKED}{describe_trade_id(self._desk.network, trades, row)}" for row in rows}
        return names & {each.id for each in standing}

    def _standing(self, scope: str) -> list[Break]:
        standing = self._desk.break_book.standing()
        return [each for id, each in standing.items() if id.startswith(scope)]

    def _trades_of(self, breaks: Iterable[Break]) -> TradeColumns:
        """The identities of the trades that breaks are of; all else of them is nothing."""
        return TradeColumns.of_rows([self._identity(each.subject) for each in breaks])

    def _identity(self, subject: str) -> list[int]:
        trade = TradeId.parse(subject.removesuffix(CANCEL_MARK))
        values = {
            "dates": trade.trade_date.toordinal(),
            "instruments": self._desk.network.instrument_number(trade.isin),
            "numbers": encode_trade_number(trade.number),
            "cancels": int(subject.endswith(CANCEL_MARK)),
        }
        return [values.get(name, 0) for name in COLUMN_NAMES]

    def _in_words(
        self, kind: BreakKind, trades: TradeColumns, row: int, ours: TradeColumns | None
    ) -> TradeDifference:
        network = self._desk.network
        own = "-" if ours is None else describe_terms(network, ours, 0)
        if ours is not None and kind in (BreakKind.DATE, BreakKind.INSTRUMENT):
            own = f"{describe_trade_id(network, ours, 0)}: {own}"
        if kind is BreakKind.DUPLICATE:
            own = f"{own} (twice)"
        return TradeDifference(
            kind=kind,
            subject=describe_trade_id(network, trades, row),
            ours=own,
            theirs=describe_terms(network, trades, row),
        )

    def _never_asked(self, trades: TradeColumns, row: int) -> Difference:
        subject = describe_trade_id(self._desk.network, trades, row)
        return Difference(
            id=f"{NEVER_ASKED}{subject}",
            kind=BreakKind.MISSING_THEIRS,
            subject=subject,
            ours=describe_terms(self._desk.network, trades, row),
            theirs="-",
            asset=self._instrument(trades, row).isin,
            at_risk=int(trades.amounts[row]),
            currency=self._instrument(trades, row).currency,
        )

    def _worth(
        self, kind: BreakKind, trades: TradeColumns, row: int, ours: TradeColumns | None
    ) -> int:
        """What is in doubt, in minor units: of amounts that differ the difference, else the whole.

        A desk that has the quantity or the price wrong may have the amount right: then it is what
        the quantities at their prices differ by.
        """
        amount = int(trades.amounts[row])
        if ours is None or kind not in _OF_AMOUNTS:
            return amount
        currency = self._instrument(trades, row).currency
        own, theirs = (
            trade_amount(int(each.quantities[place]), int(each.prices[place]), currency)
            for each, place in ((ours, 0), (trades, row))
        )
        return abs(amount - int(ours.amounts[0])) or abs(theirs - own) or amount

    def _instrument(self, trades: TradeColumns, row: int) -> Instrument:
        return self._desk.network.instrument(int(trades.instruments[row]))


def _are_same(now: Column, before: Column | None) -> bool:
    return before is not None and np.array_equal(now, before)


def _kind_of_words(ours: str, theirs: str) -> BreakKind:
    """How terms differ that are at hand in words only, as describe_terms says them."""
    (our_sides, our_terms), (their_sides, their_terms) = (
        words.split(": ") for words in (ours, theirs)
    )
    if our_terms.split(" at ")[0] != their_terms.split(" at ")[0]:
        return BreakKind.QUANTITY
    return BreakKind.ACCOUNT if our_sides != their_sides else BreakKind.AMOUNT


def _as_before(found: Break) -> Difference:
    """The difference of a break that stands, as it was last seen."""
    version = found.version
    return Difference(
        id=found.id,
        kind=version.kind,
        subject=version.subject,
        ours=version.ours,
        theirs=version.theirs,
        asset=version.asset,
        at_risk=version.at_risk,
        currency=version.currency,
        cause=version.cause,
    )
