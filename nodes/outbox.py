"""The outbox: a transaction is signed once, kept, and only then sent.

An intent names what a transaction is for. The same intent again is the same transaction: after a
crash it is looked up or sent once more, byte for byte, and never signed anew.
"""

from dataclasses import dataclass

from web3 import Web3
from web3.exceptions import TransactionNotFound

from ledger.books.database import Database, UnitOfWork
from ledger.books.outbox import FINAL, REVERTED, Kept, OutboxStore
from ledger.chain.rpc.errors import revert_text
from nodes.keys import Key


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a transaction, once final. ``revert`` is the contract's text if it failed."""

    block: int
    succeeded: bool
    revert: str
    contract: bytes | None


class Outbox:
    """Sends the transactions of one key, exactly once each."""

    def __init__(self, key: Key, w3: Web3, database: Database, chain_id: int, gas: int) -> None:
        self._key = key
        self._w3 = w3
        self._database = database
        self._store = OutboxStore(database)
        self._chain_id = chain_id
        self._gas = gas

    def send(self, intent: str, to: bytes | None, data: bytes) -> Outcome:
        """Signs, keeps and sends a transaction; waits until it is final."""
        with self._database.transaction() as session:
            self.put(session, intent, to, data)
        return self.deliver(intent)

    def put(self, session: UnitOfWork, intent: str, to: bytes | None, data: bytes) -> None:
        """Signs a transaction and puts it into a unit of work; does nothing for a known intent."""

        def sign(nonce: int) -> Kept:
            raw = self._key.sign_transaction(
                chain_id=self._chain_id, nonce=nonce, to=to, data=data, gas=self._gas
            )
            return Kept(raw, bytes(Web3.keccak(raw)))

        self._store.keep(session, intent, sign)

    def deliver(self, intent: str) -> Outcome:
        """Sends what an intent stands for, unless it is final already; says what became of it."""
        kept = self._store.get(intent)
        outcome = self._outcome(kept.hash)
        if outcome is None:
            self._w3.eth.send_raw_transaction(kept.raw)
            outcome = self._outcome(kept.hash)
            assert outcome is not None, f"{intent}: accepted, but in no block"
        self._store.conclude(intent, FINAL if outcome.succeeded else REVERTED, outcome.revert)
        return outcome

    def _outcome(self, digest: bytes) -> Outcome | None:
        try:
            receipt = self._w3.eth.get_transaction_receipt(digest)  # type: ignore[arg-type] # 32 bytes
        except TransactionNotFound:
            return None
        contract = receipt["contractAddress"]
        return Outcome(
            block=receipt["blockNumber"],
            succeeded=receipt["status"] == 1,
            revert=revert_text(bytes.fromhex(str(receipt.get("revertReason", "0x"))[2:])),
            contract=bytes.fromhex(contract[2:]) if contract else None,
        )
