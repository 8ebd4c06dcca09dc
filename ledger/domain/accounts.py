"""Accounts and holdings as numbers, the same on the chain: one place for their bits.

An account is its participant's number times 256 plus a sub-account: 0 for the house, from 1 for its
clients. A holding's key is the number of the asset times 2**32 plus the account.
"""

from typing import Final

ACCOUNT_BITS: Final = 32
SUB_ACCOUNT_BITS: Final = 8
ACCOUNT_MASK: Final = (1 << ACCOUNT_BITS) - 1
SUB_ACCOUNTS_MAX: Final = 1 << SUB_ACCOUNT_BITS
"""Accounts of one participant, its house account among them."""


def account_number(participant: int, sub_account: int = 0) -> int:
    """A participant's house account, or one of its clients' accounts."""
    return (participant << SUB_ACCOUNT_BITS) | sub_account


def participant_of(account: int) -> int:
    """The participant that an account belongs to."""
    return account >> SUB_ACCOUNT_BITS


def holding_key(asset: int, account: int) -> int:
    """Where an account's holding of an asset is kept."""
    return (asset << ACCOUNT_BITS) | account


def asset_of(key: int) -> int:
    """The asset of a holding."""
    return key >> ACCOUNT_BITS


def account_of(key: int) -> int:
    """The account of a holding."""
    return key & ACCOUNT_MASK


def holder_of(key: int) -> int:
    """The participant whose holding this is."""
    return participant_of(account_of(key))
