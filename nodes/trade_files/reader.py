"""Reading a trade file: blocks of lines in, columns out, the first fault named to the column.

Every check is one vectorised test over a block that yields the first line to fail it, so that the
fast way and the exact way are the same way. Memory holds one block, whatever the size of the file.
"""

import hashlib
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import pyarrow as pa
import pyarrow.csv as pacsv

from nodes.trade_files.block import Block, BlockColumns, NameList
from nodes.trade_files.formats import FORMATS, TradeFileFormat

BLOCK_BYTES: Final = 4 * 1024 * 1024
LINE_BYTES_MAX: Final = 4_096
_ZIP_MAGIC: Final = b"PK\x03\x04"


class TradeFileError(Exception):
    """A fault in a trade file: where, what was expected, what was found. Nothing was loaded.

    ``line`` is 0 when the file as a whole is not what it must be.
    """

    def __init__(self, file: Path, line: int, column: str, expected: str, found: str) -> None:
        place = f"{file}:{line}" if line else str(file)
        super().__init__(f"{place}: {column}: expected {expected}, found {found!r}")
        self.file = file
        self.line = line
        self.column = column
        self.expected = expected
        self.found = found


class TradeFile:
    """A trade file of either format, plain or zipped."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.instruments = NameList()
        self.participants = NameList()
        self.digest = b""
        with self._open() as stream:
            self.format, self._width = self._recognise(stream.readline(LINE_BYTES_MAX))

    def blocks(self) -> Iterator[Block]:
        """The lines, block by block. Raises TradeFileError at the first fault.

        ``digest`` is the SHA-256 of the whole (unzipped) content once the last block was given.
        """
        content = hashlib.sha256()
        with self._open() as stream:
            content.update(stream.readline(LINE_BYTES_MAX))
            line, rest = 2, b""
            while chunk := stream.read(BLOCK_BYTES):
                content.update(chunk)
                body, newline, rest = (rest + chunk).rpartition(b"\n")
                if newline:
                    yield from self._parse(body + newline, line)
                    line += body.count(b"\n") + 1
                if len(rest) > LINE_BYTES_MAX:
                    text = rest[:40].decode("latin-1")
                    raise self._error(line, "line", f"at most {LINE_BYTES_MAX} bytes", text)
            if rest:
                yield from self._parse(rest + b"\n", line)
        self.digest = content.digest()

    def _recognise(self, header: bytes) -> tuple[TradeFileFormat, int]:
        text = header.decode("latin-1").rstrip("\r\n").lstrip("ï»¿")
        for each in FORMATS:
            for extra in range(len(each.optional_columns) + 1):
                columns = each.columns + each.optional_columns[:extra]
                if text == each.delimiter.join(columns):
                    return each, len(columns)
        names = " or ".join(each.name for each in FORMATS)
        raise self._error(1, "header", f"the header of {names} (docs/trade-files.md)", text[:60])

    def _parse(self, body: bytes, first_line: int) -> Iterator[Block]:
        rows = body.count(b"\n")
        table = self._table(body, rows, first_line)
        columns = BlockColumns(self.format, table)
        block = columns.to_block(first_line, self.instruments, self.participants)
        if columns.fault is not None:
            row, column, expected, found = columns.fault
            raise self._error(first_line + row, column, expected, found)
        yield block

    def _table(self, body: bytes, rows: int, first_line: int) -> pa.Table:
        columns = (self.format.columns + self.format.optional_columns)[: self._width]
        used = list(self.format.column_by_field.values())
        try:
            table = pacsv.read_csv(
                pa.BufferReader(body),
                pacsv.ReadOptions(column_names=columns, block_size=len(body)),
                pacsv.ParseOptions(
                    delimiter=self.format.delimiter, quote_char=False, ignore_empty_lines=False
                ),
                pacsv.ConvertOptions(
                    # What is used is checked to be ASCII, column by column.
                    check_utf8=False,
                    column_types=dict.fromkeys(used, pa.string()),
                    include_columns=used,
                    strings_can_be_null=False,
                ),
            )
        except pa.ArrowInvalid:
            table = None
        if table is None or table.num_rows != rows:
            raise self._wrong_width(body, first_line)
        return table

    def _wrong_width(self, body: bytes, first_line: int) -> TradeFileError:
        delimiter = self.format.delimiter.encode()
        for offset, line in enumerate(body.removesuffix(b"\n").split(b"\n")):
            if b"\r" in line.removesuffix(b"\r"):
                found_text = line[:40].decode("latin-1")
                expected = "no carriage return inside a line"
                return self._error(first_line + offset, "line", expected, found_text)
            found = line.count(delimiter) + 1
            if found != self._width:
                return self._error(
                    first_line + offset, "line", f"{self._width} columns", f"{found} columns"
                )
        return self._error(first_line, "line", f"{self._width} columns", "something else")

    def _error(self, line: int, column: str, expected: str, found: str) -> TradeFileError:
        return TradeFileError(self.path, line, column, expected, found)

    @contextmanager
    def _open(self) -> Iterator[IO[bytes]]:
        with self.path.open("rb") as plain:
            is_zip = plain.read(len(_ZIP_MAGIC)) == _ZIP_MAGIC
            plain.seek(0)
            if not is_zip:
                yield plain
                return
            try:
                with zipfile.ZipFile(plain) as archive:
                    members = [info for info in archive.infolist() if not info.is_dir()]
                    if len(members) != 1:
                        names = ", ".join(info.filename for info in members) or "nothing"
                        raise self._error(0, "zip", "one file inside the zip", names)
                    yield self._opened(archive, members[0])
            except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError) as error:
                raise self._error(0, "zip", "a whole zip file", str(error)) from error

    def _opened(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> IO[bytes]:
        try:
            return archive.open(member)
        except (RuntimeError, NotImplementedError) as error:
            expected = "a zip without a password, compressed in a usual way"
            raise self._error(0, "zip", expected, str(error)) from error
