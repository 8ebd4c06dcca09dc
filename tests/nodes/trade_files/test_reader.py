"""Trade files: both formats, plain and zipped; every fault named to the line and column."""

import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.market_day.survey import survey
from nodes.trade_files import reader
from nodes.trade_files.formats import B3_TRADES, NOVATE_CSV
from nodes.trade_files.reader import TradeFile, TradeFileError

B3_LINES = [
    "2026-07-14;PETR4;0;41,200;5500;100719126;10;1;2026-07-14;85;8",
    "2026-07-14;PETR4;0;41,120;300;101602106;20;1;2026-07-14;85;120",
    "2026-07-14;ITUB4;0;43,390;200;020118304;205660;6;2026-07-13;3;1618",
    "2026-07-10;BGIN26;0;329,200;1;090000014;80;1;2026-07-10;;",
    "2026-07-14;PETR4;2;41,200;5500;100719126;10;1;2026-07-14;85;8",
]
CSV_LINES = [
    "T1,2026-02-10,09:30:00,NOVA1,100,10.50,BRK-A,BRK-B,new",
    "T2,2026-02-10,09:30:01.125,NOVA1,50,10.25,BRK-B/client,BRK-A,new",
    "T1,2026-02-10,09:30:02,NOVA1,100,10.50,BRK-A,BRK-B,cancel",
]


def write(path, form, lines, newline="\n", header=None):
    text = newline.join([header or form.header, *lines]) + newline
    path.write_bytes(text.encode(form.encoding))
    return path


def read(path):
    file = TradeFile(path)
    return file, list(file.blocks())


def test_public_lines_of_b3_are_read(tmp_path):
    file, [block] = read(write(tmp_path / "t.csv", B3_TRADES, B3_LINES))

    assert file.format is B3_TRADES
    assert file.instruments.names == ["PETR4", "ITUB4", "BGIN26"]
    assert file.participants.names == ["8", "120", "1618", "85", "3"]
    assert block.prices.tolist() == [41_200_000, 41_120_000, 43_390_000, 329_200_000, 41_200_000]
    assert block.cancels.tolist() == [0, 0, 0, 0, 1]
    assert block.after_market.tolist() == [0, 0, 1, 0, 0]
    assert block.sellers.tolist() == [0, 1, 2, -1, 0]
    assert block.times[0] == (10 * 3600 + 7 * 60 + 19) * 1_000 + 126


def test_survey_counts_what_is_in_the_file(tmp_path):
    counts = survey(TradeFile(write(tmp_path / "t.csv", B3_TRADES, B3_LINES))).counts

    assert (counts.lines, counts.trades, counts.cancellations) == (5, 3, 1)
    assert (counts.after_market, counts.without_participant) == (1, 1)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_twelfth_column_and_either_line_end_are_read(tmp_path, newline):
    lines = [line + ";1" for line in B3_LINES]
    header = B3_TRADES.header + ";TipoDoCanal"

    _, [block] = read(write(tmp_path / "t.csv", B3_TRADES, lines, newline, header))

    assert len(block) == 5


def test_own_format_is_read(tmp_path):
    file, [block] = read(write(tmp_path / "t.csv", NOVATE_CSV, CSV_LINES))

    assert file.format is NOVATE_CSV
    assert file.participants.names == ["BRK-A", "BRK-B/client", "BRK-B"]
    assert block.times.tolist() == [34_200_000, 34_201_125, 34_202_000]
    assert block.cancels.tolist() == [0, 0, 1]


def test_zip_is_told_by_content_not_by_name(tmp_path):
    plain = write(tmp_path / "t.csv", B3_TRADES, B3_LINES)
    with zipfile.ZipFile(tmp_path / "t.dat", "w") as archive:
        archive.write(plain, "inside.txt")

    zipped, _ = read(tmp_path / "t.dat")

    assert zipped.digest == read(plain)[0].digest


