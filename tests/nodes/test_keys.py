"""Keys: the same seed, the same key; files that nobody else reads."""

import stat

import pytest
from eth_account import Account

from ledger.chain.signatures import signer_of
from nodes.keys import Key


def test_address_is_that_of_eth_account():
    assert (
        Key.of_secret(b"\x05" * 32).address.hex()
        == Account.from_key(b"\x05" * 32).address[2:].lower()
    )


def test_same_seed_and_name_give_the_same_key_and_others_another():
    assert Key.of_seed("s", "A").address == Key.of_seed("s", "A").address
    assert len({Key.of_seed(s, n).address for s in "st" for n in "AB"}) == 4


def test_key_file_is_for_its_owner_alone(tmp_path):
    file = tmp_path / "key"
    Key.of_seed("s", "A").write(file)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Key.read(file).address == Key.of_seed("s", "A").address
    file.chmod(0o644)
    with pytest.raises(PermissionError, match="chmod 600"):
        Key.read(file)


def test_secret_is_not_shown():
    assert "5" * 10 not in repr(Key.of_secret(b"\x55" * 32))


@pytest.mark.parametrize("signature", [b"", b"\0" * 64, b"\0" * 63])
def test_bytes_that_are_no_signature_have_no_signer(signature):
    with pytest.raises(ValueError, match="signature"):
        signer_of(b"\1" * 32, signature)
