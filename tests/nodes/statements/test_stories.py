"""After every tenth story of the pack, all statements agree, as of any block."""

import pytest

from ledger.books.postings import Register
from nodes.scenario.bundled import pack_files
from nodes.scenario.loader import load_story
from nodes.scenario.runner import play
from nodes.statements.model import Period, StatementKind
from nodes.statements.reading import read_statement
from nodes.statements.writing import write_statement

EVERY = 10


@pytest.mark.parametrize("path", pack_files()[::EVERY], ids=lambda path: path.stem)
def test_statements_agree_whatever_has_happened(path):
    played = play(load_story(path))
    consortium = played.consortium
    try:
        for node in consortium.nodes.values():
            expected = len(node.breaks())
            for kind in StatementKind:
                for last in (None, node.projection.height // 2):
                    made = node.statement(kind, Period(last_block=last))
                    name = f"{kind.value}-{last}"
                    given = read_statement(write_statement(made), name, node.id, consortium.network)
                    assert node.compare_statement(given) == (), (node.id, kind, last)
            assert len(node.breaks()) == expected
            whole = node.statement(StatementKind.CASH, Period()).rows
            held = node.projection.columns(Register.CASH).of_participant(node.number)
            closing = sum(row.amount for row in whole if row.entry == "closing")
            moved = sum(row.amount for row in whole if row.entry == "entry")
            assert closing == moved == held.values.sum()
    finally:
        consortium.close()
