"""The default executor: revm, through the pyrevm binding.

pyrevm 0.3.7 never finalises its journal: left alone, its memory grows for ever and every slot once
touched stays warm. So each block runs inside one checkpoint. What it wrote is read off the printed
journal and the checkpoint is reverted, which empties the journal; once the block is on disk, the
writes go into the database below. Memory stays flat, the changes of every block are known exactly,
and gas follows one rule: accounts and slots are cold at the start of a block and warm after their
first use in it.
"""

import re
from collections.abc import Sequence
from typing import Final

from pyrevm import EVM, AccountInfo, BlockEnv, CfgEnv, Env

from ledger.chain.blocks import Log, Receipt
from ledger.chain.executor import EVM_RULES, BlockContext, Call
from ledger.chain.state import Account, StateChanges
from ledger.chain.transactions import Transaction

_ACCOUNT = re.compile(
    r"0x([0-9a-f]{40}): Account \{ info: AccountInfo \{ balance: \d+, nonce: (\d+), "
)
_SLOT = re.compile(
    r"(\d+): StorageSlot \{ previous_or_original_value: (\d+), present_value: (\d+) \}"
)
_FAILURE = re.compile(
    r"(?:Revert|Halt) \{.*?gas_used: (\d+)(?:, output: 0x([0-9a-f]*))?", re.DOTALL
)


class RevmExecutor:
    """Runs blocks on revm. One instance holds one chain's state."""

    name: Final = "revm"

    def __init__(self, chain_id: int) -> None:
        self._evm = EVM(env=Env(cfg=CfgEnv(chain_id=chain_id)), spec_id=EVM_RULES.upper())
        self._nonce_by_address: dict[bytes, int] = {}

    def apply(self, state: StateChanges) -> None:
        """Puts accounts and slots in place: a stored state, or what a block changed."""
        for address, account in state.accounts.items():
            self._put_account(address, account)
        for (address, slot), value in state.storage.items():
            # Only an account that the journal does not hold is written to the database below it.
            checkpoint = self._evm.snapshot()
            self._evm.insert_account_storage(_hex(address), slot, value)
            self._evm.revert(checkpoint)

    def run(
        self, block: BlockContext, transactions: Sequence[Transaction]
    ) -> tuple[list[Receipt], StateChanges]:
        """Runs a block's transactions, forgets their effect, and says exactly what it would be."""
        self._enter(block)
        checkpoint = self._evm.snapshot()
        receipts = [self._run(transaction) for transaction in transactions]
        changes = self._written(
            {transaction.sender: transaction.nonce for transaction in transactions}
        )
        self._evm.revert(checkpoint)
        return receipts, changes

    def call(self, block: BlockContext, call: Call) -> Receipt:
        """Runs a call and forgets its effect."""
        self._enter(block)
        self._evm.reset_transient_storage()
        checkpoint = self._evm.snapshot()
        receipt = self._call(call.sender, call.to, call.data, call.gas)
        self._evm.revert(checkpoint)
        return receipt

    def storage_at(self, address: bytes, slot: int) -> int:
        """The present value of a storage slot."""
        checkpoint = self._evm.snapshot()
        value = self._evm.storage(_hex(address), slot)
        self._evm.revert(checkpoint)
        return value

    def _put_account(self, address: bytes, account: Account) -> None:
        self._nonce_by_address[address] = account.nonce
        self._evm.insert_account_info(
            _hex(address), AccountInfo(nonce=account.nonce, code=account.code or None)
        )

    def _enter(self, block: BlockContext) -> None:
        self._evm.set_block_env(
            BlockEnv(
                number=block.number,
                coinbase=_hex(block.proposer),
                timestamp=block.timestamp,
                gas_limit=block.gas_limit,
                prevrandao=bytes(32),
                basefee=0,
                excess_blob_gas=0,
            )
        )

    def _run(self, transaction: Transaction) -> Receipt:
        self._evm.reset_transient_storage()
        if transaction.to is None:
            # The binding counts nonces for creations only, and the new address depends on it.
            self._evm.insert_account_info(
                _hex(transaction.sender), AccountInfo(nonce=transaction.nonce)
            )
        return self._call(transaction.sender, transaction.to, transaction.data, transaction.gas)

    def _call(self, sender: bytes, to: bytes | None, data: bytes, gas: int) -> Receipt:
        contract, output = None, b""
        try:
            if to is None:
                contract = bytes.fromhex(self._evm.deploy(_hex(sender), data, gas=gas)[2:])
            else:
                output = bytes(
                    self._evm.message_call(_hex(sender), _hex(to), calldata=data, gas=gas)
                )
        except RuntimeError as error:
            return _failure(str(error), gas)
        result = self._evm.result
        assert result is not None
        logs = tuple(
            Log(bytes.fromhex(log.address[2:]), tuple(log.data[0]), log.data[1])
            for log in result.logs
        )
        return Receipt(True, result.gas_used, output, logs, contract)

    def _written(self, last_nonce_by_sender: dict[bytes, int]) -> StateChanges:
        """What the block that has just run wrote, from the printed journal."""
        text = self._evm.journal_str
        accounts = {sender: Account(nonce + 1) for sender, nonce in last_nonce_by_sender.items()}
        storage: dict[tuple[bytes, int], int] = {}
        # "... 0xADDRESS: Account { ..., storage: { SLOTS }, status: ... }, 0xADDRESS: Account ..."
        head, *chunks = text[: text.index("}, transient_storage: {")].split("storage: {")
        for chunk in chunks:
            matched = _ACCOUNT.search(head, max(head.rfind(": Account { ") - 42, 0))
            assert matched is not None, f"the journal is printed in another form: {head[-200:]}"
            address, nonce = bytes.fromhex(matched[1]), int(matched[2])
            slots, _, head = chunk.partition("}, status: ")
            if address not in accounts and nonce != self._nonce_by_address.get(address, 0):
                accounts[address] = Account(nonce, self._evm.get_code(_hex(address)) or b"")
            for slot, original, present in _SLOT.findall(slots):
                if original != present:
                    storage[address, int(slot)] = int(present)
        return StateChanges(accounts, storage)


def _failure(text: str, gas: int) -> Receipt:
    """The receipt of a transaction that reverted or halted, from the binding's message."""
    matched = _FAILURE.search(text)
    if matched is None:
        return Receipt(False, gas, b"", ())
    return Receipt(False, int(matched[1]), bytes.fromhex(matched[2] or ""), ())


def _hex(address: bytes) -> str:
    return "0x" + address.hex()
