"""Verifies the inclusion proof of a trade. One file, standard library only.

    python3 verify_proof.py FILE [ROOT]

FILE is what GET /v1/trades/ID/proof or `novate proof make` wrote. ROOT is the cycle's root as you
know it from the chain (0x and 64 hex digits); without it, compare the root that is printed. Ends
with status 0 when the trade is in the cycle, 1 when it is not, 2 when the file is no proof.

    leaf = SHA-256(0x00 | salt | index | number of records | records)
    node = SHA-256(0x01 | left | right); an odd last node goes up as it is
    root = SHA-256(0x02 | cycle id | number of leaves | number of trades | top node)

Numbers are eight bytes, big-endian; a record is eleven of them.
"""

import hashlib
import json
import pathlib
import re
import sys

FORMAT = "novate-trade-proof-1"
COLUMNS = ["dates", "instruments", "numbers", "sellers", "buyers", "quantities"]
COLUMNS += ["prices", "currencies", "amounts", "times", "cancels"]
SUB_ACCOUNT_BITS = 8


class NoProofError(ValueError):
    """The document does not have the form of a proof."""


def why_not(document):
    """What is wrong with a proof, in words; empty when the trade is under the root."""
    top = members(document, "format", "columns", "cycle", "chunk", "trade", "path")
    need(top["format"] == FORMAT and top["columns"] == COLUMNS, "format")
    cycle = members(top["cycle"], "id", "root", "trades")
    chunk = members(top["chunk"], "index", "of", "salt", "records")
    trade = members(top["trade"], "place", "record")
    need(isinstance(chunk["records"], list) and isinstance(top["path"], list), "lists")
    records = [numbers(record) for record in chunk["records"]]
    own, place = numbers(trade["record"]), count(trade["place"])
    index, leaves, trades = count(chunk["index"]), count(chunk["of"]), count(cycle["trades"])
    path, salt = [word(each) for each in top["path"]], word(chunk["salt"])
    cycle_id, expected = word(cycle["id"]), word(cycle["root"])

    if not 1 <= len(records) <= 64:
        return "the chunk does not have 1 to 64 trades"
    if place >= len(records) or records[place] != own:
        return "the trade is not at its place in the chunk"
    if len({frozenset(a >> SUB_ACCOUNT_BITS for a in record[3:5]) for record in records}) != 1:
        return "the chunk has trades of several pairs of parties"
    if not index < leaves <= 2**32 or trades < len(records):
        return "the counts contradict each other"
    body = b"".join(n.to_bytes(8, "big", signed=True) for record in records for n in record)
    node = sha256(b"\0" + salt + eight(index) + eight(len(records)) + body)
    position, width = index, leaves
    while width > 1:
        if position ^ 1 < width:
            if not path:
                return "the path is too short"
            sibling = path.pop(0)
            node = sha256(b"\1" + (sibling + node if position % 2 else node + sibling))
        position, width = position // 2, (width + 1) // 2
    if path:
        return "the path is too long"
    root = sha256(b"\2" + cycle_id + eight(leaves) + eight(trades) + node)
    return "" if root == expected else f"the chunk leads to another root, 0x{root.hex()}"


def load(text):
    """The document in a JSON text, in which no name may stand twice."""

    def once(pairs):
        need(len({name for name, _ in pairs}) == len(pairs), "a name twice")
        return dict(pairs)

    return json.loads(text, object_pairs_hook=once)


def members(value, *names):
    need(isinstance(value, dict) and set(value) == set(names), f"an object of {', '.join(names)}")
    return value


def count(value):
    need(type(value) is int and 0 <= value < 2**63, "a whole number")
    return value


def word(value):
    need(isinstance(value, str) and re.fullmatch("0x[0-9a-f]{64}", value), "0x and 64 hex digits")
    return bytes.fromhex(value[2:])


def numbers(record):
    need(isinstance(record, list) and len(record) == len(COLUMNS), "a record of eleven numbers")
    for text in record:
        fits = isinstance(text, str) and re.fullmatch("0|-?[1-9][0-9]{0,18}", text)
        need(fits and abs(int(text)) < 2**63, "a number as text")
    return [int(text) for text in record]


def need(holds, what):
    if not holds:
        raise NoProofError(f"no proof: expected {what}")


def eight(number):
    return number.to_bytes(8, "big")


def sha256(data):
    return hashlib.sha256(data).digest()


def main(arguments):
    if len(arguments) not in (1, 2):
        print(__doc__)
        return 2
    try:
        document = load(pathlib.Path(arguments[0]).read_text(encoding="utf-8"))
        wrong = why_not(document)
    except (OSError, ValueError, RecursionError) as error:
        print(error)
        return 2
    cycle = document["cycle"]
    if not wrong and len(arguments) == 2 and arguments[1].lower() != cycle["root"]:
        wrong = f"the root of the proof is {cycle['root']}"
    if wrong:
        print("not included:", wrong)
        return 1
    for name, value in zip(COLUMNS, document["trade"]["record"], strict=True):
        print(f"{name:<12} {value}")
    print(f"included in cycle {cycle['id']} of {cycle['trades']} trades under {cycle['root']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
