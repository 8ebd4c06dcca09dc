"""The outbox: a transaction is signed once, kept, and only then sent.

An intent names what a transaction is for. The same intent again is the same transaction: after a
crash it is looked up or sent once more, byte for byte, and never signed anew.
"""

from collections.abc import Sequence

from web3 import Web3

from ledger.books.database import Database, UnitOfWork
from ledger.books.outbox import FINAL, REVERTED, Kept, OutboxStore
from ledger.logs import logger_of
from nodes.engine import Engine, Outcome
from nodes.keys import Key

log = logger_of(__name__)


class Outbox:
    """Sends the transactions of one key, exactly once each."""

    def __init__(self, key: Key, engine: Engine, database: Database) -> None:
        self._key = key
        self._engine = engine
        self._database = database
        self._store = OutboxStore(database)

    def send(self, intent: str, to: bytes | None, data: bytes, gas: int = 0) -> Outcome:
        """Signs, keeps and sends a transaction; waits until it is final."""
        with self._database.transaction() as session:
            self.put(session, intent, to, data, gas)
        return self.deliver(intent)

    def put(
        self, session: UnitOfWork, intent: str, to: bytes | None, data: bytes, gas: int = 0
    ) -> None:
        """Signs a transaction and puts it into a unit of work; does nothing for a known intent.

        ``gas`` is what it may need, when that can be more than the engine gives to each.
        """

        def sign(nonce: int) -> Kept:
            raw = self._key.sign_transaction(
                chain_id=self._engine.chain_id,
                nonce=nonce,
                to=to,
                data=data,
                gas=self._engine.gas_limit(gas),
            )
            return Kept(raw, bytes(Web3.keccak(raw)))

        self._store.keep(session, intent, sign)

    def keeps(self, intent: str) -> bool:
        """Whether there is a transaction for an intent already."""
        return self._store.has(intent)

    def hash_of(self, intent: str) -> bytes | None:
        """The hash of the transaction for an intent; None when there is none."""
        return self._store.get([intent])[0].hash if self._store.has(intent) else None

    def announce(self, intents: Sequence[str]) -> None:
        """Sends what several intents stand for, in order, without waiting for any of it.

        Whether each came to anything is found out by ``deliver``.
        """
        self._engine.announce([kept.raw for kept in self._store.get(intents)])

    def resume(self) -> None:
        """Sends what was kept and may not have been sent, in order; waits until it is final."""
        for intent in self._store.ready():
            self.deliver(intent)

    def deliver(self, intent: str) -> Outcome:
        """Sends what an intent stands for, unless it is final already; says what became of it."""
        [kept] = self._store.get([intent])
        outcome = self._engine.settle(kept.raw, kept.hash)
        log.info(
            "transaction.final" if outcome.succeeded else "transaction.reverted",
            intent=intent,
            transaction=f"0x{kept.hash.hex()}",
            block=outcome.block,
            revert=outcome.revert,
        )
        self._store.conclude(intent, FINAL if outcome.succeeded else REVERTED, outcome.revert)
        return outcome
