"""Validators: what they vote for and refuse, and how a chain goes on without some of them."""

import time
from dataclasses import replace

import msgspec
import pytest
import rlp

from ledger.chain.admission import TRANSACTION_GAS_MAX
from ledger.chain.blocks import Header, receipts_root
from ledger.chain.finality import (
    CertificateError,
    check_certificate,
    quorum_of,
    vote_digest,
    voters,
)
from ledger.chain.validator import RefusedError
from tests.support.counters import count_raw, deploy_counters
from tests.support.replicas import SENDER, VOTE_SECONDS, open_replicated, settle_threads
from tests.support.twins import CHAIN_ID, PROPOSER


@pytest.fixture
def four():
    chain, links = open_replicated(4)
    yield chain, links
    chain.close()


def count(chain, contract, number):
    nonce = chain.pending_nonce_of(SENDER.address)
    return chain.submit(count_raw(SENDER, nonce, contract, number))


def tampered(change):
    """A proposal whose header was changed and signed again by the proposer."""

    def bend(proposal):
        header, digests = change(Header.decode(proposal.header), proposal)
        digest = vote_digest(CHAIN_ID, header.number, header.hash())
        return msgspec.structs.replace(
            proposal,
            header=header.encode(),
            signature=PROPOSER.sign(digest),
            receipt_digests=digests,
        )

    return bend


def test_quorum_shares_an_honest_validator_with_every_other_quorum():
    for validators in range(1, 50):
        faulty = (validators - 1) // 3
        quorum = quorum_of(validators)
        assert 2 * quorum - validators > faulty
        assert quorum <= validators - faulty


def test_block_is_final_with_votes_of_a_quorum_that_verify_off_line(four):
    chain, _ = four
    deploy_counters(chain, SENDER)

    certificate = chain.certificate(1)

    assert chain.final == chain.head
    assert len(voters(certificate)) >= 3
    check_certificate(chain.config, certificate)
    for forged in (
        msgspec.structs.replace(certificate, votes=certificate.votes[:2]),
        msgspec.structs.replace(certificate, votes=certificate.votes[:1] * 3),
        msgspec.structs.replace(certificate, number=2),
        msgspec.structs.replace(certificate, block_hash=bytes(32)),
    ):
        with pytest.raises(CertificateError, match="valid votes"):
            check_certificate(chain.config, forged)


def test_every_replica_has_executed_the_same(four):
    chain, links = four
    contract = deploy_counters(chain, SENDER)
    for number in range(5):
        count(chain, contract, number)
    settle_threads(links)

    for link in links:
        assert link.validator.replica.head == chain.head
        assert link.validator.replica.executor.storage_at(contract, 4) == 1


@pytest.mark.parametrize("way", ["cut", "slow"])
def test_chain_goes_on_without_one_validator_which_catches_up_on_return(four, way):
    chain, links = four
    contract = deploy_counters(chain, SENDER)
    settle_threads(links)
    absent = links[1]
    if way == "cut":
        absent.is_cut = True
    else:
        absent.validator._lock.acquire()
    # A validator's lock is re-entrant, so it is this thread that holds it up.
    count(chain, contract, 1)
    count(chain, contract, 2)

    assert chain.final == chain.head
    assert absent.validator.replica.head.number == 1

    if way == "cut":
        absent.is_cut = False
    else:
        absent.validator._lock.release()
    count(chain, contract, 3)
    settle_threads(links)
    assert absent.validator.replica.head == chain.head


def test_chain_halts_visibly_without_a_quorum_and_goes_on_with_one(four):
    chain, links = four
    contract = deploy_counters(chain, SENDER)
    links[0].is_cut = links[1].is_cut = True
    sealed = count(chain, contract, 1)
    waits = count(chain, contract, 2)

    finality = chain.finality()
    assert finality.is_halted
    assert (finality.sealed, finality.final, finality.quorum) == (2, 1, 3)
    assert finality.words["V1"] == "refused: cut off"
    assert chain.final.number == 1
    assert chain.store.place_of(sealed) == (2, 0)
    assert chain.pending(waits)
    assert chain.pending_count == 1

    links[0].is_cut = False
    chain.advance()
    assert not chain.finality().is_halted
    assert chain.store.place_of(waits) == (3, 0)
    assert chain.final.number == 3


