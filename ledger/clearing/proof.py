"""The inclusion proof of one trade in a settled cycle, and its file.

A proof holds the trade's whole chunk, so that it shows its holder trades of one pair of parties and
nobody else's. As JSON, hashes are 0x-prefixed lower-case hex and the numbers of a record decimal
strings (they need 63 bits), in the order of ``columns``:

    {"format": "novate-trade-proof-1",
     "columns": ["dates", ..., "cancels"],
     "cycle": {"id": "0x…", "root": "0x…", "trades": 6652},
     "chunk": {"index": 17, "of": 1771, "salt": "0x…", "records": [["739811", …], …]},
     "trade": {"place": 3, "record": ["739811", …]},
     "path": ["0x…", …]}

``trade`` repeats the record at its place in the chunk, so that a proof says which trade it is of.
Nothing can be changed in it without failing. What the proof is worth is worth of its root: compare
that with what the chain has under the cycle's id.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np

from ledger.clearing.chunks import TRADES_PER_CHUNK_MAX, records_of
from ledger.clearing.columns import COLUMN_NAMES, TradeColumns, participants_of
from ledger.clearing.commitment import (
    COUNT_MAX,
    LEAVES_MAX,
    Commitment,
    Proof,
    leaf_hash,
    root_hash,
    top_of,
)
from ledger.domain.errors import MalformedError

FORMAT: Final = "novate-trade-proof-1"
PATH_MAX: Final = 32
TEXT_BYTES_MAX: Final = 65_536
_HASH = re.compile(r"0x[0-9a-f]{64}", re.ASCII)
_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,18}", re.ASCII)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TradeProof:
    """Shows that a trade is in a cycle.

    Attributes:
        place: the trade's place in its chunk, from 0.
        record: the trade as it is hashed, a number a column.
        trades: the whole chunk.
        path: the siblings from the chunk up, and the numbers of chunks and trades under the root.
    """

    cycle_id: bytes
    root: bytes
    index: int
    salt: bytes
    place: int
    record: tuple[int, ...]
    trades: TradeColumns
    path: Proof


def prove(commitment: Commitment, cycle_id: bytes, row: int) -> TradeProof:
    """The proof of one of the trades that a commitment was made of."""
    index, place = commitment.chunks.find(row)
    shown = commitment.show(np.array([index]))
    return TradeProof(
        cycle_id=cycle_id,
        root=commitment.root,
        index=index,
        salt=shown.salts,
        place=place,
        record=tuple(shown.records[place].tolist()),
        trades=shown.trades(),
        path=shown.proof,
    )


def verify(proof: TradeProof) -> str:
    """What is wrong with a proof, in words; nothing when its trade is under its root."""
    records = records_of(proof.trades)
    if not 0 < len(records) <= TRADES_PER_CHUNK_MAX:
        return f"the chunk has {len(records)} trades, not 1 to {TRADES_PER_CHUNK_MAX}"
    if not 0 <= proof.place < len(records):
        return f"the chunk of {len(records)} trades has no place {proof.place}"
    if tuple(records[proof.place].tolist()) != proof.record:
        return f"the trade is not the one at place {proof.place} of its chunk"
    if len(pairs := _pairs(proof.trades)) != 1:
        return f"the chunk has trades of {len(pairs)} pairs of parties"
    if not 0 <= proof.index < proof.path.leaf_count <= LEAVES_MAX:
        return f"there is no chunk {proof.index} of {proof.path.leaf_count}"
    if not len(records) <= proof.path.trade_count <= COUNT_MAX:
        return f"the cycle cannot have {proof.path.trade_count} trades"
    leaf = leaf_hash(proof.index, proof.salt, records)
    top = top_of([(proof.index, leaf)], proof.path)
    if top is None:
        return f"the path has {len(proof.path.siblings)} hashes, which is not its length"
    root = root_hash(proof.cycle_id, proof.path, top)
    if root != proof.root:
        return f"the chunk leads to the root 0x{root.hex()}, the proof says 0x{proof.root.hex()}"
    return ""


def document_of(proof: TradeProof) -> dict[str, Any]:
    """The proof as JSON has it."""
    return {
        "format": FORMAT,
        "columns": list(COLUMN_NAMES),
        "cycle": {
            "id": _hex(proof.cycle_id),
            "root": _hex(proof.root),
            "trades": proof.path.trade_count,
        },
        "chunk": {
            "index": proof.index,
            "of": proof.path.leaf_count,
            "salt": _hex(proof.salt),
            "records": [list(map(str, row)) for row in records_of(proof.trades).tolist()],
        },
        "trade": {"place": proof.place, "record": list(map(str, proof.record))},
        "path": [_hex(sibling) for sibling in proof.path.siblings],
    }


def encode(proof: TradeProof) -> str:
    """The proof as a JSON text, a line for each record and hash."""
    text = json.dumps(document_of(proof), indent=1)
    # A record is one line: its numbers are what is read together.
    flat = re.sub(r'\n +("-?[0-9]+",?)', r" \1", text)
    return re.sub(r'("-?[0-9]+")\n +\]', r"\1 ]", flat) + "\n"


def decode(text: str | bytes) -> TradeProof:
    """The proof in a JSON text of exactly the documented form. Raises MalformedError."""
    if len(text) > TEXT_BYTES_MAX:
        raise MalformedError(f"at most {TEXT_BYTES_MAX} bytes", len(text))
    try:
        document = json.loads(text, object_pairs_hook=_without_repetition)
    except (ValueError, RecursionError) as error:
        raise MalformedError("a proof in JSON", str(error)) from error
    return proof_of(document)


def proof_of(document: object) -> TradeProof:
    """The proof that ``document_of`` wrote. Raises MalformedError."""
    top = _object(document, "the proof", ("format", "columns", "cycle", "chunk", "trade", "path"))
    if top["format"] != FORMAT or top["columns"] != list(COLUMN_NAMES):
        raise MalformedError(f"format {FORMAT} with its columns", top["format"])
    cycle = _object(top["cycle"], "cycle", ("id", "root", "trades"))
    chunk = _object(top["chunk"], "chunk", ("index", "of", "salt", "records"))
    trade = _object(top["trade"], "trade", ("place", "record"))
    records = _list(chunk["records"], "chunk.records", TRADES_PER_CHUNK_MAX, _record)
    siblings = _list(top["path"], "path", PATH_MAX, lambda each: _hash(each, "path"))
    return TradeProof(
        cycle_id=_hash(cycle["id"], "cycle.id"),
        root=_hash(cycle["root"], "cycle.root"),
        index=_count(chunk["index"], "chunk.index"),
        salt=_hash(chunk["salt"], "chunk.salt"),
        place=_count(trade["place"], "trade.place"),
        record=_record(trade["record"]),
        trades=TradeColumns.of_rows(records),
        path=Proof(
            _count(chunk["of"], "chunk.of"), _count(cycle["trades"], "cycle.trades"), siblings
        ),
    )


def _pairs(trades: TradeColumns) -> set[tuple[int, int]]:
    sellers, buyers = participants_of(trades.sellers), participants_of(trades.buyers)
    low, high = np.minimum(sellers, buyers), np.maximum(sellers, buyers)
    return set(zip(low.tolist(), high.tolist(), strict=True))


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _without_repetition(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _object(value: object, where: str, names: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict) or set(value) != set(names):
        raise MalformedError(f"{where} with {', '.join(names)}", value)
    return value


def _list(value: object, where: str, length_max: int, item: Callable[[object], T]) -> tuple[T, ...]:
    if not isinstance(value, list) or len(value) > length_max:
        raise MalformedError(f"{where}: a list of at most {length_max}", value)
    return tuple(map(item, value))


def _hash(value: object, where: str) -> bytes:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise MalformedError(f"{where}: 0x and 64 lower-case hex digits", value)
    return bytes.fromhex(value[2:])


def _count(value: object, where: str) -> int:
    if type(value) is not int or not 0 <= value <= COUNT_MAX:
        raise MalformedError(f"{where}: a whole number", value)
    return value


def _record(value: object) -> tuple[int, ...]:
    numbers = _list(value, "a record", len(COLUMN_NAMES), _number)
    if len(numbers) != len(COLUMN_NAMES):
        raise MalformedError(f"a record of {len(COLUMN_NAMES)} numbers", value)
    return numbers


def _number(value: object) -> int:
    if isinstance(value, str) and _NUMBER.fullmatch(value) and abs(number := int(value)) < 2**63:
        return number
    raise MalformedError("a whole number of 63 bits as a text", value)
