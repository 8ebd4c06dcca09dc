"""Invariant 11: contracts and reference model agree after every step, whatever is tried."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from contracts.typed_data import InstructionMessage, RedemptionMessage, SetMessage
from ledger.model.registers import Move
from ledger.model.settlement import ModelCycle
from tests.support.net_lines import zero_sum
from tests.support.twins import INSTRUMENTS, START, Actor, Line, Twins, ref, terms_of

NUMBERS = st.integers(1, 8)
ASSETS = st.integers(0, len(INSTRUMENTS) + 1)
SMALL = st.integers(0, 120)
SUB = st.integers(0, 1)
SKEW = st.integers(0, 9)
"""Nine of ten are well meant; at 0 something is wrong on purpose."""


class ContractsAndModel(RuleBasedStateMachine):
    """Everything a participant can send, well meant or not, to both sides at once."""

    @initialize()
    def begin(self) -> None:
        self.twins = Twins()
        self.references = 0
        self.settled_before: list[InstructionMessage] = []
        for broker in self.twins.brokers:
            lines = [(asset, broker.house, 100) for asset in (1, 2)]
            assert not self.twins.issue(self.twins.registrar, self.fresh(), lines, is_cash=False)
            bank = self.twins.actor(broker.bank)
            cash = [(1, broker.house, 1_000), (1, broker.client, 500)]
            assert not self.twins.issue(bank, self.fresh(), cash, is_cash=True)

    def fresh(self) -> bytes:
        self.references += 1
        return ref(f"reference {self.references}")

    @rule(number=NUMBERS, asset=ASSETS, amount=SMALL, sub=SUB, cash=st.booleans(), skew=SKEW)
    def issue(self, number: int, asset: int, amount: int, sub: int, cash: bool, skew: int) -> None:
        owner = self.twins.actor(number)
        issuer = self.twins.actor(owner.bank) if cash and owner.bank else self.twins.registrar
        sender = owner if skew == 0 else issuer
        reference = ref("reference 1") if skew == 1 else self.fresh()
        account = owner.house | sub
        lines: list[Line] = [(asset, account, amount)]
        if skew == 2:
            lines = [(2, account, 5), (1, account, 5)]
        self.twins.issue(sender, reference, lines, is_cash=cash)

    @rule(number=NUMBERS, asset=ASSETS, amount=SMALL, cash=st.booleans(), skew=SKEW)
    def redeem(self, number: int, asset: int, amount: int, cash: bool, skew: int) -> None:
        owner = self.twins.actor(number)
        issuer = self.twins.actor(owner.bank) if cash and owner.bank else self.twins.registrar
        redemption = RedemptionMessage(self.fresh(), asset, owner.house, amount)
        signer = self.twins.house if skew == 0 else owner
        self.twins.redeem(
            self.twins.house if skew == 1 else issuer, redemption, signer, is_cash=cash
        )

    @rule(
        number=NUMBERS,
        asset=ASSETS,
        amount=SMALL,
        cash=st.booleans(),
        release=st.booleans(),
        skew=SKEW,
    )
    def hold(
        self, number: int, asset: int, amount: int, cash: bool, release: bool, skew: int
    ) -> None:
        owner = self.twins.actor(number)
        sender = self.twins.house if skew == 0 else owner
        self.twins.hold(sender, asset, owner.house, amount, is_cash=cash, release=release)

    @rule(number=st.integers(0, 9), reinstate=st.booleans(), skew=SKEW)
    def suspend(self, number: int, reinstate: bool, skew: int) -> None:
        sender = self.twins.registrar if skew == 0 else self.twins.house
        self.twins.suspend(sender, number, reinstate=reinstate)

    @rule(
        seller=st.integers(5, 8),
        buyer=st.integers(5, 8),
        asset=ASSETS,
        quantity=SMALL,
        amount=SMALL,
        sub=SUB,
        skew=SKEW,
    )
    def settle_gross(
        self,
        seller: int,
        buyer: int,
        asset: int,
        quantity: int,
        amount: int,
        sub: int,
        skew: int,
    ) -> None:
        deliverer, receiver = self.twins.actor(seller), self.twins.actor(buyer)
        signers: tuple[Actor, Actor] = (deliverer, receiver)
        if skew == 0:
            signers = (receiver, receiver)
        if skew == 1:
            signers = (deliverer, self.twins.house)
        sender = deliverer if skew == 2 else self.twins.house
        instruction = InstructionMessage(
            id=ref("reference 1") if skew == 3 else self.fresh(),
            deliverer=deliverer.house,
            receiver=receiver.house | sub,
            instrument=asset,
            quantity=quantity,
            currency=1,
            amount=amount,
            rule_version=2 if skew == 4 else 1,
            deadline=START - 1 if skew == 5 else START + 100,
        )
        self.twins.settle_instruction(sender, instruction, signers)

    @rule(data=st.data(), skew=st.integers(0, 15))
    def settle_net(self, data: st.DataObject, skew: int) -> None:
        parties = sorted(data.draw(st.sets(st.integers(5, 8), min_size=2, max_size=4)))
        securities = zero_sum(data, parties, assets=[1, 2], most=40)
        moves = self.draw_moves(data, parties)
        cash = zero_sum(data, parties, assets=[1], most=200)
        signers = list(parties)
        if skew == 0:
            signers[0] = 1
        if skew == 1 and securities:
            securities[0] = (securities[0][0], securities[0][1], securities[0][2] + 1)
        if skew == 2:
            securities.reverse()
        if skew == 3:
            signers.pop()
        if skew == 4:
            parties, signers = parties[1:], signers[1:]
        if skew == 5:
            parties, signers = parties[::-1], signers[::-1]
        if skew == 11:
            parties, signers = [], []
        if skew == 12 and securities:
            securities[-1] = (securities[-1][0], 1_024 << 8, securities[-1][2])
        cycle = ModelCycle(
            id=ref("cycle 1") if skew == 6 else self.fresh(),
            root=ref("root"),
            count=0 if skew == 7 else 3,
            rule_version=2 if skew == 8 else 1,
            deadline=START - 1 if skew == 9 else START + 100,
            parties=parties,
            securities_lines=securities,
            cash_lines=cash,
            signers=signers,
            moves=moves,
        )
        self.twins.settle_cycle(self.twins.registrar if skew == 10 else self.twins.house, cycle)

    def draw_moves(self, data: st.DataObject, parties: list[int]) -> list[Move] | None:
        """What trades deliver, for a cycle under DvP model 2; none for one under model 3."""
        if data.draw(st.booleans()):
            return None
        sides = st.sampled_from([party << 8 for party in parties])
        amounts = st.integers(0, 60).filter(lambda amount: amount != 1)
        move = st.tuples(st.sampled_from([1, 1, 2, 4]), sides, sides, amounts)
        return data.draw(st.lists(move, max_size=6))

    @rule(data=st.data(), skew=st.integers(0, 19))
    def settle_together(self, data: st.DataObject, skew: int) -> None:
        """Instructions that may go round in circles, and lack more or less."""
        drawn = [self.draw_instruction(data) for _ in range(data.draw(st.integers(0, 5)))]
        drawn += self.once_more(drawn, skew)
        owing = {self.actor_of(m.deliverer) for m in drawn if m.quantity}
        owing |= {self.actor_of(m.receiver) for m in drawn if m.amount}
        sides = {self.actor_of(account) for m in drawn for account in (m.deliverer, m.receiver)}
        parties, receivers = sorted(owing), sorted(sides - owing)
        signers = list(parties)
        if skew == 2 and parties:
            parties, signers = parties[1:], signers[1:]
        if skew == 3 and signers:
            signers[-1] = 1
        if skew == 4:
            receivers = receivers[1:]
        if skew == 5:
            parties, signers, receivers = parties[::-1], signers[::-1], receivers[::-1]
        if skew == 6:
            signers = signers[1:]
        if skew == 7:
            receivers.append(99)
        message = SetMessage(
            id=self.fresh(),
            instructions=tuple(drawn),
            parties=tuple(parties),
            receivers=tuple(receivers),
            rule_version=2 if skew == 8 else 1,
            deadline=START - 1 if skew == 9 else START + 100,
        )
        sender = self.twins.registrar if skew == 10 else self.twins.house
        before = self.totals()
        if not self.twins.settle_set(sender, message, signers):
            self.settled_before += drawn
        assert self.totals() == before, "invariant 1: a set creates and destroys nothing"
        for each in drawn:
            settled = self.twins.contracts.settlement.is_settled(each.terms_hash())
            assert settled == (terms_of(each) in self.twins.settlement.settled_instructions)

    def once_more(self, drawn: list[InstructionMessage], skew: int) -> list[InstructionMessage]:
        """One that stands in the set twice, or that has settled before."""
        again: dict[int, list[InstructionMessage]] = {0: drawn[:1], 1: self.settled_before[:1]}
        return again.get(skew, [])

    def draw_instruction(self, data: st.DataObject) -> InstructionMessage:
        deliverer, receiver = data.draw(st.lists(st.integers(5, 8), min_size=2, max_size=2))
        return InstructionMessage(
            id=self.fresh(),
            deliverer=deliverer << 8,
            receiver=receiver << 8 | data.draw(SUB),
            instrument=data.draw(st.sampled_from([1, 1, 1, 2, 3])),
            quantity=data.draw(st.sampled_from([0, 1, 30, 90, 150])),
            currency=data.draw(st.sampled_from([1, 1, 1, 2])),
            amount=data.draw(st.sampled_from([0, 1, 400, 900, 1_500])),
            rule_version=0,
            deadline=0,
        )

    @staticmethod
    def actor_of(account: int) -> int:
        return account >> 8

    def totals(self) -> dict[tuple[bool, int], int]:
        """What there is of each asset."""
        return {
            (is_cash, asset): sum(h.total for (a, _), h in register.holdings.items() if a == asset)
            for is_cash, register in ((True, self.twins.cash), (False, self.twins.securities))
            for asset in range(1, register.asset_count + 1)
        }

    @invariant()
    def same_balances(self) -> None:
        if hasattr(self, "twins"):
            self.twins.check_balances()


TestContractsAndModel = ContractsAndModel.TestCase
