"""Reference model of participants and of the two registers of holdings."""

from dataclasses import dataclass, field

from ledger.domain.accounts import participant_of
from ledger.domain.amounts import SUPPLY_MAX
from ledger.domain.participants import Role
from ledger.domain.reasons import Rejected
from ledger.model import refuse

Line = tuple[int, int, int]
"""Asset, account, signed amount."""

Move = tuple[int, int, int, int]
"""Asset, debtor, creditor, amount."""

AVAILABLE_END = 2**64
"""No holding may reach this, not even between the credits and the debits of a set."""

PARTICIPANTS_END = 1_024
"""Net lines can only name participants below this number."""


@dataclass(slots=True)
class Holding:
    """What an account holds of an asset. ``earmarked`` is held for a cycle that is being staged."""

    available: int = 0
    set_aside: int = 0
    earmarked: int = 0

    @property
    def held(self) -> int:
        """What the account cannot use now: set aside by its owner, or earmarked."""
        return self.set_aside + self.earmarked

    @property
    def total(self) -> int:
        """Available and held."""
        return self.available + self.held


@dataclass(slots=True)
class Member:
    """A participant, by number."""

    role: Role
    settlement_bank: int
    suspended: bool = False


@dataclass(slots=True)
class Members:
    """Who takes part."""

    by_number: dict[int, Member] = field(default_factory=dict)

    def admit(self, role: Role, settlement_bank: int) -> int:
        """Admits a participant; returns its number."""
        number = len(self.by_number) + 1
        self.by_number[number] = Member(role, settlement_bank)
        return number

    def has_role(self, number: int, role: Role) -> bool:
        """Whether a participant in good standing has this role."""
        member = self.by_number.get(number)
        return member is not None and member.role is role and not member.suspended

    def suspend(self, sender: int, number: int) -> Rejected | None:
        """Suspends a participant."""
        member = self.by_number.get(sender)
        if member is None or member.role is not Role.CLEARING_HOUSE:
            return refuse("participants: not the clearing house")
        if number not in self.by_number:
            return refuse("participants: unknown")
        if self.by_number[number].suspended:
            return refuse("participants: suspended")
        self.by_number[number].suspended = True
        return None

    def reinstate(self, sender: int, number: int) -> Rejected | None:
        """Reinstates a participant."""
        member = self.by_number.get(sender)
        if member is None or member.role is not Role.CLEARING_HOUSE:
            return refuse("participants: not the clearing house")
        if number not in self.by_number or not self.by_number[number].suspended:
            return refuse("participants: not suspended")
        self.by_number[number].suspended = False
        return None

    def check_active(self, number: int) -> Rejected | None:
        """Refuses a participant that is unknown or suspended."""
        if number not in self.by_number:
            return refuse("participants: unknown")
        if self.by_number[number].suspended:
            return refuse("participants: suspended")
        return None


