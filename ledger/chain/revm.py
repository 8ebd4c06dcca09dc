"""The default executor: revm, through the pyrevm binding.

pyrevm 0.3.7 never finalises its journal: left alone, its memory grows for ever and every slot once
touched stays warm. So each block runs inside one checkpoint. What it wrote is read off the printed
journal and the checkpoint is reverted, which empties the journal; once the block is on disk, the
writes go into the database below. Memory stays flat, the changes of every block are known exactly,
and one rule follows (docs/decisions/0006): for accounts and slots a block counts as one
transaction.

Whatever revm would load before its first frame (proposer, sender, access list) is loaded here,
inside the checkpoint: its own loads are not journaled and would outlive the block.
"""

import re
from collections.abc import Sequence
from typing import Final

from eth_hash.auto import keccak
from pyrevm import EVM, AccountInfo, BlockEnv, CfgEnv, Env, JournalCheckpoint, TxEnv
from pyrevm import Log as PrintedLog

from ledger.chain.blocks import Log, Receipt
from ledger.chain.errors import ExecutionError
from ledger.chain.executor import (
    BLOCK_GAS_LIMIT,
    EVM_RULES,
    INIT_CODE_TOO_LONG,
    INTRINSIC_GAS_TOO_LOW,
    SENDER_IS_CONTRACT,
    BlockContext,
    Call,
)
from ledger.chain.state import Account, StateChanges
from ledger.chain.transactions import InvalidTransactionError, Transaction

_ACCOUNT = re.compile(
    r"0x([0-9a-f]{40}): Account \{ info: AccountInfo \{ balance: \d+, nonce: (\d+), "
)
_SLOT = re.compile(
    r"(\d+): StorageSlot \{ previous_or_original_value: (\d+), present_value: (\d+) \}"
)
_CODE_LENGTH = re.compile(r"Analysed \{ len: (\d+)")
_DESTROYED = re.compile(r"AccountStatus\([A-Za-z| ]*SelfDestructed")
_FAILURE = re.compile(
    r"(?:Revert|Halt) \{.*?gas_used: (\d+)(?:, output: 0x([0-9a-f]*))?", re.DOTALL
)
_NOBODY: Final = "0x" + "00" * 20
_NO_CODE_HASH: Final = keccak(b"")
_REFUSALS: Final = (
    ("CallGasCostMoreThanGasLimit", INTRINSIC_GAS_TOO_LOW),
    ("CreateInitCodeSizeLimit", INIT_CODE_TOO_LONG),
)

_AccessList = Sequence[tuple[bytes, Sequence[int]]]


