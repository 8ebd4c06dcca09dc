"""Kept transactions: one an intent, with dense nonces, in the order in which they were kept."""

import pytest

from ledger.books.database import open_database
from ledger.books.outbox import FINAL, Kept, OutboxStore
from ledger.books.tables import OutboxRow


def kept(nonce):
    return Kept(b"raw %d" % nonce, b"hash %d" % nonce)


def test_each_intent_is_signed_once_with_the_next_nonce(tmp_path):
    database = open_database(tmp_path / "books.sqlite")
    outbox = OutboxStore(database)
    for intents in (["a", "b"], ["b", "c", "a"]):
        with database.transaction() as session:
            for intent in intents:
                outbox.keep(session, intent, kept)

    assert outbox.get(["c", "a", "b"]) == [kept(2), kept(0), kept(1)]
    with pytest.raises(KeyError):
        outbox.get(["a", "d"])
    database.close()


def test_what_became_of_a_transaction_is_kept_beside_it(tmp_path):
    database = open_database(tmp_path / "books.sqlite")
    outbox = OutboxStore(database)
    with database.transaction() as session:
        outbox.keep(session, "a", kept)
        outbox.keep(session, "b", kept)

    outbox.conclude("b", FINAL, "")

    with database.reading() as session:
        states = [session.get_one(OutboxRow, intent).state for intent in ("a", "b")]
    assert states == ["ready", FINAL]
    database.close()
