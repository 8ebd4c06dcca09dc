"""A movement of one asset in one account, as those speak of it who ask for it."""

from dataclasses import dataclass

from ledger.books.postings import Register


@dataclass(frozen=True, slots=True)
class Movement:
    """An amount of one asset of one account: brought in, taken out, or set aside by its owner.

    ``reference`` is 32 bytes and names it for good; amounts are units or minor units.
    """

    reference: bytes
    register: Register
    asset: int
    account: int
    amount: int
