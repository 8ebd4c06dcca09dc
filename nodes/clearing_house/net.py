"""Net settlement: strike a cycle, have it attested, write it down, settle it.

Until every party has signed, nothing is written: a crash or an abandoned attempt leaves the trades
where they were. Then the cycle, what left it and the signed transaction are one commit.
"""

from dataclasses import dataclass
from logging import INFO
from typing import Final

import numpy as np

from contracts.clients.settlement import gas_of_cycle
from ledger.books import cycles as records
from ledger.books.cycles import CycleRecords
from ledger.books.intake import CANCELLED, Intake, TradeStanding, Window
from ledger.books.postings import Register
from ledger.books.tables import CycleRow
from ledger.clearing.columns import TradeColumns, are_of, participants_of
from ledger.clearing.trimming import Available
from ledger.domain.reasons import Reason
from ledger.domain.rules import SECURITIES_GROSS, Rules
from ledger.logs import logger_of
from nodes.clearing_house.asking import Unsigned, ask_to_sign
from nodes.clearing_house.committed import salt_secret_of
from nodes.clearing_house.cycle import Cut, CycleTerms, Proposal, cut, cycle_id, rows_that_fit
from nodes.clearing_house.cycle_watch import SUBMITTED, CycleWatch
from nodes.clearing_house.desk import InstructionDesk
from nodes.clearing_house.observer import NO_OBSERVER, CycleObserver, Stage
from nodes.clearing_house.signed_cycle import pack_signed, row_of, unpack_signed
from nodes.clearing_house.staged import deliver_staged, fits_one_call, intents_of, put_staged
from nodes.engine import Outcome
from nodes.messages import SignedCycle
from nodes.network import RULE_VERSION
from nodes.node import Node
from nodes.notices import keepers
from nodes.trade_words import describe_trade_id

_NOTICE: Final = "cycle"

log = logger_of(__name__)


@dataclass(frozen=True, slots=True)
class _Agreed:
    """A cut that everybody signed; without a proposal when no trade was left in it."""

    cut: Cut
    proposal: Proposal | None
    signatures: dict[int, bytes]


