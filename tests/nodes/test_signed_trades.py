"""Trades that count only if both their brokers have signed them."""

import json
from dataclasses import replace

import numpy as np
import pytest
from coincurve import PrivateKey, PublicKey
from eth_account import Account
from eth_account.messages import encode_typed_data
from sqlalchemy import event

from ledger.books import payload_file
from ledger.books.intake import UNAFFIRMED
from ledger.books.trade_signatures import SIGNATURE_BYTES
from ledger.chain.signatures import recover
from ledger.domain.reasons import Reason
from ledger.domain.rules import Rules, SettlementMode
from nodes.clock import SimulatedClock
from nodes.founding import open_consortium
from nodes.keys import Key
from nodes.messages import Affirmation, AffirmationRequest
from nodes.signed_trade import signed_trade_of
from nodes.trade_signatures import PartySignatures, are_signed, digests_of, sign_trades
from tests.support.consortia import (
    DAY,
    answering,
    capture,
    small_consortium,
    small_network,
    states,
    trades_of,
)

SIGNED = Rules(settlement=SettlementMode.NET, dvp_model=3, signed_trades=True)
TRADES = (
    ("T1", "A", "B", 10, 1_000),
    ("T2", "B", "C", 10, 1_000),
    ("T3", "C", "A", 5, 700),
)
LEFT_OUT = f"{UNAFFIRMED} {Reason.UNSIGNED.name}"
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def trades(consortium, *more):
    return trades_of(consortium.network, *TRADES, *more)


def signing(consortium, participant, change):
    """Has a participant change what it signed, given its answer, its request and its node."""
    node = consortium.trader(participant)
    honest = node.handle

    def answer(request):
        affirmation = honest("EXCHANGE", request)
        return replace(affirmation, signed=change(affirmation.signed, request, node))

    answering(consortium, participant, AffirmationRequest, answer)


def test_trades_that_both_brokers_signed_settle_and_keep_their_signatures():
    consortium = small_consortium(SIGNED)
    captured = trades(consortium)
    capture(consortium, captured)
    house = consortium.clearing_house

    assert states(consortium) == ["captured"] * 3
    house.net.close()
    assert states(consortium) == ["settled"] * 3
    digests = digests_of(house.settlement_domain(), captured)
    for position, (_, seller, buyer, *_) in enumerate(TRADES):
        pair = house.signed_trades.of(position)
        for name, signature in ((seller, pair.seller), (buyer, pair.buyer)):
            r, s = (int.from_bytes(half) for half in (signature[:32], signature[32:]))
            signers = {recover(digests[position], parity, r, s) for parity in (0, 1)}
            assert consortium.trader(name).key.address in signers


def test_any_library_recovers_both_brokers_from_what_is_shown():
    consortium = small_consortium(SIGNED)
    signing(consortium, "C", without_one)
    capture(consortium, trades(consortium))
    house = consortium.clearing_house

    signed = signed_trade_of(house, 0)
    signable = encode_typed_data(full_message=signed.typed_data)
    for name, side in (("A", signed.seller), ("B", signed.buyer)):
        signer = Account.recover_message(signable, signature=side.signature)
        assert bytes.fromhex(signer[2:]) == side.address == consortium.trader(name).key.address
        assert side.participant == name
    assert json.loads(json.dumps(signed.typed_data)) == signed.typed_data
    assert signed_trade_of(house, 1) is None
    assert signed_trade_of(house, 2) is not None


def test_broker_signs_nothing_that_its_own_blotter_does_not_bear_out():
    consortium = small_consortium(SIGNED)
    wrong = replace(trades(consortium), amounts=np.array([1_000, 1_001, 700]))
    asked = []
    signing(consortium, "B", lambda signed, *_: asked.append(signed) or signed)

    capture(
        consortium,
        trades(consortium),
        lambda name, feed: (feed[0], wrong.take(feed[0])) if name == "B" else feed,
    )

    assert states(consortium) == ["captured", "unaffirmed UNAFFIRMED", "captured"]
    assert asked[0].rows.tolist() == [0]


def without_one(signed, *_):
    return PartySignatures(signed.public_key, signed.rows[1:], signed.signatures[1:])


def changed_bit(signed, *_):
    signatures = signed.signatures.copy()
    signatures[0, 5] ^= 1
    return replace(signed, signatures=signatures)


