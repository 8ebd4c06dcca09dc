"""A certificate taken away is checked without the chain."""

import msgspec
import pytest

from ledger.chain.certificate_file import certificate_file, check_certificate_file
from ledger.chain.finality import CertificateError
from tests.support.counters import deploy_counters
from tests.support.replicas import SENDER, open_replicated


@pytest.fixture(scope="module")
def file():
    chain, _ = open_replicated(4)
    deploy_counters(chain, SENDER)
    made = certificate_file(chain.store, chain.config, 1)
    assert certificate_file(chain.store, chain.config, 2) is None
    chain.close()
    return made


def changed(file, **changes):
    return msgspec.structs.replace(file, **changes)


def test_certificate_survives_json_and_names_its_signers(file):
    again = msgspec.json.decode(msgspec.json.encode(file), type=type(file))

    assert set(check_certificate_file(again)) <= set(file.validators)
    assert len(check_certificate_file(again)) >= file.quorum == 3


def test_changed_certificate_is_refused(file):
    first = file.votes[0]
    for lie, words in (
        (changed(file, number=2), "not that of block 2"),
        (changed(file, chain_id=1), "0 valid votes"),
        (changed(file, block_hash="0x" + "00" * 32), "does not hash"),
        (changed(file, header=file.header[:-2] + "01"), "does not hash"),
        (changed(file, header="0x"), "does not hash"),
        (changed(file, header="xyz"), "hex digits"),
        (changed(file, votes=file.votes[:2]), "2 valid votes of the 3"),
        (changed(file, votes=(first,) * 4), "1 valid votes of the 3"),
        (changed(file, validators=dict.fromkeys(file.validators, first.address)), "one address"),
        (changed(file, validators={}), "no validators are named"),
    ):
        with pytest.raises(CertificateError, match=words):
            check_certificate_file(lie)