class NetSettlement:
    """Cycles of the clearing house."""

    def __init__(
        self,
        house: Node,
        intake: Intake,
        cycles: CycleRecords,
        desk: InstructionDesk,
        rules: Rules,
    ) -> None:
        self._house = house
        self._intake = intake
        self._cycles = cycles
        self._desk = desk
        self._book = desk.book
        self._rules = rules
        self._is_gross = rules.dvp_model == SECURITIES_GROSS
        self.observer: CycleObserver = NO_OBSERVER
        self.watch = CycleWatch(house.around.clock)
        house.notices.serve(_NOTICE, lambda number: unpack_signed(cycles.signed(int(number))))

    def waiting(self) -> int:
        """How many captured trades no cycle covers yet."""
        return self._intake.stream.end_position - self._cycles.watermark()

    def close(self) -> CycleRow | None:
        """Strikes the next cycle and settles it; None when no trade is waiting.

        The returned cycle has settled, or was empty, or was abandoned: its trades then wait for the
        next one.
        """
        self._desk.decide()
        window = self._next_window()
        if window is None:
            return None
        started = self._house.around.clock.stopwatch_ns()
        number = self._cycles.next_number()
        self._begun(number, window)
        agreed = self._agree(window, number)
        if agreed is None:
            abandoned = self._write_abandoned(window, number)
            self.watch.over(number)
            return abandoned
        self._write_down(agreed, number)
        self._log("cycle.signed" if agreed.proposal else "cycle.empty", number)
        if agreed.proposal is not None:
            self.watch.reached(SUBMITTED, number, len(agreed.cut.trades))
            self.settle(number)
            finality_ns = self._house.around.clock.stopwatch_ns() - started
            with self._house.database.transaction() as session:
                self._cycles.change(session, number, finality_ns=finality_ns)
        self.watch.over(number)
        return self._cycles.get(number)

    def dry_run(self) -> Cut | None:
        """The cycle as it would be cut if it were struck now, everybody attesting; None: no trade.

        Changes nothing, and asks nobody.
        """
        window = self._next_window()
        return None if window is None else cut(window, self._of_suspended(window), self.available())

    def signed(self, number: int) -> SignedCycle | None:
        """A cycle as its parties have signed it; None when they never did."""
        payload = self._cycles.signed(number)
        return unpack_signed(payload) if payload else None

    def transactions(self, number: int, signed: SignedCycle) -> list[bytes]:
        """The hashes of the transactions that settle a signed cycle, in order."""
        found = map(self._house.outbox.hash_of, intents_of(_intent(number), signed))
        return [each for each in found if each is not None]

    def resume(self) -> None:
        """Settles the cycles that were written down before a crash and may not have been sent."""
        for row in self._cycles.all():
            if row.state == records.SUBMITTED:
                self.settle(row.number)

    def settle(self, number: int) -> None:
        """Tells the keepers, sends the cycle in one call or more, and records what became of it."""
        row = self._cycles.get(number)
        assert row is not None
        signed = unpack_signed(row.signed)
        self._house.notices.tell(_NOTICE, str(number), signed)
        if fits_one_call(signed.cycle):
            outcome = self._house.outbox.deliver(_intent(number))
        else:
            outcome = deliver_staged(self._house, _intent(number), signed)
        self._reached(Stage.FINAL, number, signed.cycle.count)
        state = records.SETTLED if outcome.succeeded else records.ABANDONED
        with self._house.database.transaction() as session:
            self._cycles.change(session, number, block=outcome.block, state=state)
            self._house.notices.conclude(session)
        self._house.catch_up()
        self._log(f"cycle.{state}", number, outcome)

    def available(self) -> Available:
        """What the accounts have, as of the last projected block."""
        projection = self._house.projection
        return Available(
            securities=lambda keys: projection.available_of(Register.SECURITIES, keys),
            cash=lambda keys: projection.available_of(Register.CASH, keys),
        )

    def _begun(self, number: int, window: Window) -> None:
        """Says that a cycle is struck."""
        self._reached(Stage.STRUCK, number, len(window.trades))
        places = {"first_position": window.first, "end_position": window.end}
        log.info("cycle.struck", node=self._house.id, cycle=number, **places)

    def _log(self, event: str, number: int, outcome: Outcome | None = None) -> None:
        """Says what has become of a cycle that is written down."""
        if not log.isEnabledFor(INFO):
            return
        row, kept = self._cycles.get(number), self._house.outbox.hash_of(_intent(number))
        assert row is not None
        log.info(
            event,
            node=self._house.id,
            cycle=number,
            cycle_id=f"0x{row.id.hex()}",
            trades=row.trade_count,
            transaction=f"0x{kept.hex()}" if kept else None,
            block=outcome.block if outcome else None,
        )

    def _next_window(self) -> Window | None:
        first = self._cycles.watermark()
        end = min(self._intake.stream.end_position, first + self._rules.cycle_trades_max)
        if first == end:
            return None
        window = self._intake.window(first, end)
        fits = rows_that_fit(window.trades, self._rules.cycle_lines_max, is_gross=self._is_gross)
        return (
            window
            if fits == end - first
            else self._intake.window(first, first + fits, window.trades.take(slice(fits)))
        )

    def _agree(self, window: Window, number: int) -> _Agreed | None:
        """Cuts until everybody left in the cycle has signed; None when that takes too many cuts."""
        excluded = self._of_suspended(window)
        objected: set[int] = set()
        terms = self._terms(number)
        for _ in range(self._rules.recuts_max + 1):
            attempt = cut(window, excluded, self.available())
            if not len(attempt.trades):
                return _Agreed(attempt, None, {})
            self._reached(Stage.NETTED, number, len(attempt.trades))
            proposal = Proposal(attempt, terms)
            self._reached(Stage.COMMITTED, number, len(attempt.trades))
            signatures, unsigned = self._collect(proposal, number)
            if not unsigned:
                self._reached(Stage.ATTESTED, number, len(attempt.trades))
                return _Agreed(attempt, proposal, signatures)
            for party, why in unsigned.items():
                # Who objects again loses all its trades: nobody can spend every cut on its own.
                named = frozenset() if party in objected else why.named
                excluded |= self._objections(attempt, party, Unsigned(why.reason, named))
            objected |= set(unsigned)
        return None

    def _of_suspended(self, window: Window) -> dict[int, Reason]:
        """The trades of suspended participants or assets: nobody settles with or in them."""
        return self._in_unsound(window) | self._with_suspended(window)

    def _in_unsound(self, window: Window) -> dict[int, Reason]:
        unsound = self._book.queue.unsound
        if not unsound:
            return {}
        trades = window.trades
        out = np.isin(trades.instruments, sorted(unsound.instruments))
        for participant, currency in unsound.cash:
            out |= are_of(participant, trades) & (trades.currencies == currency)
        positions = (window.first + window.rows[out[window.rows]]).tolist()
        return dict.fromkeys(positions, Reason.INTEGRITY)

    def _with_suspended(self, window: Window) -> dict[int, Reason]:
        suspended = sorted(self._book.queue.suspended)
        if not suspended:
            return {}
        sides = [
            participants_of(column) for column in (window.trades.sellers, window.trades.buyers)
        ]
        theirs = np.isin(sides[0], suspended) | np.isin(sides[1], suspended)
        positions = (window.first + window.rows[theirs[window.rows]]).tolist()
        return dict.fromkeys(positions, Reason.SUSPENDED)

    def _reached(self, stage: Stage, number: int, trades: int) -> None:
        self.watch.reached(stage.value, number, trades)
        self.observer.reached(stage, number, trades)

    def _collect(
        self, proposal: Proposal, number: int
    ) -> tuple[dict[int, bytes], dict[int, Unsigned]]:
        """The parties' signatures, and why each of the others did not sign."""
        self.watch.asks(number, proposal.cut.parties)
        digest = self._house.settlement_domain().digest(proposal.cycle.struct_hash())
        signatures: dict[int, bytes] = {}
        unsigned: dict[int, Unsigned] = {}
        for party in proposal.cut.parties:
            answer = ask_to_sign(self._house, party, proposal.for_party(party), digest)
            if isinstance(answer, Unsigned):
                unsigned[party] = answer
                self.watch.answered(number, party, answer.reason)
            else:
                signatures[party] = answer
                self.watch.answered(number, party, None)
        return signatures, unsigned

    def _objections(self, attempt: Cut, party: int, why: Unsigned) -> dict[int, Reason]:
        """The party's trades that it named; all of them when it named none that are its own."""
        positions = self._positions_with(attempt, party)
        named = [p for p in positions if self._name(attempt.window, p) in why.named]
        return dict.fromkeys(named or positions, why.reason)

    def _positions_with(self, attempt: Cut, party: int) -> list[int]:
        window = attempt.window
        staying = window.rows[~np.isin(window.first + window.rows, list(attempt.leavers))]
        trades = window.trades.take(staying)
        sellers, buyers = participants_of(trades.sellers), participants_of(trades.buyers)
        theirs = (sellers == party) | (buyers == party)
        positions: list[int] = (window.first + staying[theirs]).tolist()
        return positions

    def _name(self, window: Window, position: int) -> str:
        return describe_trade_id(self._house.network, window.trades, position - window.first)

    def _write_down(self, agreed: _Agreed, number: int) -> None:
        house = self._house
        row = row_of(number, self._cycle_id(number), agreed.cut, records.SUBMITTED)
        window, reasons = agreed.cut.window, agreed.cut.leavers
        leavers = [(p, self._trade(window, p), reasons[p]) for p in sorted(reasons)]
        cancelled = dict.fromkeys(window.cancelled, TradeStanding(CANCELLED))
        with house.database.transaction() as session:
            if agreed.proposal is None:
                row.state = records.EMPTY
            else:
                signed = agreed.proposal.signed(agreed.signatures)
                row.root = signed.cycle.root
                row.securities_lines = signed.cycle.securities_lines.count
                row.signed = pack_signed(signed)
                settlement = house.around.contracts.settlement
                if fits_one_call(signed.cycle):
                    data = settlement.settle_cycle_data(signed.cycle, signed.signatures)
                    gas = gas_of_cycle(signed.cycle)
                    house.outbox.put(session, _intent(number), settlement.address, data, gas)
                else:
                    put_staged(house, session, _intent(number), signed)
                house.notices.put(session, keepers(house.network), _NOTICE, str(number))
            self._cycles.add(session, row)
            self._book.cancel_trades(session, window.cancelled)
            self._intake.note(session, cancelled)
            self._book.enter_trades(session, leavers)

    def _write_abandoned(self, window: Window, number: int) -> CycleRow:
        row = CycleRow(
            number=number,
            id=self._cycle_id(number),
            first_position=window.first,
            end_position=window.end,
            state=records.ABANDONED,
        )
        with self._house.database.transaction() as session:
            self._cycles.add(session, row)
        return row

    def _trade(self, window: Window, position: int) -> TradeColumns:
        return window.trades.take(slice(position - window.first, position - window.first + 1))

    def _cycle_id(self, number: int) -> bytes:
        """A new id, or the last one if nothing has settled under it.

        Parties that signed a version which came to nothing are still bound to its id. Since an id
        settles once, whatever version, they may sign another one under the same id at once.
        """
        last = self._cycles.get(number - 1)
        if last is not None and last.state in (records.ABANDONED, records.EMPTY):
            return last.id
        settlement = self._house.around.contracts.addresses.settlement
        return cycle_id(self._house.network.chain_id, settlement, number)

    def _terms(self, number: int) -> CycleTerms:
        house = self._house
        return CycleTerms(
            id=self._cycle_id(number),
            rule_version=RULE_VERSION,
            deadline=house.around.engine.chain_time() + self._rules.cycle_validity_seconds,
            salt_secret=salt_secret_of(house.key),
            is_gross=self._is_gross,
        )


def _intent(number: int) -> str:
    return f"cycle:{number}"
