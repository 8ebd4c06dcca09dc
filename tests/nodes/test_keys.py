"""Keys: the same seed, the same key; files that nobody else reads."""

import os
import stat

import pytest
from eth_account import Account

from ledger.chain.signatures import signer_of
from nodes.keys import Key
from tests.support.consortia import capture, small_consortium, states, trades_of


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


def test_key_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    file = tmp_path / "key"

    def cut_off(_):
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", cut_off)
    with pytest.raises(OSError, match="no space"):
        Key.of_seed("s", "A").write(file)
    assert not file.exists()

    monkeypatch.undo()
    Key.of_seed("s", "A").write(file)
    assert Key.read(file).address == Key.of_seed("s", "A").address
    assert [each.name for each in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("content", ["", "zz", "00" * 32, "11" * 33])
def test_file_without_a_key_is_refused_by_name_and_not_shown(tmp_path, content):
    file = tmp_path / "key"
    file.touch(0o600)
    file.write_text(content)

    with pytest.raises(ValueError, match="does not hold a key") as refusal:
        Key.read(file)

    assert not content or content not in str(refusal.value)


def test_participant_with_a_key_of_its_own_is_admitted_under_it_and_settles(tmp_path):
    folder = tmp_path / "nodes" / "A"
    folder.mkdir(parents=True)
    own = Key.of_seed("another seed", "A")
    own.write(folder / "key")

    consortium = small_consortium(path=tmp_path)
    number = consortium.network.participant_number("A")
    assert consortium.contracts.participants.signers_of([number]) == [own.address]

    capture(consortium, trades_of(consortium.network, ("T1", "A", "B", 10, 1_000)))
    consortium.clearing_house.net.close()
    assert states(consortium) == ["settled"]
    consortium.close()


def test_secret_is_not_shown():
    assert "5" * 10 not in repr(Key.of_secret(b"\x55" * 32))


@pytest.mark.parametrize("signature", [b"", b"\0" * 64, b"\0" * 63])
def test_bytes_that_are_no_signature_have_no_signer(signature):
    with pytest.raises(ValueError, match="signature"):
        signer_of(b"\1" * 32, signature)