def of_another_trade(signed, *_):
    return replace(signed, signatures=signed.signatures[::-1].copy())


def high_s(signed, *_):
    signatures = signed.signatures.copy()
    for row in signatures:
        high = ORDER - int.from_bytes(row[32:].tobytes())
        row[32:] = np.frombuffer(high.to_bytes(32), dtype=np.uint8)
    return replace(signed, signatures=signatures)


def with_another_key(_, request, node):
    key = Key.of_secret(b"\x07" * 32)
    rows = np.arange(len(request.trades))
    return sign_trades(key, node.settlement_domain(), request.trades, rows)


def for_another_contract(_, request, node):
    domain = node.domain(node.around.contracts.cash.address)
    return sign_trades(node.key, domain, request.trades, np.arange(len(request.trades)))


def other_terms(_, request, node):
    other = replace(request.trades, prices=request.trades.prices + 1)
    return sign_trades(node.key, node.settlement_domain(), other, np.arange(len(other)))


def other_key_of_the_same_name(signed, *_):
    return replace(
        signed, public_key=PrivateKey(b"\x07" * 32).public_key.format(compressed=False)[1:]
    )


ALL, FIRST = [LEFT_OUT, "captured", LEFT_OUT], [LEFT_OUT, "captured", "captured"]


@pytest.mark.parametrize(
    ("forge", "expected"),
    [
        (lambda *_: None, ALL),
        (without_one, FIRST),
        (changed_bit, FIRST),
        (of_another_trade, ALL),
        (high_s, ALL),
        (with_another_key, ALL),
        (for_another_contract, ALL),
        (other_terms, ALL),
        (other_key_of_the_same_name, ALL),
        (lambda signed, *_: replace(signed, public_key=bytes(64)), ALL),
        (lambda signed, *_: replace(signed, public_key="key"), ALL),
        (lambda signed, *_: replace(signed, rows=np.array([0, 9])), ALL),
        (lambda signed, *_: replace(signed, rows=np.array([1, 0])), ALL),
        (lambda signed, *_: replace(signed, rows=[0, 1]), ALL),
        (lambda signed, *_: replace(signed, signatures=signed.signatures[:, 1:]), ALL),
        (lambda signed, *_: replace(signed, signatures=np.zeros_like(signed.signatures)), ALL),
        (lambda signed, *_: replace(signed, signatures=np.full_like(signed.signatures, 255)), ALL),
        (lambda *_: b"signed", ALL),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_forged_or_missing_signature_leaves_its_trades_out(forge, expected):
    consortium = small_consortium(SIGNED)
    signing(consortium, "A", forge)

    capture(consortium, trades(consortium))

    assert states(consortium) == expected
    consortium.clearing_house.net.close()
    assert [state for state in states(consortium) if "settled" in state] == ["settled"] * (
        3 - expected.count(LEFT_OUT)
    )


def test_broker_cannot_sign_for_another():
    consortium = small_consortium(SIGNED)
    a, b = consortium.trader("A"), consortium.trader("B")
    captured = trades(consortium)
    house, exchange = consortium.clearing_house, consortium.exchange
    exchange.capture("x", captured)
    mine = sign_trades(a.key, a.settlement_domain(), captured, np.arange(3))

    exchange.hand_over(0, 3, frozenset(), {a.number: mine, b.number: mine, 99: mine})

    assert states(consortium) == [LEFT_OUT] * 3
    pair = house.signed_trades.of(1)
    assert pair.seller == pair.buyer == bytes(SIGNATURE_BYTES)


def test_silent_broker_has_signed_nothing():
    consortium = small_consortium(SIGNED)
    consortium.bus.silence("C")

    capture(consortium, trades(consortium))

    assert states(consortium) == ["captured", LEFT_OUT, LEFT_OUT]


def test_trade_between_accounts_of_one_broker_needs_its_one_signature():
    network = small_network()
    network = type(network)(
        **{
            name: getattr(network, name) for name in network.__struct_fields__ if name != "accounts"
        },
        accounts=("A/x",),
    )
    consortium = open_consortium(network, SIGNED, SimulatedClock.at(DAY), None, None)
    capture(consortium, trades_of(network, ("T1", "A", "A/x", 10, 1_000)))

    assert states(consortium) == ["captured"]
    pair = consortium.clearing_house.signed_trades.of(0)
    assert pair.seller == pair.buyer != bytes(SIGNATURE_BYTES)
    consortium.close()


def test_cancellation_is_signed_as_one():
    consortium = small_consortium(SIGNED)
    once = trades(consortium)
    capture(consortium, once)
    capture(consortium, replace(once.take(slice(1)), cancels=np.array([1])))
    domain = consortium.clearing_house.settlement_domain()

    assert states(consortium) == ["captured"] * 4
    consortium.clearing_house.net.close()
    assert states(consortium) == ["cancelled", "settled", "settled", "cancelled"]
    undone = replace(once.take(slice(1)), cancels=np.array([7]))
    assert digests_of(domain, undone) != digests_of(domain, once.take(slice(1)))


def test_under_gross_settlement_unsigned_trades_are_no_instructions():
    consortium = small_consortium(Rules(signed_trades=True))
    signing(consortium, "A", changed_bit)

    capture(consortium, trades(consortium))

    assert states(consortium) == [LEFT_OUT, "queued", "queued"]
    assert len(consortium.clearing_house.desk.instructions()) == 2


@pytest.mark.parametrize("bytes_in_file", [1, 1 << 19])
def test_signatures_are_found_again_after_a_restart(tmp_path, monkeypatch, bytes_in_file):
    monkeypatch.setattr(payload_file, "IN_FILE", bytes_in_file)
    consortium = small_consortium(SIGNED, path=tmp_path / "state")
    capture(consortium, trades(consortium))
    capture(consortium, trades_of(consortium.network, ("T4", "A", "C", 1, 100)))
    before = [consortium.clearing_house.signed_trades.of(position) for position in range(5)]
    network = consortium.network
    consortium.close()

    again = open_consortium(network, SIGNED, SimulatedClock.at(DAY), tmp_path / "state")
    after = [again.clearing_house.signed_trades.of(position) for position in range(5)]
    again.close()

    assert before == after
    assert all(before[:4])
    assert before[4] is None


def test_signatures_of_trades_that_were_not_taken_in_are_kept_with_the_next_attempt(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(payload_file, "IN_FILE", 1)
    consortium = small_consortium(SIGNED, path=tmp_path / "state")
    house = consortium.clearing_house

    def disk_full(_connection):
        raise OSError("no space left on device")

    engine = house.database._engine
    event.listen(engine, "commit", disk_full)
    with pytest.raises(OSError, match="no space"):
        capture(consortium, trades(consortium))
    event.remove(engine, "commit", disk_full)
    assert house.signed_trades.of(0) is None

    consortium.exchange.pass_on(0, 3)

    assert states(consortium) == ["captured"] * 3
    assert all(house.signed_trades.of(position).buyer.strip(b"\0") for position in range(3))
    consortium.close()


def test_without_the_rule_nothing_is_signed():
    consortium = small_consortium()
    asked = []
    honest = consortium.trader("A").handle
    answering(
        consortium, "A", AffirmationRequest, lambda r: asked.append(r) or honest("EXCHANGE", r)
    )

    capture(consortium, trades(consortium))

    assert not asked[0].to_sign
    assert isinstance(honest("EXCHANGE", asked[0]), Affirmation)
    assert consortium.clearing_house.signed_trades.of(0) is None


def test_many_signatures_are_made_and_checked_on_all_processors():
    consortium = small_consortium(SIGNED)
    a = consortium.trader("A")
    one = trades(consortium).take(slice(1))
    many = one.take(np.zeros(600, dtype=np.int64))
    many = replace(many, numbers=np.arange(600))
    digests = digests_of(a.settlement_domain(), many)
    signed = sign_trades(a.key, a.settlement_domain(), many, np.arange(600))
    signatures = signed.signatures.copy()
    signatures[[3, 255, 256, 599]] = signatures[0]

    good = are_signed(replace(signed, signatures=signatures), a.key.address, digests)

    assert np.flatnonzero(~good).tolist() == [3, 255, 256, 599]
    assert len(set(digests)) == 600
    secret = Account.from_key(a.key._private.secret)
    plain = secret.unsafe_sign_hash(digests[5]).signature[:64]
    assert plain == signed.signatures[5].tobytes()
    assert PublicKey(b"\x04" + signed.public_key) == a.key._private.public_key
