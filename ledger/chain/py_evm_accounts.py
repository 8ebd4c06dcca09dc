"""Accounts and slots as py-evm sees them while one block runs, over the state before the block.

py-evm's own account database keeps Merkle-Patricia tries, which our state root does not use, and
begins anew after each transaction. This one is three dictionaries and a list of what to undo, and
lives as long as a block does.
"""

from collections.abc import Hashable
from typing import Any, Final

from eth.abc import AccountDatabaseAPI, MetaWitnessAPI
from eth.constants import BLANK_ROOT_HASH, EMPTY_SHA3
from eth.typing import JournalDBCheckpoint
from eth_hash.auto import keccak
from eth_typing import Address, Hash32

from ledger.chain.state import Account, StateChanges

_ABSENT: Final = Account(0)
_MISSING: Final = object()


class BlockAccounts(AccountDatabaseAPI):
    """What a block has made of accounts and slots so far; the state below is not changed."""

    def __init__(
        self, accounts: dict[bytes, Account], storage: dict[tuple[bytes, int], int]
    ) -> None:
        self._accounts_before = accounts
        self._storage_before = storage
        self._accounts: dict[bytes, Account] = {}
        self._storage: dict[tuple[bytes, int], int] = {}
        self._warm: dict[Hashable, bool] = {}
        self._destroyed: set[bytes] = set()
        self._undo: list[tuple[dict[Any, Any], Hashable, Any]] = []
        self._lengths: dict[int, int] = {}
        self._checkpoints = 0

    def changes(self) -> StateChanges:
        """Accounts and slots whose values differ from those before the block."""
        return StateChanges(
            {
                address: account
                for address, account in self._accounts.items()
                if account != self._accounts_before.get(address, _ABSENT)
                and address not in self._destroyed
            },
            {
                key: value
                for key, value in self._storage.items()
                if value != self._storage_before.get(key, 0) and key[0] not in self._destroyed
            },
        )

    def _set(self, values: dict[Any, Any], key: Hashable, value: object) -> None:
        self._undo.append((values, key, values.get(key, _MISSING)))
        values[key] = value

    def _account(self, address: bytes) -> Account:
        account = self._accounts.get(address)
        return account or self._accounts_before.get(address, _ABSENT)

    # Storage.

    def get_storage(self, address: Address, slot: int, from_journal: bool = True) -> int:  # noqa: FBT001, FBT002 # py-evm's signature
        """The present value, or the one before the block: what EIP-2200 calls the original."""
        key = (address, slot)
        before = self._storage_before.get(key, 0)
        return self._storage.get(key, before) if from_journal else before

    def set_storage(self, address: Address, slot: int, value: int) -> None:
        """Writes a slot."""
        self._set(self._storage, (address, slot), value)

    def delete_storage(self, address: Address) -> None:
        """Called before a creation: an address that can be created at has no slots."""

    def is_storage_warm(self, address: Address, slot: int) -> bool:
        """Whether this block has used the slot already."""
        return (address, slot) in self._warm

    def mark_storage_warm(self, address: Address, slot: int) -> None:
        """Notes that this block has used the slot."""
        if (address, slot) not in self._warm:
            self._set(self._warm, (address, slot), value=True)

    # Balances: there is no native currency.

    def get_balance(self, address: Address) -> int:  # noqa: ARG002 # py-evm's signature
        """Zero."""
        return 0

    def set_balance(self, address: Address, balance: int) -> None:  # noqa: ARG002 # as above
        """Takes a zero."""
        assert balance == 0, "there is no native currency"

    # Nonces and code.

    def get_nonce(self, address: Address) -> int:
        """The nonce that the account's next transaction or creation uses."""
        return self._account(address).nonce

    def set_nonce(self, address: Address, nonce: int) -> None:
        """Sets the nonce."""
        self._set(self._accounts, address, Account(nonce, self._account(address).code))

    def increment_nonce(self, address: Address) -> None:
        """Counts a transaction or creation."""
        self.set_nonce(address, self.get_nonce(address) + 1)

    def get_code(self, address: Address) -> bytes:
        """The code; empty when there is none."""
        return self._account(address).code

    def set_code(self, address: Address, code: bytes) -> None:
        """Puts a created contract's code in place."""
        self._set(self._accounts, address, Account(self.get_nonce(address), code))

    def get_code_hash(self, address: Address) -> Hash32:
        """The Keccak of the code."""
        code = self.get_code(address)
        return Hash32(keccak(code)) if code else EMPTY_SHA3

    def delete_code(self, address: Address) -> None:
        """Takes the code away."""
        self.set_code(address, b"")

    # Accounts.

    def account_has_code_or_nonce(self, address: Address) -> bool:
        """Whether a creation at this address collides."""
        return not self.account_is_empty(address)

    def delete_account(self, address: Address) -> None:
        """Destroys a contract that this block created; it disappears when the block ends."""
        if not self.account_is_empty(address):
            self._destroyed.add(address)

    def account_exists(self, address: Address) -> bool:
        """An empty account is none (EIP-161)."""
        return not self.account_is_empty(address)

    def touch_account(self, address: Address) -> None:
        """Nothing: touching matters for empty accounts, and there are none."""

    def account_is_empty(self, address: Address) -> bool:
        """Whether an account has neither code nor nonce; balances do not exist."""
        account = self._account(address)
        return not account.nonce and not account.code

    def is_address_warm(self, address: Address) -> bool:
        """Whether this block has used the account already."""
        return address in self._warm

    def mark_address_warm(self, address: Address) -> None:
        """Notes that this block has used the account."""
        if address not in self._warm:
            self._set(self._warm, address, value=True)

    # Checkpoints.

    def record(self) -> JournalDBCheckpoint:
        """Begins a call that may fail."""
        # Below zero: the database of transient storage counts its own upwards.
        self._checkpoints -= 1
        self._lengths[self._checkpoints] = len(self._undo)
        return JournalDBCheckpoint(self._checkpoints)

    def discard(self, checkpoint: JournalDBCheckpoint) -> None:
        """Undoes a call that failed, its warmth included (EIP-2929)."""
        length = self._lengths.pop(checkpoint)
        while len(self._undo) > length:
            values, key, before = self._undo.pop()
            if before is _MISSING:
                del values[key]
            else:
                values[key] = before

    def commit(self, checkpoint: JournalDBCheckpoint) -> None:
        """Keeps what a call did."""
        del self._lengths[checkpoint]

    # Tries: py-evm asks for them around blocks and snapshots; here there are none.

    @property
    def state_root(self) -> Hash32:
        """No root: the chain has its own."""
        return BLANK_ROOT_HASH

    @state_root.setter
    def state_root(self, value: Hash32) -> None:
        assert value == BLANK_ROOT_HASH, "there are no tries to return to"

    def has_root(self, state_root: bytes) -> bool:
        """Only the empty one."""
        return state_root == BLANK_ROOT_HASH

    def make_state_root(self) -> Hash32:
        """No root: the chain has its own."""
        return BLANK_ROOT_HASH

    def lock_changes(self) -> None:
        """Nothing: originals and warmth last for a block."""

    def persist(self) -> MetaWitnessAPI:
        """Never called: the chain stores what changed."""
        raise NotImplementedError