@pytest.mark.parametrize("size", [200, 333, 10**6])
def test_blocks_of_any_size_give_the_same_lines(tmp_path, monkeypatch, size):
    monkeypatch.setattr(reader, "BLOCK_BYTES", size)
    path = write(tmp_path / "t.csv", B3_TRADES, B3_LINES * 20)

    file, blocks = read(path)

    assert [line for b in blocks for line in range(b.first_line, b.first_line + len(b))] == list(
        range(2, 102)
    )
    numbers = [number for b in blocks for number in b.numbers.tolist()]
    assert numbers == [10, 20, 205660, 80, 10] * 20
    assert len(file.digest) == 32


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        (1, "", "a symbol"),
        (1, "P\u00c9TR4", "ASCII"),
        (2, "1", "0 or 2"),
        (3, "41.20", "a decimal price"),
        (3, "41,2000001", "a decimal price"),
        (3, "1e3", "a decimal price"),
        (4, "0", "a whole number"),
        (4, "1,5", "a whole number"),
        (4, "99999999999999999999", "a whole number"),
        (5, "250000000", "a time"),
        (5, "1007191", "a time"),
        (6, "", "a trade number"),
        (6, "abc", "a trade number"),
        (7, "2", "1 or 6"),
        (8, "2026-02-30", "a date"),
        (9, "8 5", "a participant"),
    ],
)
def test_fault_is_named_by_line_column_and_what_was_expected(tmp_path, column, value, expected):
    fields = B3_LINES[1].split(";")
    fields[column] = value
    lines = [B3_LINES[0], ";".join(fields), *B3_LINES[2:]]

    with pytest.raises(TradeFileError) as caught:
        read(write(tmp_path / "bad.csv", B3_TRADES, lines))

    assert caught.value.line == 3
    assert caught.value.column == B3_TRADES.columns[column]
    assert expected in caught.value.expected


@pytest.mark.parametrize("line", ["a;b", B3_LINES[0] + ";x;y", ";" * 9])
def test_line_of_another_width_is_named(tmp_path, line):
    with pytest.raises(TradeFileError, match="expected 11 columns") as caught:
        read(write(tmp_path / "bad.csv", B3_TRADES, [B3_LINES[0], line]))

    assert caught.value.line == 3


def test_carriage_return_inside_a_line_is_named(tmp_path):
    lines = [B3_LINES[0], B3_LINES[1].replace("PETR4", "PE\rTR4"), B3_LINES[2]]

    with pytest.raises(TradeFileError, match="no carriage return") as caught:
        read(write(tmp_path / "bad.csv", B3_TRADES, lines))

    assert caught.value.line == 3


@pytest.mark.parametrize(
    "content", [b"", b"nothing of the kind\n", b"\xff\xfe\0\0", b"PK\x03\x04junk"]
)
def test_file_of_another_kind_is_refused(tmp_path, content):
    (tmp_path / "bad").write_bytes(content)

    with pytest.raises(TradeFileError):
        read(tmp_path / "bad")


def test_file_without_a_trade_is_refused(tmp_path):
    with pytest.raises(TradeFileError, match="at least one trade"):
        survey(TradeFile(write(tmp_path / "t.csv", B3_TRADES, [])))


def test_amount_above_the_most_is_refused_with_its_line(tmp_path):
    big = "2026-07-14;PETR4;0;999999999999,0;9000000;100719126;30;1;2026-07-14;85;8"

    with pytest.raises(TradeFileError, match="quantity times price") as caught:
        survey(TradeFile(write(tmp_path / "t.csv", B3_TRADES, [*B3_LINES, big])))

    assert caught.value.line == 7


def test_endless_line_is_refused(tmp_path):
    (tmp_path / "t.csv").write_bytes(B3_TRADES.header.encode() + b"\n" + b"x" * 10_000)

    with pytest.raises(TradeFileError, match="at most"):
        read(tmp_path / "t.csv")


@given(st.lists(st.binary(max_size=40), max_size=6))
def test_any_bytes_after_a_header_are_read_or_refused(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("any") / "t.csv"
    path.write_bytes(B3_TRADES.header.encode() + b"\n" + b"\n".join(lines))

    try:
        survey(TradeFile(path))
    except TradeFileError:
        return
