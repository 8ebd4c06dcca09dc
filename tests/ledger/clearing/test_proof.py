"""Proofs: every trade has one, nothing in it can be changed, and both verifiers agree."""

import ast
import copy
import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.clearing.columns import TradeColumns
from ledger.clearing.commitment import Commitment
from ledger.clearing.proof import decode, document_of, encode, proof_of, prove, verify
from ledger.domain.errors import MalformedError
from tests.support.proofs import CYCLE, KEY, SCRIPT, proofs, stand_alone
from tests.support.trades import trade_columns, trade_row

SCRIPT_NAMES = stand_alone()


def refused_by_both(document):
    """Whether the product and the script refuse a document; they must agree."""
    try:
        ours = verify(proof_of(document))
    except MalformedError:
        ours = "malformed"
    try:
        theirs = SCRIPT_NAMES["why_not"](document)
    except SCRIPT_NAMES["NoProofError"]:
        theirs = "malformed"
    assert bool(ours) == bool(theirs)
    return bool(ours)


@given(trade_columns(60).filter(len))
def test_every_trade_has_a_proof_that_both_verifiers_accept(trades):
    commitment = Commitment(trades, KEY, CYCLE)
    for row in range(len(trades)):
        proof = prove(commitment, CYCLE, row)
        assert verify(proof) == ""
        assert proof.record[2] == trades.numbers[row]
        assert not refused_by_both(document_of(proof))


@given(proofs())
def test_proof_is_the_same_after_it_was_written_and_read(proof):
    again = decode(encode(proof))

    assert verify(again) == ""
    assert document_of(again) == document_of(proof)


@given(proofs())
def test_proof_shows_trades_of_one_pair_of_parties_alone(proof):
    sides = zip(proof.trades.sellers.tolist(), proof.trades.buyers.tolist(), strict=True)

    assert len({frozenset((seller >> 8, buyer >> 8)) for seller, buyer in sides}) == 1


def leaves_of(value, path=()):
    if isinstance(value, dict):
        for name, each in value.items():
            yield from leaves_of(each, (*path, name))
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from leaves_of(each, (*path, place))
    else:
        yield path, value


def changed(value, draw):
    if isinstance(value, int):
        return draw(st.integers(-5, 2**63).filter(lambda other: other != value))
    place = draw(st.integers(0, len(value) - 1))
    letter = draw(st.sampled_from("0123456789abcdefxA- ").filter(lambda c: c != value[place]))
    return value[:place] + letter + value[place + 1 :]


@settings(max_examples=300)
@given(proofs(max_size=30), st.data())
def test_proof_with_any_value_changed_is_refused(proof, data):
    document = document_of(proof)
    path, value = data.draw(st.sampled_from(list(leaves_of(document))))
    lie = copy.deepcopy(document)
    inside = lie
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = changed(value, data.draw)

    assert refused_by_both(lie)


@settings(max_examples=300)
@given(proofs(max_size=30), st.data())
def test_proof_file_with_any_bit_flipped_is_refused(proof, data):
    text = bytearray(encode(proof).encode())
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] ^= 1 << data.draw(st.integers(0, 7))

    with suppress(MalformedError):
        assert verify(decode(bytes(text)))
    with suppress(ValueError):
        assert SCRIPT_NAMES["why_not"](SCRIPT_NAMES["load"](text.decode()))


@given(proofs(), st.data())
def test_proof_with_records_or_hashes_moved_left_out_or_added_is_refused(proof, data):
    document = document_of(proof)
    rows = data.draw(st.sampled_from([document["chunk"]["records"], document["path"]]))
    before = list(rows)
    match data.draw(st.sampled_from(["leave out", "add", "reverse"])):
        case "leave out":
            del rows[-1:]
        case "add":
            rows.append(rows[0] if rows else "0x" + "ab" * 32)
        case "reverse":
            rows.reverse()

    assert refused_by_both(document) or rows == before


@given(proofs(), proofs(cycle=b"d" * 32))
def test_parts_of_two_proofs_do_not_make_a_third(ours, theirs):
    assert verify(replace(ours, cycle_id=theirs.cycle_id))
    assert verify(replace(ours, root=theirs.root))
    assert verify(replace(ours, salt=bytes(32)))


def test_chunk_of_several_pairs_is_refused_though_it_is_under_the_root():
    trades = TradeColumns.of_rows([trade_row(1, 256, 512, 1, 1), trade_row(2, 256, 512, 1, 1)])
    mixed = TradeColumns.of_rows([trade_row(1, 256, 512, 1, 1), trade_row(2, 256, 768, 1, 1)])
    proof = prove(Commitment(trades, KEY, CYCLE), CYCLE, 0)

    assert "pairs" in verify(replace(proof, trades=mixed))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "nonsense", "[" * 50_000, '{"a": 1, "a": 2}', "9" * 70_000]
)
def test_text_that_is_no_proof_is_refused(text):
    with pytest.raises(MalformedError):
        decode(text)


def test_script_stands_alone_and_answers_by_its_status(tmp_path):
    imported = {
        name.name
        for node in ast.walk(ast.parse(SCRIPT.read_text()))
        if isinstance(node, ast.Import)
        for name in node.names
    }
    assert imported == {"hashlib", "json", "pathlib", "re", "sys"}
    trades = TradeColumns.of_rows([trade_row(i, 256, 512, 1, 1) for i in range(130)])
    proof = prove(Commitment(trades, KEY, CYCLE), CYCLE, 77)
    document = document_of(proof)
    file = tmp_path / "proof.json"

    def status(document, *more):
        file.write_text(document if isinstance(document, str) else json.dumps(document))
        command = [sys.executable, "-I", str(SCRIPT), str(file), *more]
        return subprocess.run(command, check=False, capture_output=True, cwd=tmp_path).returncode

    assert status(encode(proof)) == 0
    assert status(document, document["cycle"]["root"]) == 0
    assert status(document, "0x" + "00" * 32) == 1
    document["trade"]["place"] += 1
    assert status(document) == 1
    assert status("{}") == 2
