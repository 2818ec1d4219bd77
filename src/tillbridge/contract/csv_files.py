"""Tables as vendors write them: columns found by their names, streamed, nothing dropped.

Vendors add columns, merchants change their order: a column is found by its name, whatever its case
and the blanks around it; what no reader asks for is kept as text.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO, Protocol

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.settlement import Broken

CELL_MOST = 65_536


class _Reader(Protocol):
    """A `csv.reader`."""

    @property
    def line_num(self) -> int:
        """Lines read."""

    def __iter__(self) -> Iterator[list[str]]:
        """Itself."""


_ENCODER = msgspec.json.Encoder()


class CsvFile:
    """One table. Raises NeedsDecision when it has no header or lacks a column it must have."""

    def __init__(
        self,
        stream: BinaryIO,
        *,
        required: Sequence[str],
        known: Sequence[str] = (),
        same: Mapping[str, str] | None = None,
        delimiter: str = "",
        encoding: str = "utf-8-sig",
        errors: str = "strict",
    ) -> None:
        """required, known: columns the reader asks for. same: other names of them. delimiter: ""
        = the one of comma, semicolon and tab that the header holds most of. errors: what becomes of
        bytes that are no text (`backslashreplace` keeps their rows). A table parted by tabs whose
        header has no quotes has none at all: a quotation mark is a letter of its cell.
        """
        self._text = io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="")
        first = self._first_line(stream)
        mark = delimiter or max(",;\t", key=first.count)
        bare = mark == "\t" and '"' not in first
        names = next(iter(csv.reader([first], delimiter=mark)), [])
        called = same or {}
        self.header = [called.get(name, name) for name in map(_plain, names)]
        missing = [name for name in required if name not in self.header]
        if missing:
            raise _unreadable(f"the file has no column {', '.join(missing)}")
        doubled = {name for name in self.header if name and self.header.count(name) > 1}
        if doubled & {*required, *known}:
            raise _unreadable(f"the file has the column {min(doubled)} twice")
        asked = {*required, *known}
        self._others = [
            (n, name) for n, name in enumerate(self.header) if name and name not in asked
        ]
        csv.field_size_limit(CELL_MOST)
        self._reader = csv.reader(
            self._text,
            delimiter=mark,
            quoting=csv.QUOTE_NONE if bare else csv.QUOTE_MINIMAL,
            strict=True,
        )

    def _first_line(self, stream: BinaryIO) -> str:
        try:
            return self._text.readline(CELL_MOST)
        except UnicodeDecodeError as problem:
            raise _unreadable(f"the file is not text: {problem.reason}") from None
        finally:
            del stream

    def at(self, name: str) -> int:
        """Place of a column in a row, -1 = the file has none."""
        return self.header.index(name) if name in self.header else -1

    def rows(self) -> Iterator[tuple[int, list[str]] | Broken]:
        """(number of its line, cells) of each row; blank lines are none. A row of another width,
        and one that no table can hold, is Broken; the others go on.
        """
        width = len(self.header)
        try:
            for row in records_of(self._reader, 1):
                if isinstance(row, Broken) or len(row[1]) == width:
                    yield row
                elif any(row[1]):
                    words = f"the row has {len(row[1])} cells, the header {width}"
                    yield Broken(row[0], words)
        finally:
            self._text.detach()

    def further(self, cells: Sequence[str]) -> str:
        """The columns nobody asked for as a JSON object, "" when they are empty."""
        found = {name: cells[n] for n, name in self._others if cells[n]}
        return _ENCODER.encode(found).decode() if found else ""


def minor_of(text: str, places: int, mark: str = ".") -> int:
    """Minor units of a decimal text ("-12.50", 2 -> -1250); raises ValueError on anything else.

    places: decimals of the currency (`atoms.money.exponent`). mark: the decimal mark.
    """
    sign, digits = (-1, text[1:]) if text[:1] == "-" else (1, text.removeprefix("+"))
    whole, _, part = digits.partition(mark)
    if not (whole or part) or not (whole + part).isascii() or not (whole + part).isdigit():
        raise ValueError(f"{text!r} is no amount")
    if len(part) > places:
        if part[places:].strip("0"):
            raise ValueError(f"{text} has more than {places} decimals")
        part = part[:places]
    return sign * int((whole or "0") + part.ljust(places, "0"))


def _plain(name: str) -> str:
    return " ".join(name.strip().lower().split())


def _unreadable(words: str) -> NeedsDecision:
    return NeedsDecision("settlement_unreadable", words, owner="integration")


def header_of(head: bytes) -> frozenset[str]:
    """Names of columns in the first line of a file's first bytes, whatever parts them."""
    line = head.split(b"\n", 1)[0].decode("utf-8-sig", "replace").strip()
    mark = max(",;\t", key=line.count)
    return frozenset(_plain(name.strip('"')) for name in line.split(mark))


def records_of(reader: _Reader, before: int = 0) -> Iterator[tuple[int, list[str]] | Broken]:
    """(number of its line, cells) of each row of a `csv.reader`; a row that no table can hold is
    Broken, and so is where a file stops being text. before: lines read before it.
    """
    more = True
    try:
        while more:
            more = False
            try:
                for cells in reader:
                    yield reader.line_num + before, cells
            except csv.Error as problem:
                yield Broken(reader.line_num + before, f"the row is none of a table: {problem}")
                more = True
    except UnicodeDecodeError as problem:
        yield Broken(reader.line_num + before, f"not text from here on: {problem.reason}")


def text_of(stream: BinaryIO) -> io.TextIOWrapper:
    """A stream as text for `csv.reader`, what is no UTF-8 in it kept in hexadecimal. Detach it when
    it was read; cells longer than CELL_MOST break their row.
    """
    csv.field_size_limit(CELL_MOST)
    return io.TextIOWrapper(stream, encoding="utf-8-sig", errors="backslashreplace", newline="")