def test_halted_chain_keeps_what_it_took_in_when_it_is_opened_again(tmp_path):
    chain, links = open_replicated(4, tmp_path)
    contract = deploy_counters(chain, SENDER)
    for link in links:
        link.is_cut = True
    sealed, waits = count(chain, contract, 1), count(chain, contract, 2)
    head = chain.head
    chain.close()

    again, _ = open_replicated(4, tmp_path)

    assert again.store.header_by_number(2) == head, "the sealed block is still the same one"
    assert again.store.place_of(sealed) == (2, 0)
    assert again.store.place_of(waits) == (3, 0), "joined by its validators, the chain went on"
    assert again.final == again.head
    again.close()


def other_receipt(header, proposal):
    digests = (bytes(32), *proposal.receipt_digests[1:])
    return replace(header, receipts_root=receipts_root(digests)), digests


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (other_receipt, "transaction 0 (0x{hash}) succeeds here with"),
        (
            lambda h, p: (replace(h, state_root=bytes(32)), p.receipt_digests),
            "the state after it is another one here",
        ),
        (
            lambda h, p: (replace(h, transactions_root=bytes(32)), p.receipt_digests),
            "the transactions are not those of the header",
        ),
        (
            lambda h, p: (replace(h, timestamp=h.timestamp + 60), p.receipt_digests),
            "60 s ahead of time",
        ),
        (
            lambda h, p: (replace(h, timestamp=h.timestamp - 1), p.receipt_digests),
            "stamped before its parent",
        ),
        (
            lambda h, p: (replace(h, parent_hash=bytes(32)), p.receipt_digests),
            "does not follow block 1",
        ),
        (
            lambda h, p: (replace(h, gas_used=1), p.receipt_digests),
            "its header is another one here",
        ),
    ],
)
def test_validator_refuses_a_tampered_block_and_says_what_differs(four, change, words):
    chain, links = four
    contract = deploy_counters(chain, SENDER)
    settle_threads(links)
    for link in links:
        link.is_cut = True
    digest = count(chain, contract, 1)
    honest, validator = chain.store.proposal(2), links[2].validator

    with pytest.raises(RefusedError) as refusal:
        validator.consider(tampered(change)(honest))

    assert words.format(hash=digest.hex()) in str(refusal.value)
    assert validator.replica.head.number == 1
    assert validator.consider(honest).validator == "V3", "a lie costs the honest block nothing"


def test_lie_to_one_validator_does_not_hold_up_the_others(four):
    chain, links = four
    links[2].bend = tampered(other_receipt)
    deploy_counters(chain, SENDER)

    assert chain.final == chain.head


@pytest.mark.parametrize("position", [0, 1])
def test_block_with_a_transaction_that_no_block_may_carry_is_refused(four, position):
    chain, links = four
    contract = deploy_counters(chain, SENDER)
    for link in links:
        link.is_cut = True
    count(chain, contract, 1)
    foreign = SENDER.sign_transaction(chain_id=1, nonce=1, to=contract, data=b"", gas=100_000)
    proposal = chain.store.proposal(2)
    bad = list(proposal.transactions)
    bad.insert(position, foreign)

    with pytest.raises(RefusedError, match=f"block 2, transaction {position}: invalid chain id"):
        links[0].validator.consider(msgspec.structs.replace(proposal, transactions=tuple(bad)))


