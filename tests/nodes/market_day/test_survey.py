"""What cannot be a market day is refused by line and column, before anything is founded."""

import zipfile

import pytest

from nodes.market_day.survey import survey
from nodes.trade_files.formats import B3_TRADES, NOVATE_CSV
from nodes.trade_files.reader import TradeFile, TradeFileError

FIRST = "T1,2026-02-10,09:30:00,NOVA1,100,10.50,BRK-A,BRK-B,new"
FIELDS = dict(zip(NOVATE_CSV.columns, FIRST.split(","), strict=True))
B3_FIRST = "2026-07-14;PETR4;0;41,200;5500;100719126;10;1;2026-07-14;85;8"


def line(**changes):
    return ",".join((FIELDS | {"trade_id": "T2"} | changes).values())


def file_of(tmp_path, *lines, form=NOVATE_CSV):
    path = tmp_path / "t.csv"
    path.write_bytes("\n".join([form.header, *lines, ""]).encode(form.encoding, "surrogateescape"))
    return TradeFile(path)


@pytest.mark.parametrize(
    ("changes", "column", "expected"),
    [
        ({"seller": "EXCHANGE"}, "seller", "a participant that trades"),
        ({"buyer": "bank-1/x"}, "buyer", "a participant that trades"),
        ({"seller": "brk-a"}, "seller", "one spelling of a participant, BRK-A as before"),
        ({"buyer": ""}, "buyer", "a participant"),
        ({"instrument": "US0378331006"}, "instrument", "the check digit 5"),
        ({"instrument": "ZZ0000NOVA12"}, "instrument", "one name for an instrument, NOVA1"),
        ({"trade_date": "1969-12-31"}, "trade_date", "a date from 1970-01-01 on"),
        ({"trade_date": "2026-02-11"}, "trade_date", "2026-02-10, the day of the first line"),
        ({"price": "0"}, "price", "a price above zero"),
        ({"price": "-1.00"}, "price", "a price above zero"),
        ({"price": "0.004", "quantity": "1"}, "price", "worth 0.01"),
        ({"trade_id": "\udcff"}, "trade_id", "ASCII"),
        ({"time": "\udcff9:30:00"}, "time", "a time"),
    ],
)
def test_what_one_line_cannot_tell_is_named_by_line_and_column(tmp_path, changes, column, expected):
    with pytest.raises(TradeFileError) as caught:
        survey(file_of(tmp_path, FIRST, line(**changes)))

    assert (caught.value.line, caught.value.column) == (3, column)
    assert expected in caught.value.expected


def test_more_participants_than_the_contracts_number_are_refused(tmp_path):
    lines = [line(trade_id=f"T{i}", seller=f"P{i}") for i in range(1_100)]

    with pytest.raises(TradeFileError, match="at most 1018 participants"):
        survey(file_of(tmp_path, *lines))


def test_more_client_accounts_than_the_contracts_number_are_refused(tmp_path):
    lines = [line(trade_id=f"T{i}", seller=f"P/c{i}") for i in range(300)]

    with pytest.raises(TradeFileError, match="at most 255 client accounts") as caught:
        survey(file_of(tmp_path, *lines))
    assert caught.value.line == 257


def test_trades_that_are_worth_too_much_together_are_refused(tmp_path):
    lines = [line(trade_id=f"T{i}", quantity=str(10**15), price="0.01") for i in range(5_000)]

    with pytest.raises(TradeFileError, match="in all lines up to here"):
        survey(file_of(tmp_path, *lines))


def test_public_line_that_is_worth_nothing_is_left_out(tmp_path):
    nothing = B3_FIRST.replace("41,200;5500", "0,004;1").replace(";10;1;", ";20;1;")
    something = B3_FIRST.replace("41,200;5500", "0,005;1").replace(";10;1;", ";30;1;")

    counts = survey(file_of(tmp_path, B3_FIRST, nothing, something, form=B3_TRADES)).counts

    assert (counts.trades, counts.without_price) == (2, 1)


def test_public_participant_is_a_code(tmp_path):
    with pytest.raises(TradeFileError, match="one to six digits"):
        survey(file_of(tmp_path, B3_FIRST.replace(";85;", ";abc;"), form=B3_TRADES))


def zipped(tmp_path):
    path, lines = tmp_path / "t.zip", [line(trade_id=f"T{i}") for i in range(5_000)]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", "\n".join([NOVATE_CSV.header, *lines, ""]))
    return path


def damage(content):
    middle = len(content) // 2
    content[middle : middle + 40] = bytes(40)


def encrypt(content):
    content[6] |= 1
    content[content.rfind(b"PK\1\2") + 8] |= 1


def use_unknown_method(content):
    content[8] = content[content.rfind(b"PK\1\2") + 10] = 99


@pytest.mark.parametrize("change", [damage, encrypt, use_unknown_method])
def test_zip_that_cannot_be_read_is_refused(tmp_path, change):
    path = zipped(tmp_path)
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)

    with pytest.raises(TradeFileError, match=r"t\.zip: zip: expected a"):
        survey(TradeFile(path))