@dataclass(slots=True)
class Register:
    """Holdings of one kind of asset. Accounts are numbers (ledger.domain.accounts)."""

    members: Members
    issuing_role: Role
    asset_count: int = 0
    issued: dict[int, int] = field(default_factory=dict)
    used_references: set[bytes] = field(default_factory=set)
    holdings: dict[tuple[int, int], Holding] = field(default_factory=dict)
    staged_parts: list[list[Line]] = field(default_factory=list)

    @property
    def staged(self) -> list[Line]:
        """What is staged of the open cycle."""
        return [line for part in self.staged_parts for line in part]

    def holding(self, asset: int, account: int) -> Holding:
        """The holding, opened when there is none."""
        return self.holdings.setdefault((asset, account), Holding())

    def available(self, asset: int, account: int) -> int:
        """What an account has available, without opening a holding."""
        holding = self.holdings.get((asset, account))
        return holding.available if holding else 0

    def issue(self, sender: int, reference: bytes, lines: list[Line]) -> Rejected | None:
        """Creates amounts: lines of asset, account, amount, in ascending order."""
        refusal = self._check_issuer(sender, [account for _, account, _ in lines])
        if refusal:
            return refusal
        if reference in self.used_references:
            return refuse("holdings: reference in use")
        issued = dict(self.issued)
        previous = (0, 0)
        for asset, account, amount in lines:
            if (asset, account) <= previous:
                return refuse("holdings: lines out of order")
            previous = (asset, account)
            if not 0 < asset <= self.asset_count:
                return refuse("holdings: unknown asset")
            if amount == 0:
                return refuse("holdings: no amount")
            issued[asset] = issued.get(asset, 0) + amount
            if issued[asset] > SUPPLY_MAX:
                return refuse("holdings: issue above the cap")
        # From here the issue must succeed.
        self.used_references.add(reference)
        self.issued = issued
        for asset, account, amount in lines:
            self.holding(asset, account).available += amount
        return None

    def redeem(
        self,
        sender: int,
        reference: bytes,
        asset: int,
        account: int,
        amount: int,
        *,
        owner_signed: bool,
    ) -> Rejected | None:
        """Destroys an amount of an account whose owner signed for it."""
        refusal = self._check_issuer(sender, [account])
        if refusal and refusal.detail != "participants: unknown":
            return refusal
        if participant_of(account) not in self.members.by_number:
            return refuse("participants: unknown")
        if not owner_signed:
            return refuse("register: not signed by the owner")
        if reference in self.used_references:
            return refuse("holdings: reference in use")
        if amount == 0:
            return refuse("holdings: no amount")
        if not 0 < asset <= self.asset_count:
            return refuse("holdings: unknown asset")
        if self.available(asset, account) < amount:
            return refuse("holdings: short")
        self.used_references.add(reference)
        self.holding(asset, account).available -= amount
        self.issued[asset] -= amount
        return None

    def hold(self, sender: int, asset: int, account: int, amount: int) -> Rejected | None:
        """Sets an amount of the sender's account aside."""
        refusal = self._check_own(sender, asset, account, amount)
        if refusal:
            return refusal
        if self.available(asset, account) < amount:
            return refuse("holdings: short")
        holding = self.holding(asset, account)
        holding.available -= amount
        holding.set_aside += amount
        return None

    def release(self, sender: int, asset: int, account: int, amount: int) -> Rejected | None:
        """Makes a held amount of the sender's account available again."""
        refusal = self._check_own(sender, asset, account, amount)
        if refusal:
            return refusal
        if self.holding(asset, account).set_aside < amount:
            return refuse("holdings: not held")
        holding = self.holding(asset, account)
        holding.available += amount
        holding.set_aside -= amount
        return None

    def check_transfer(self, asset: int, debtor: int, amount: int) -> Rejected | None:
        """Refuses a transfer that the debtor cannot cover."""
        if not 0 < asset <= self.asset_count:
            return refuse("holdings: unknown asset")
        if self.available(asset, debtor) < amount:
            return refuse("holdings: short")
        return None

    def transfer(self, asset: int, debtor: int, creditor: int, amount: int) -> None:
        """Moves an amount; the caller has checked it."""
        self.holding(asset, debtor).available -= amount
        self.holding(asset, creditor).available += amount

    def check_moves(self, moves: list[Move]) -> Rejected | None:
        """Refuses moves that, all together, leave somebody short."""
        after: dict[tuple[int, int], int] = {}
        for asset, _, creditor, amount in moves:
            if amount == 0:
                return refuse("holdings: no amount")
            if not 0 < asset <= self.asset_count:
                return refuse("holdings: unknown asset")
            key = (asset, creditor)
            after[key] = after.get(key, self.available(*key)) + amount
            if after[key] >= AVAILABLE_END:
                return refuse("holdings: overflow")
        for asset, debtor, _, amount in moves:
            key = (asset, debtor)
            after[key] = after.get(key, self.available(*key)) - amount
            if after[key] < 0:
                return refuse("holdings: short")
        return None

    def move(self, moves: list[Move]) -> None:
        """Moves many amounts; the caller has checked them."""
        for asset, debtor, creditor, amount in moves:
            self.transfer(asset, debtor, creditor, amount)

    def check_lines(self, lines: list[Line]) -> Rejected | None:
        """Refuses net lines that are not in order, balanced, covered."""
        return self._check_part([], lines) or self.check_closed(lines)

    def check_staging(self, lines: list[Line]) -> Rejected | None:
        """Refuses lines that cannot follow those that are staged already."""
        return self._check_part(self.staged, lines)

    def check_closed(self, lines: list[Line]) -> Rejected | None:
        """Refuses lines whose last asset does not add up to zero."""
        closed = sum(amount for asset, _, amount in lines if asset == lines[-1][0]) == 0
        return None if closed else refuse("holdings: not zero-sum")

    def stage(self, lines: list[Line]) -> None:
        """Earmarks the debits of further lines of a cycle; the caller has checked them."""
        for asset, account, amount in lines:
            self._earmark(asset, account, max(-amount, 0))
        self.staged_parts.append(lines)

    def book_staged(self) -> None:
        """Books everything that is staged; the caller has checked it."""
        lines = self.staged
        self.drop_staged()
        self.book(lines)

    def drop_staged(self) -> None:
        """Gives back what is earmarked and forgets what is staged."""
        for asset, account, amount in self.staged:
            self._earmark(asset, account, -max(-amount, 0))
        self.staged_parts = []

    def _earmark(self, asset: int, account: int, amount: int) -> None:
        holding = self.holding(asset, account)
        holding.available -= amount
        holding.earmarked += amount

    def _check_part(self, before: list[Line], lines: list[Line]) -> Rejected | None:
        *previous, _ = before[-1] if before else (0, 0, 0)
        current = previous[0]
        sums = sum(amount for asset, _, amount in before if asset == current)
        for asset, account, amount in lines:
            if [asset, account] <= previous:
                return refuse("holdings: lines out of order")
            previous = [asset, account]
            if asset != current:
                if sums != 0:
                    return refuse("holdings: not zero-sum")
                current, sums = asset, 0
            if amount == 0:
                return refuse("holdings: no amount")
            if amount < 0 and self.available(asset, account) < -amount:
                return refuse("holdings: short")
            if participant_of(account) >= PARTICIPANTS_END:
                return refuse("holdings: unknown participant")
            sums += amount
        return None

    def book(self, lines: list[Line]) -> None:
        """Books net lines; the caller has checked them."""
        for asset, account, amount in lines:
            self.holding(asset, account).available += amount

    def _check_own(self, sender: int, asset: int, account: int, amount: int) -> Rejected | None:
        if participant_of(account) not in self.members.by_number:
            return refuse("participants: unknown")
        if participant_of(account) != sender:
            return refuse("register: not the owner")
        if amount == 0:
            return refuse("holdings: no amount")
        if not 0 < asset <= self.asset_count:
            return refuse("holdings: unknown asset")
        return None

    def _check_issuer(self, sender: int, accounts: list[int]) -> Rejected | None:
        if self.issuing_role is Role.REGISTRAR:
            if not self.members.has_role(sender, Role.REGISTRAR):
                return refuse("securities: not the registrar")
            unknown = any(
                participant_of(account) not in self.members.by_number for account in accounts
            )
            return refuse("participants: unknown") if unknown else None
        if not self.members.has_role(sender, Role.BANK):
            return refuse("cash: not a bank")
        for account in accounts:
            member = self.members.by_number.get(participant_of(account))
            if member is None or member.settlement_bank != sender:
                return refuse("cash: not the settlement bank")
        return None
