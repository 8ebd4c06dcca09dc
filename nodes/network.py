"""A network: who takes part, what is traded, and the numbers that the chain gives to all of them.

The order of participants, instruments and currencies is their number on the chain, from 1; the
bootstrap registers them in this order and the numbers are checked against the chain afterwards.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Final

import msgspec

from ledger.domain.accounts import SUB_ACCOUNTS_MAX, account_number
from ledger.domain.errors import MalformedError
from ledger.domain.identifiers import owner_of, parse_account, parse_isin, parse_participant
from ledger.domain.participants import Instrument, Participant, Role
from ledger.domain.rulebook import RULEBOOK_VERSION

CHAIN_ID: Final = 668_283
RULE_VERSION: Final = RULEBOOK_VERSION
"""The settlement contract is founded with it; every cycle and instruction is signed for it."""
PARTICIPANTS_MAX: Final = 1_023
"""As many as the contracts number."""
ACCOUNTS_A_PARTICIPANT_MAX: Final = SUB_ACCOUNTS_MAX - 1
"""Client accounts, beside the house account."""
FIRST_DATE: Final = date(1970, 1, 1)
"""Chain time begins here."""
INFRASTRUCTURE: Final = {
    Role.EXCHANGE: "EXCHANGE",
    Role.CLEARING_HOUSE: "CLEARING-HOUSE",
    Role.REGISTRAR: "REGISTRAR",
}
"""Who takes the roles of which there is one, where nobody else is named for them."""
TRADING_ROLES: Final = (Role.BROKER, Role.BANK)
_SOLE_ROLES: Final = (Role.EXCHANGE, Role.CLEARING_HOUSE, Role.REGISTRAR)


class Network(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A network as it is founded. Everything in it is fixed for the life of its chain.

    Attributes:
        seed: from which the sandbox keys follow.
        venue: code of the exchange in trade ids.
        accounts: client accounts beside the house accounts, as PARTICIPANT/NAME.
        dense_sequence: the venue numbers the trades of an instrument and day 1, 2, 3 and so on, so
            that a number that is missing is a trade that is missing.
    """

    seed: str
    venue: str
    business_date: date
    participants: tuple[Participant, ...]
    instruments: tuple[Instrument, ...]
    currencies: tuple[str, ...]
    accounts: tuple[str, ...] = ()
    chain_id: int = CHAIN_ID
    dense_sequence: bool = False

    def check(self) -> None:
        """Raises MalformedError when the network is not consistent."""
        ids = [parse_participant(participant.id) for participant in self.participants]
        _check_unique("participant ids", ids)
        _check_unique("ISINs", [parse_isin(instrument.isin) for instrument in self.instruments])
        _check_unique("accounts", [parse_account(account) for account in self.accounts])
        self._check_limits()
        for role in _SOLE_ROLES:
            if len(self.of_role(role)) != 1:
                raise MalformedError(f"one {role.value}", [p.id for p in self.of_role(role)])
        banks = {bank.id for bank in self.of_role(Role.BANK)}
        for participant in self.participants:
            if participant.settlement_bank not in {None, *banks}:
                raise MalformedError(
                    f"a bank of the network for {participant.id}", participant.settlement_bank
                )
        for instrument in self.instruments:
            if instrument.currency not in self.currencies:
                raise MalformedError(
                    f"a currency of the network for {instrument.isin}", instrument.currency
                )
        for account in self.accounts:
            if owner_of(account) not in ids:
                raise MalformedError("an account of a participant", account)

    def _check_limits(self) -> None:
        if self.business_date < FIRST_DATE:
            raise MalformedError(f"a business date from {FIRST_DATE} on", str(self.business_date))
        if len(self.participants) > PARTICIPANTS_MAX:
            raise MalformedError(f"at most {PARTICIPANTS_MAX} participants", len(self.participants))
        for owner, count in Counter(map(owner_of, self.accounts)).items():
            if count > ACCOUNTS_A_PARTICIPANT_MAX:
                expected = f"at most {ACCOUNTS_A_PARTICIPANT_MAX} client accounts of {owner}"
                raise MalformedError(expected, count)

    def of_role(self, role: Role) -> list[Participant]:
        """The participants in a role."""
        return [participant for participant in self.participants if participant.role is role]

    def sole(self, role: Role) -> str:
        """The id of the one exchange, clearing house or registrar."""
        assert role in _SOLE_ROLES
        return self.of_role(role)[0].id

    def banks(self) -> list[str]:
        """The ids of the settlement banks."""
        return [bank.id for bank in self.of_role(Role.BANK)]

    def participant(self, participant_id: str) -> Participant:
        """A participant. Raises KeyError when there is none of this id."""
        return self.participants[self._number_by_participant[participant_id] - 1]

    def trades(self, account: str) -> bool:
        """Whether an account is of somebody who trades: a broker or a bank. Raises KeyError."""
        return self.participant(owner_of(account)).role in TRADING_ROLES

    def participant_number(self, participant_id: str) -> int:
        """The number of a participant on the chain. Raises KeyError."""
        return self._number_by_participant[participant_id]

    def participant_id(self, number: int) -> str:
        """The participant of a number."""
        return self.participants[number - 1].id

    def account_number(self, account: str) -> int:
        """The number of an account on the chain. Raises KeyError."""
        return self._number_by_account[account]

    def account_id(self, number: int) -> str:
        """The account of a number. Raises KeyError."""
        return self._account_by_number[number]

    def account_ids(self) -> list[str]:
        """All accounts, by number."""
        return [account for _, account in sorted(self._account_by_number.items())]

    def instrument_number(self, isin: str) -> int:
        """The number of an instrument in the securities register. Raises KeyError."""
        return self._number_by_isin[isin]

    def instrument(self, number: int) -> Instrument:
        """The instrument of a number. Raises IndexError."""
        if number < 1:
            raise IndexError(number)
        return self.instruments[number - 1]

    def currency_number(self, currency: str) -> int:
        """The number of a currency in the cash register."""
        return self.currencies.index(currency) + 1

    def currency(self, number: int) -> str:
        """The currency of a number. Raises IndexError."""
        if number < 1:
            raise IndexError(number)
        return self.currencies[number - 1]

    @cached_property
    def _number_by_participant(self) -> dict[str, int]:
        return {participant.id: i for i, participant in enumerate(self.participants, start=1)}

    @cached_property
    def _number_by_isin(self) -> dict[str, int]:
        return {instrument.isin: i for i, instrument in enumerate(self.instruments, start=1)}

    @cached_property
    def _number_by_account(self) -> dict[str, int]:
        numbers = {id: account_number(number) for id, number in self._number_by_participant.items()}
        used = dict.fromkeys(self._number_by_participant, 0)
        for account in self.accounts:
            used[owner_of(account)] += 1
            numbers[account] = numbers[owner_of(account)] + used[owner_of(account)]
        assert max(used.values(), default=0) <= ACCOUNTS_A_PARTICIPANT_MAX
        return numbers

    @cached_property
    def _account_by_number(self) -> dict[int, str]:
        return {number: account for account, number in self._number_by_account.items()}


def with_infrastructure(
    participants: Sequence[Participant], default_ids: Mapping[Role, str] = INFRASTRUCTURE
) -> tuple[Participant, ...]:
    """Participants, with those added whose role nobody has.

    Traders without a settlement bank get the banks in turn; a bank keeps its own cash.
    """
    roles = {participant.role for participant in participants}
    added = [Participant(id, role) for role, id in default_ids.items() if role not in roles]
    everybody = [*participants, *added]
    banks = [participant.id for participant in everybody if participant.role is Role.BANK]
    completed, turn = [], 0
    for participant in everybody:
        bank = participant.settlement_bank
        if bank is None and participant.role is Role.BANK:
            bank = participant.id
        elif bank is None:
            bank, turn = banks[turn % len(banks)], turn + 1
        completed.append(Participant(participant.id, participant.role, bank, participant.name))
    return tuple(completed)


def _check_unique(what: str, values: Iterable[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise MalformedError(f"{what} without repetition", value)
        seen.add(value)