def test_block_that_the_proposer_has_not_signed_is_refused(four):
    chain, links = four
    for link in links:
        link.is_cut = True
    deploy_counters(chain, SENDER)
    proposal = chain.store.proposal(1)
    forged = SENDER.sign(vote_digest(CHAIN_ID, 1, proposal.hash))

    for signature in (forged, bytes(64), b""):
        with pytest.raises(RefusedError, match=r"signed|signature"):
            links[0].validator.consider(msgspec.structs.replace(proposal, signature=signature))


def test_validator_votes_once_a_height_even_after_a_restart(tmp_path):
    chain, links = open_replicated(4, tmp_path)
    for link in links[1:]:
        link.is_cut = True
    deploy_counters(chain, SENDER)
    voted = chain.store.proposal(1)
    chain.close()
    (tmp_path / "proposer.sqlite").unlink()

    liar, links = open_replicated(4, tmp_path)
    for link in links[1:]:
        link.is_cut = True
    deploy_counters(liar, PROPOSER)

    assert liar.store.proposal(1).hash != voted.hash
    assert liar.finality().words["V1"] == "refused: block 1: this height has its vote already"
    assert links[0].validator.consider(voted).validator == "V1", "the same block, the same vote"
    liar.close()


def test_vote_of_a_stranger_or_for_another_block_does_not_count(four):
    chain, links = four
    honest = links[0].inner.validator._sign
    links[0].validator._sign = SENDER.sign
    links[1].validator._sign = lambda _: honest(bytes(32))

    deploy_counters(chain, SENDER)

    finality = chain.finality()
    assert finality.is_halted
    assert finality.words["V1"] == finality.words["V2"] == "sent a vote that is not valid"


def test_validators_with_different_executors_agree_on_every_block():
    chain, links = open_replicated(4, executors=("revm", "py-evm"))
    contract = deploy_counters(chain, SENDER)
    for number in range(4):
        count(chain, contract, number)
    settle_threads(links)

    assert [link.validator.replica.executor.name for link in links] == ["revm", "py-evm"] * 2
    assert {link.validator.replica.head_hash for link in links} == {chain.head.hash()}
    chain.close()


def test_block_that_takes_longer_than_the_time_for_votes_becomes_final_all_the_same(four):
    chain, links = four
    contract = deploy_counters(chain, SENDER)
    settle_threads(links)
    executions = []
    for link in links:
        run = link.validator.replica.executor.run
        link.validator.replica.executor.run = slow(run, executions)

    count(chain, contract, 1)
    assert chain.finality().is_halted
    while chain.finality().is_halted:
        chain.advance()

    assert len(executions) == 4, "nobody executed it twice"


def slow(run, executions):
    def runs(block, transactions):
        executions.append(block.number)
        time.sleep(2 * VOTE_SECONDS)
        return run(block, transactions)

    return runs


def test_hostile_proposals_are_refused_and_the_validator_lives(four):
    chain, links = four
    deploy_counters(chain, SENDER)
    honest = chain.store.proposal(1)
    validator = links[0].validator

    for header in (b"", b"\xc0", b"\x00" * 40, rlp.encode([b""] * 20), honest.header + b"\0"):
        with pytest.raises(RefusedError, match="header"):
            validator.consider(msgspec.structs.replace(honest, header=header))
    assert validator.consider(honest).validator == "V1"


def test_block_beyond_the_limits_of_a_block_is_refused(four):
    chain, links = four
    contract = deploy_counters(chain, SENDER)
    settle_threads(links)
    for link in links:
        link.is_cut = True
    count(chain, contract, 1)
    proposal = chain.store.proposal(2)
    heavy = [
        SENDER.sign_transaction(
            chain_id=CHAIN_ID, nonce=nonce, to=contract, data=b"", gas=TRANSACTION_GAS_MAX
        )
        for nonce in range(1, 9)
    ]

    for raws, words in ((heavy, "may use"), (heavy[:1] * 5_001, "more transactions")):
        with pytest.raises(RefusedError, match=words):
            links[0].validator.consider(msgspec.structs.replace(proposal, transactions=tuple(raws)))