class RevmExecutor:
    """Runs blocks on revm. One instance holds one chain's state."""

    name: Final = "revm"

    def __init__(self, chain_id: int) -> None:
        # The opcode GASLIMIT reads the limit that is given here, not the block's.
        self._evm = EVM(
            env=Env(cfg=CfgEnv(chain_id=chain_id)),
            gas_limit=BLOCK_GAS_LIMIT,
            spec_id=EVM_RULES.upper(),
        )
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
        checkpoint = self._enter(block)
        try:
            receipts = [
                self._run(t.sender, t.nonce, t.to, t.data, t.gas, t.access_list)
                for t in transactions
            ]
            changes = self._written({t.sender: t.nonce for t in transactions})
        finally:
            self._evm.revert(checkpoint)
        return receipts, changes

    def call(self, block: BlockContext, call: Call) -> Receipt:
        """Runs a call and forgets its effect."""
        checkpoint = self._enter(block)
        nonce = self._nonce_by_address.get(call.sender, 0)
        try:
            if self._evm.basic(_hex(call.sender)).code_hash != _NO_CODE_HASH:
                raise InvalidTransactionError(SENDER_IS_CONTRACT)
            return self._run(call.sender, nonce, call.to, call.data, call.gas)
        finally:
            self._evm.revert(checkpoint)

    def storage_at(self, address: bytes, slot: int) -> int:
        """The present value of a storage slot."""
        checkpoint = self._evm.snapshot()
        value = self._evm.storage(_hex(address), slot)
        self._evm.revert(checkpoint)
        return value

    def _put_account(self, address: bytes, account: Account) -> None:
        self._nonce_by_address[address] = account.nonce
        is_new_contract = account.code and account.nonce == 1
        info = (
            self._analysed(account.code)
            if is_new_contract
            else AccountInfo(nonce=account.nonce, code=account.code or None)
        )
        self._evm.insert_account_info(_hex(address), info)

    def _analysed(self, code: bytes) -> AccountInfo:
        """A new contract's account, its code with the table of jumps that calls need.

        Given raw code, the binding has it analysed again in every call. Only a creation analyses
        once; so the code is created somewhere, and the account is taken from there.
        """
        self._evm.set_block_env(BlockEnv(coinbase=_NOBODY))
        checkpoint = self._evm.snapshot()
        try:
            self._evm.basic(_NOBODY)
            return self._evm.basic(self._evm.deploy(_NOBODY, _returning(code)))
        finally:
            self._evm.revert(checkpoint)

    def _enter(self, block: BlockContext) -> JournalCheckpoint:
        assert block.gas_limit == BLOCK_GAS_LIMIT, "the opcode GASLIMIT would read another limit"
        proposer = _hex(block.proposer)
        self._evm.set_block_env(
            BlockEnv(
                number=block.number,
                coinbase=proposer,
                timestamp=block.timestamp,
                gas_limit=block.gas_limit,
                prevrandao=bytes(32),
                basefee=0,
                excess_blob_gas=0,
            )
        )
        checkpoint = self._evm.snapshot()
        self._evm.basic(proposer)
        return checkpoint

    def _run(
        self,
        sender: bytes,
        nonce: int,
        to: bytes | None,
        data: bytes,
        gas: int,
        access_list: _AccessList = (),
    ) -> Receipt:
        evm, caller = self._evm, _hex(sender)
        evm.reset_transient_storage()
        evm.basic(caller)
        # The binding counts nonces for creations only.
        evm.insert_account_info(caller, AccountInfo(nonce=nonce + (to is not None)))
        if access_list:
            self._load(access_list)
        contract, output = None, b""
        try:
            if to is None:
                contract = bytes.fromhex(evm.deploy(caller, data, gas=gas)[2:])
            else:
                output = bytes(evm.message_call(caller, _hex(to), calldata=data, gas=gas))
        except RuntimeError as error:
            return _failure(error)
        finally:
            if access_list:
                evm.set_tx_env(TxEnv())
        result = evm.result
        assert result is not None
        logs = tuple(_log(each) for each in result.logs)
        return Receipt(True, result.gas_used, output, logs, contract)

    def _load(self, access_list: _AccessList) -> None:
        """Warms what an access list names, and has the next transaction charged for it."""
        for address, slots in access_list:
            self._evm.basic(_hex(address))
            for slot in slots:
                self._evm.storage(_hex(address), slot)
        self._evm.set_tx_env(
            TxEnv(access_list=[(_hex(a), list(slots)) for a, slots in access_list])
        )

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
            head_of_account, (slots, _, head) = (
                head[matched.end() :],
                chunk.partition("}, status: "),
            )
            if _DESTROYED.match(head):
                continue
            if address not in accounts and nonce != self._nonce_by_address.get(address, 0):
                accounts[address] = Account(nonce, self._code(address, head_of_account))
            for slot, original, present in _SLOT.findall(slots):
                if original != present:
                    storage[address, int(slot)] = int(present)
        return StateChanges(accounts, storage)

    def _code(self, address: bytes, printed: str) -> bytes:
        """A contract's code; what this block created is held with zeros after its end."""
        code = self._evm.get_code(_hex(address)) or b""
        analysed = _CODE_LENGTH.search(printed)
        return code[: int(analysed[1])] if analysed else code


def _log(printed: PrintedLog) -> Log:
    topics, data = printed.data  # converted anew each time it is asked for
    return Log(bytes.fromhex(printed.address[2:]), tuple(topics), data)


def _returning(code: bytes) -> bytes:
    """Init code that returns this code: PUSH3 size, DUP1, PUSH1 11, 0, CODECOPY, 0, RETURN."""
    return b"\x62" + len(code).to_bytes(3, "big") + bytes.fromhex("80600b5f395ff3") + code


def _failure(error: RuntimeError) -> Receipt:
    """The receipt of a transaction that reverted or halted, from the binding's message.

    Raises InvalidTransactionError for what could not begin to run, and ExecutionError for a message
    that is none of the EVM's.
    """
    text = str(error)
    if matched := _FAILURE.match(text):
        return Receipt(False, int(matched[1]), bytes.fromhex(matched[2] or ""), ())
    for word, message in _REFUSALS:
        if word in text:
            raise InvalidTransactionError(message) from error
    raise ExecutionError(f"revm gave no answer: {text}") from error


def _hex(address: bytes) -> str:
    return "0x" + address.hex()
