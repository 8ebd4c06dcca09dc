"""Statements go out and come in again: what was not changed agrees, and what was is found."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.books.postings import Register
from ledger.domain.amounts import trade_amount
from ledger.domain.breaks import BreakKind
from ledger.domain.errors import MalformedError
from nodes.consortium import Consortium
from nodes.statements.columns import Language
from nodes.statements.model import Period, StatementKind, StatementRow, StatementRows
from nodes.statements.reading import StatementFileError, read_statement
from nodes.statements.writing import write_statement
from tests.support.consortia import capture, small_consortium, trades_of

WHOLE = Period()


@pytest.fixture(scope="module")
def market() -> Iterator[Consortium]:
    consortium = small_consortium(shares={"A": 1_000, "B": 500}, cash={"B": 90_000, "C": 70_000})
    network = consortium.network
    for turn in range(3):
        rows = [
            (f"{turn}1", "A", "B", 10 + turn, 1_000),
            (f"{turn}2", "A", "C", 5, 500),
            (f"{turn}3", "B", "C", 7, 701),
        ]
        capture(consortium, trades_of(network, *rows))
        consortium.clearing_house.net.close()
        assert consortium.reconcile() == 0
    yield consortium
    consortium.close()


def _compared(market: Consortium, node: str, content: bytes, name: str = "file") -> list[BreakKind]:
    statement = read_statement(content, name, node, market.network)
    return [each.kind for each in market.nodes[node].compare_statement(statement)]


@pytest.mark.parametrize("node", ["A", "B", "C", "BANK-1"])
@pytest.mark.parametrize("kind", StatementKind)
@pytest.mark.parametrize("language", Language)
def test_what_goes_out_agrees_when_it_comes_in(
    market: Consortium, node: str, kind: StatementKind, language: Language
) -> None:
    statement = market.nodes[node].statement(kind, WHOLE)

    assert _compared(market, node, write_statement(statement, language, with_bom=True)) == []
    assert market.nodes[node].breaks() == []


def test_statements_of_every_block_agree(market: Consortium) -> None:
    node = market.nodes["B"]
    for last in range(node.projection.height + 1):
        for kind in StatementKind:
            statement = node.statement(kind, Period(last_block=last))
            assert _compared(market, "B", write_statement(statement)) == []


def test_cash_opens_with_what_it_had_and_closes_with_what_it_has(market: Consortium) -> None:
    node, height = market.nodes["B"], market.nodes["B"].projection.height
    statement = node.statement(StatementKind.CASH, Period(first_block=height))
    opening, *entries, closing = statement.rows
    held = node.own_book.positions_of(Register.CASH, node.number)

    assert opening.amount + sum(row.amount for row in entries) == closing.amount
    assert [closing.amount] == list(held.values())
    assert len(entries) == 1
    whole = node.statement(StatementKind.CASH, WHOLE).rows
    assert whole[0].amount == 0


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(StatementKind),
    node=st.sampled_from(["A", "B", "C"]),
    place=st.integers(0, 1_000),
    change=st.sampled_from(["amount", "dropped", "repeated"]),
    language=st.sampled_from(Language),
)
def test_one_planted_change_is_exactly_what_is_found(
    market: Consortium,
    kind: StatementKind,
    node: str,
    place: int,
    change: str,
    language: Language,
) -> None:
    statement = market.nodes[node].statement(kind, WHOLE)
    changeable = [
        i for i, row in enumerate(statement.rows) if row.entry != "opening" and row.amount
    ]
    at = changeable[place % len(changeable)]
    rows = list(statement.rows)
    row = rows[at]
    is_cash = row.register == Register.CASH.value
    match change:
        case "amount":
            rows[at] = replace(row, amount=row.amount + 3)
            expected = BreakKind.AMOUNT if is_cash else BreakKind.QUANTITY
        case "dropped":
            del rows[at]
            expected = BreakKind.MISSING_THEIRS
            if not any(each.register == row.register for each in rows):
                return
        case _:
            rows.append(row)
            expected = BreakKind.DUPLICATE
    content = write_statement(replace(statement, rows=tuple(rows)), language)

    assert _compared(market, node, content, "planted") == [expected]
    (found,) = market.nodes[node].breaks()
    assert found.kind is expected
    if change != "dropped":
        line = at + 2 if change == "amount" else None
        assert "planted" in found.theirs
        assert line is None or f"line {line} " in found.theirs
    # A corrected file of the same name closes it.
    assert _compared(market, node, write_statement(statement), "planted") == []
    assert market.nodes[node].breaks() == []


def test_a_file_of_another_kind_or_register_closes_no_break(market: Consortium) -> None:
    node = market.nodes["B"]
    positions = write_statement(node.statement(StatementKind.POSITIONS, WHOLE))
    movements = write_statement(node.statement(StatementKind.MOVEMENTS, WHOLE))
    whole = positions.decode().splitlines()
    [cash] = [line for line in whole if ",CNY,CNY," in line]
    shares = [whole[0], *(line for line in whole[1:-1] if ",CNY," not in line)]
    wrong = b"account,asset,total\nB,CNY,1.00\n"
    assert cash
    assert _compared(market, "B", wrong) == [BreakKind.AMOUNT]

    assert _compared(market, "B", movements) == []
    assert _compared(market, "B", "\n".join(shares).encode()) == []
    assert len(node.breaks()) == 1
    assert _compared(market, "B", positions) == []
    assert node.breaks() == []


def test_another_system_s_file_needs_the_needed_columns_only(market: Consortium) -> None:
    total = market.nodes["A"].statement(StatementKind.POSITIONS, WHOLE).rows
    lines = [f"{row.amount if row.register == 'securities' else 0}" for row in total]
    content = f"Depot,asset,account,total\n17,{total[0].asset},A,{lines[0]}\n".encode()

    assert _compared(market, "A", content, "custodian") == []
    other = content.replace(f",{lines[0]}".encode(), b",1")
    assert _compared(market, "A", other, "custodian") == [BreakKind.QUANTITY]
    assert _compared(market, "A", content, "custodian") == []


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "header"),
        (b"account,asset\n", "header: expected the columns account+asset+total"),
        (b"account,account,asset,total\n", "header: expected one column account"),
        (b"account,asset,total\nA,CNY,1\nA,CNY\n", "file:3: line: expected 3 columns"),
        (b"account,asset,total\nB,CNY,1\n", "file:2: account: expected an account of A"),
        (b"account,asset,total\nA,USB,1\n", "file:2: asset: expected an ISIN or a currency"),
        (b"account,asset,total\nA,CNY,1e3\n", "file:2: total: expected a decimal amount of CNY"),
        (b"account,asset,total\nA,CNY,=1+1\n", "file:2: total"),
        (b"account,asset,total\n=cmd(),CNY,1\n", "file:2: account"),
        (b"account,asset,total\nA,CNY,\xff\n", "file:2: text: expected UTF-8"),
        (b'account,asset,total\nA,CNY,"1\n', "file:2: line: expected comma-separated values"),
        (b"account,asset,reference,change\nA,CNY,12,1\n", "file:2: reference"),
        (
            b"account,asset,total\nA,CNY,1\n#control,participant=A,lines=2,blocks=0-1,CNY=1.00\n",
            "#control: expected lines=2, as the control line has it, found 'lines=1 in the lines'",
        ),
        (b"account,asset,total\n#control,lines=0\n", "#control: expected blocks=FIRST-LAST"),
    ],
)
def test_a_bad_file_is_refused_whole_with_its_place(
    market: Consortium, content: bytes, complaint: str
) -> None:
    with pytest.raises(StatementFileError) as caught:
        read_statement(content, "file", "A", market.network)

    assert complaint in str(caught.value)


def test_a_statement_of_a_block_to_come_is_refused(market: Consortium) -> None:
    with pytest.raises(MalformedError):
        market.nodes["A"].statement(StatementKind.CASH, Period(last_block=10_000))


def test_texts_that_spreadsheets_take_for_formulas_are_made_text() -> None:
    row = StatementRow("=1+1", "cash", "CNY", "@SUM(A1)", -100, entry="entry", reference="-x")
    written = write_statement(StatementRows("A", StatementKind.CASH, 0, 1, (row,))).decode()

    assert "\r\n'=1+1,CNY,entry,0,,,'-x,-1.00\r\n" in written


def test_movements_are_there_after_a_restart_and_with_their_dates(tmp_path) -> None:
    consortium = small_consortium(shares={"A": 10}, cash={"B": 500}, path=tmp_path)
    before = consortium.nodes["A"].statement(StatementKind.MOVEMENTS, WHOLE)
    day = consortium.clock.business_time().date()
    consortium.close()
    again = small_consortium(shares={"A": 10}, cash={"B": 500}, path=tmp_path)

    assert again.nodes["A"].statement(StatementKind.MOVEMENTS, WHOLE) == before
    assert [row.date for row in before.rows] == [day.isoformat()]
    of_day = Period(day=day.toordinal())
    assert again.nodes["A"].statement(StatementKind.MOVEMENTS, of_day).rows == before.rows
    assert not again.nodes["A"].statement(StatementKind.MOVEMENTS, Period(day=1)).rows
    again.close()


def test_what_a_statement_has_too_many_is_worth_what_it_was_last_traded_at(
    market: Consortium,
) -> None:
    made = market.nodes["A"].statement(StatementKind.POSITIONS, WHOLE)
    rows = tuple(
        replace(row, amount=row.amount + 3) if row.register == "securities" else row
        for row in made.rows
    )
    changed = read_statement(
        write_statement(replace(made, rows=rows)), "too-many", "A", market.network
    )

    market.nodes["A"].compare_statement(changed)

    [found] = market.nodes["A"].breaks()
    price = market.nodes["A"].last_price(1)
    assert price
    worth = trade_amount(3, price, "CNY")
    assert (found.version.at_risk, found.version.currency) == (worth, "CNY")
    # The right file of the same name closes it.
    assert _compared(market, "A", write_statement(made), "too-many") == []
