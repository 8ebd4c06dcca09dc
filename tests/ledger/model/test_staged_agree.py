"""Invariants 1, 3, 4 and 11 while a cycle is staged in parts and everything else goes on."""

from itertools import pairwise

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from contracts.typed_data import InstructionMessage, RedemptionMessage, SetMessage
from ledger.model.settlement import ModelCycle
from tests.support.net_lines import zero_sum
from tests.support.twins import Line, Twins, ref

BROKERS = st.integers(5, 8)
SKEW = st.integers(0, 24)
"""Most are well meant; near 0 something is wrong on purpose."""


class StagedCycles(RuleBasedStateMachine):
    """Cycles opened, staged, settled and aborted, with the accounts in use all the while."""

    @initialize()
    def begin(self) -> None:
        self.twins = Twins()
        self.references = 0
        self.last_id = b""
        for broker in self.twins.brokers:
            lines = [(asset, broker.house, 100) for asset in (1, 2)]
            assert not self.twins.issue(self.twins.registrar, self.fresh(), lines, is_cash=False)
            cash = [(1, broker.house, 1_000)]
            bank = self.twins.actor(broker.bank)
            assert not self.twins.issue(bank, self.fresh(), cash, is_cash=True)

    @property
    def cycle(self) -> ModelCycle | None:
        return self.twins.settlement.open_cycle

    @precondition(lambda self: self.cycle is None)
    @rule(data=st.data(), skew=SKEW)
    def open(self, data: st.DataObject, skew: int) -> None:
        parties = sorted(data.draw(st.sets(BROKERS, min_size=2, max_size=4)))
        securities = zero_sum(data, parties, assets=[1, 2], most=30)
        cash = zero_sum(data, parties, assets=[1], most=300)
        if skew == 0 and cash:
            asset, account, amount = cash[-1]
            cash[-1] = (asset, account, amount + 1)
        again = skew == 1 and self.last_id != b""
        cycle = ModelCycle(
            id=self.last_id if again else self.fresh(),
            root=ref("root"),
            count=3,
            rule_version=1,
            deadline=self.twins.time() + data.draw(st.integers(4, 30)),
            parties=parties,
            securities_lines=securities,
            cash_lines=cash,
            signers=parties,
        )
        self.last_id = cycle.id
        self.twins.open_cycle(self.twins.house, cycle)

    @precondition(lambda self: self.cycle is not None)
    @rule(cash=st.booleans(), skew=SKEW)
    def go_on(self, cash: bool, skew: int) -> None:
        """Stages the next lines, or settles when there are none; sometimes not quite so."""
        assert self.cycle is not None
        rests = {each: self.unstaged(is_cash=each) for each in (True, False)}
        is_cash = cash if rests[cash] else not cash
        lines = rests[is_cash]
        if skew == 0:
            lines = self.cycle.cash_lines if is_cash else self.cycle.securities_lines
        if skew == 1:
            lines = lines[:1]
        if lines and skew != 2:
            self.stage(self.cycle.id, lines, is_cash=is_cash)
        else:
            parties = self.cycle.parties[1:] if skew == 3 else self.cycle.parties
            self.twins.settle_staged(self.twins.house, self.cycle.id, parties)

    def unstaged(self, *, is_cash: bool) -> list[Line]:
        assert self.cycle is not None
        register = self.twins.cash if is_cash else self.twins.securities
        lines = self.cycle.cash_lines if is_cash else self.cycle.securities_lines
        return lines[len(register.staged) :]

    def stage(self, id: bytes, lines: list[Line], *, is_cash: bool) -> None:
        """Staging moves nothing: totals stay, and nobody has more available than before."""
        register = self.twins.cash if is_cash else self.twins.securities
        before = {key: (h.total, h.available) for key, h in register.holdings.items()}
        self.twins.stage(self.twins.house, id, lines, is_cash=is_cash)
        for key, holding in register.holdings.items():
            total, available = before.get(key, (0, 0))
            assert holding.total == total
            assert holding.available <= available

    @precondition(lambda self: self.cycle is not None)
    @rule(skew=SKEW)
    def abort(self, skew: int) -> None:
        assert self.cycle is not None
        sender = self.twins.house if skew < 2 else self.twins.brokers[0]
        self.twins.abort(sender, self.cycle.id)

    @rule(seconds=st.integers(1, 3))
    def wait(self, seconds: int) -> None:
        self.twins.clock.now += seconds

    @rule(seller=BROKERS, buyer=BROKERS, quantity=st.integers(1, 60), amount=st.integers(1, 600))
    def settle_gross(self, seller: int, buyer: int, quantity: int, amount: int) -> None:
        deliverer, receiver = self.twins.actor(seller), self.twins.actor(buyer)
        now = self.twins.time()
        accounts = (deliverer.house, receiver.house)
        terms = InstructionMessage(self.fresh(), *accounts, 1, quantity, 1, amount, 1, now)
        self.twins.settle_instruction(self.twins.house, terms, (deliverer, receiver))

    @rule(data=st.data(), quantity=st.integers(1, 120), amount=st.integers(1, 1_200), gap=SKEW)
    def settle_a_circle(self, data: st.DataObject, quantity: int, amount: int, gap: int) -> None:
        """Everybody delivers to the next one and the last to the first; sometimes not all of it."""
        parties = sorted(data.draw(st.sets(BROKERS, min_size=2, max_size=4)))
        circle = tuple(
            InstructionMessage(
                self.fresh(),
                each << 8,
                after << 8,
                1,
                quantity,
                1,
                amount + (i if gap else 0),
                0,
                0,
            )
            for i, (each, after) in enumerate(pairwise([*parties, parties[0]]))
        )
        message = SetMessage(self.fresh(), circle, tuple(parties), (), 1, self.twins.time())
        self.twins.settle_set(self.twins.house, message, parties)

    @rule(number=BROKERS, amount=st.integers(1, 80), cash=st.booleans(), release=st.booleans())
    def hold(self, number: int, amount: int, cash: bool, release: bool) -> None:
        owner = self.twins.actor(number)
        self.twins.hold(owner, 1, owner.house, amount, is_cash=cash, release=release)

    @rule(number=BROKERS, amount=st.integers(1, 80), cash=st.booleans(), creates=st.booleans())
    def issue_or_redeem(self, number: int, amount: int, cash: bool, creates: bool) -> None:
        owner = self.twins.actor(number)
        issuer = self.twins.actor(owner.bank) if cash else self.twins.registrar
        if creates:
            lines = [(1, owner.house, amount)]
            self.twins.issue(issuer, self.fresh(), lines, is_cash=cash)
        else:
            redemption = RedemptionMessage(self.fresh(), 1, owner.house, amount)
            self.twins.redeem(issuer, redemption, owner, is_cash=cash)

    @rule(data=st.data())
    def settle_net_in_one_call(self, data: st.DataObject) -> None:
        parties = [5, 6]
        cycle = ModelCycle(
            id=self.fresh(),
            root=ref("root"),
            count=1,
            rule_version=1,
            deadline=self.twins.time(),
            parties=parties,
            securities_lines=zero_sum(data, parties, assets=[2], most=30),
            cash_lines=[],
            signers=parties,
        )
        self.twins.settle_cycle(self.twins.house, cycle)

    @invariant()
    def same_balances(self) -> None:
        if hasattr(self, "twins"):
            self.twins.check_balances()

    def fresh(self) -> bytes:
        self.references += 1
        return ref(f"reference {self.references}")


TestStagedCycles = StagedCycles.TestCase
