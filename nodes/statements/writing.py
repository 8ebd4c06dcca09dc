"""Statements as CSV: UTF-8, commas, a header, a line a row, and a control line at the end."""

import csv
import io
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from ledger.books.postings import Register
from ledger.domain.amounts import format_amount
from nodes.statements.columns import (
    AMOUNT_BY_KIND,
    CHINESE,
    CHINESE_VALUES,
    COLUMNS,
    CONTROL,
    Language,
    as_text,
)
from nodes.statements.model import StatementRow, StatementRows

BOM: Final = "\ufeff"
_SECURITIES: Final = "securities"


def write_statement(
    statement: StatementRows, language: Language = Language.ENGLISH, *, with_bom: bool = False
) -> bytes:
    """A statement as a file. ``with_bom`` lets a spreadsheet know that it is UTF-8."""
    columns = COLUMNS[statement.kind]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    names = columns if language is Language.ENGLISH else [CHINESE[name] for name in columns]
    writer.writerow(names)
    amount_name = AMOUNT_BY_KIND[statement.kind]
    for row in statement.rows:
        writer.writerow([_cell(row, name, amount_name, language) for name in columns])
    writer.writerow(
        [
            CONTROL,
            f"participant={statement.participant}",
            f"lines={len(statement.rows)}",
            f"blocks={statement.first_block}-{statement.last_block}",
            *totals_of([(row.register, row.asset, row.amount) for row in statement.rows]),
        ]
    )
    return ((BOM if with_bom else "") + text.getvalue()).encode()


def totals_of(amounts: Sequence[tuple[str, str, int]]) -> list[str]:
    """The sums of a file by register, asset and amount: units of all securities, each currency."""
    sums: dict[str, int] = defaultdict(int)
    for register, asset, amount in amounts:
        sums[_SECURITIES if register == Register.SECURITIES.value else asset] += amount
    return [
        f"{name}={total if name == _SECURITIES else format_amount(total, name)}"
        for name, total in sorted(sums.items())
    ]


def _cell(row: StatementRow, name: str, amount_name: str, language: Language) -> str:
    if name in ("available", "held", amount_name):
        amount = row.amount if name == amount_name else getattr(row, name)
        return words_of(row.register, row.asset, amount)
    if name == "block":
        return str(row.block)
    text = str(getattr(row, name))
    if language is Language.CHINESE:
        text = CHINESE_VALUES.get(name, {}).get(text, text)
    return as_text(text)


def words_of(register: str, asset: str, amount: int) -> str:
    """An amount as a decimal text."""
    return format_amount(amount, asset) if register == Register.CASH.value else str(amount)
