"""Lines and rows of a text file, in constant memory: bytes that cannot be read stay visible.

Bytes that are not of the encoding are carried as lone surrogates (Python's surrogateescape) until
the row is refused, so that a broken piece keeps its exact bytes.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.connectors.feed.mapping import EBCDIC, Layout
from tillbridge.contract import wire

CHUNK = 64 * 1024
LINE_MAX = 1024 * 1024
QUOTED_LINES_MAX = 200
_UNDECODED = re.compile("[\udc80-\udcff]")


class Row(msgspec.Struct, frozen=True):
    """One row: line it begins at (from 1), its text, its values, or the problem at a column.

    skipped: a line before the first row that the mapping leaves out.
    """

    line: int
    text: str
    values: dict[str, Any] | list[str] | None = None
    problem: str = ""
    column: int = 1
    skipped: bool = False


def lines(stream: BinaryIO, encoding: str) -> Iterator[str]:
    """Lines with their ends; a line longer than 1 MiB comes in pieces of that size."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
    rest = ""
    first = True
    while True:
        chunk = stream.read(CHUNK)
        text = decoder.decode(chunk, final=not chunk)
        if encoding in EBCDIC:
            text = text.replace("\x85", "\n")
        if first and text:
            text, first = text.removeprefix("\ufeff"), False
        rest += text
        start = 0
        while (end := rest.find("\n", start)) >= 0:
            yield from _pieces(rest[start : end + 1])
            start = end + 1
        rest = rest[start:]
        while len(rest) > LINE_MAX:
            yield rest[:LINE_MAX]
            rest = rest[LINE_MAX:]
        if not chunk:
            break
    if rest:
        yield rest


def _pieces(line: str) -> Iterator[str]:
    for start in range(0, len(line), LINE_MAX):
        yield line[start : start + LINE_MAX]


def raw(text: str, encoding: str) -> bytes:
    """The bytes a text was read from."""
    return text.encode(encoding, "surrogateescape")


def rows(stream: BinaryIO, layout: Layout) -> Iterator[Row]:
    """Rows after the skipped lines; values as a list of texts (csv, tsv), as a table otherwise."""
    source = _Lines(lines(stream, layout.encoding))
    for _ in range(layout.skip):
        skipped = source.take()
        if skipped is not None:
            yield Row(source.number, skipped, skipped=True)
    while (line := source.take()) is not None:
        number = source.number
        text = line.rstrip("\r\n")
        if not text.strip():
            continue
        broken = _UNDECODED.search(text)
        if broken is not None:
            byte = ord(broken.group()) - 0xDC00
            words = f"byte 0x{byte:02x} is not {layout.encoding}"
            yield Row(number, line, problem=words, column=broken.start() + 1)
        elif "\x00" in text:
            yield Row(number, line, problem="a NUL character", column=text.index("\x00") + 1)
        elif len(line) >= LINE_MAX:
            yield Row(number, line, problem=f"a line of more than {LINE_MAX} characters")
        elif layout.format == "jsonl":
            yield _json_row(number, line)
        elif layout.format == "fixed":
            yield _fixed_row(number, line, text, layout)
        else:
            yield _separated_row(number, line, source, layout)


class _Lines:
    """Lines with their numbers, and the possibility to give some back."""

    def __init__(self, source: Iterator[str]) -> None:
        self._source = source
        self._back: list[str] = []
        self.number = 0

    def take(self) -> str | None:
        line = self._back.pop() if self._back else next(self._source, None)
        self.number += line is not None
        return line

    def give_back(self, taken: list[str]) -> None:
        self._back.extend(reversed(taken))
        self.number -= len(taken)


def _json_row(number: int, line: str) -> Row:
    try:
        return Row(number, line, wire.parse(dict[str, Any], line.strip().encode()))
    except NeedsDecision as case:
        return Row(number, line, problem=case.words)


def _fixed_row(number: int, line: str, text: str, layout: Layout) -> Row:
    needed = max(span.start + span.width - 1 for span in layout.spans)
    if len(text) < needed:
        words = f"the line has {len(text)} characters, its columns need {needed}"
        return Row(number, line, problem=words, column=len(text) + 1)
    if text[needed:].strip():
        words = f"there is more after the last column: {text[needed:][:20]!r}"
        return Row(number, line, problem=words, column=needed + 1)
    values = {
        span.name: text[span.start - 1 : span.start - 1 + span.width].strip()
        for span in layout.spans
    }
    return Row(number, line, values)


def _separated_row(number: int, line: str, source: _Lines, layout: Layout) -> Row:
    """A row of separated values; a quote may span lines, up to a limit."""
    if not layout.quote or layout.quote not in line:
        return Row(number, line, line.rstrip("\r\n").split(layout.delimiter))
    taken: list[str] = []
    text = line
    while True:
        fields, column, words = _quoted(text, layout.delimiter, layout.quote)
        if not words:
            return Row(number, text, fields)
        if words != _OPEN:
            source.give_back(taken)
            return Row(number, line, problem=words, column=column)
        more = source.take() if len(taken) < QUOTED_LINES_MAX and len(text) < LINE_MAX else None
        if more is None or "\x00" in more or _UNDECODED.search(more):
            source.give_back([*taken, more] if more is not None else taken)
            return Row(number, line, problem="the quote opened here never closes", column=column)
        taken.append(more)
        text += more


_OPEN = "open"


def _quoted(text: str, delimiter: str, quote: str) -> tuple[list[str], int, str]:
    """Fields of one row; or the column and what is wrong there (`open` = the quote goes on)."""
    text = text.rstrip("\r\n")
    fields: list[str] = []
    place = 0
    while True:
        if text.startswith(quote, place):
            end, value = _quoted_field(text, place, quote)
            if end < 0:
                return [], place + 1, _OPEN
            fields.append(value)
            if end < len(text) and not text.startswith(delimiter, end):
                found = text[end : end + 10]
                return [], end + 1, f"text after a closing quote: {found!r}"
        else:
            end = text.find(delimiter, place)
            end = len(text) if end < 0 else end
            fields.append(text[place:end])
        if end >= len(text):
            return fields, 0, ""
        place = end + 1


def _quoted_field(text: str, start: int, quote: str) -> tuple[int, str]:
    """End (after the closing quote) and value of a quoted field; -1 when it does not close."""
    place = start + 1
    while True:
        end = text.find(quote, place)
        if end < 0:
            return -1, ""
        if text.startswith(quote, end + 1):
            place = end + 2
            continue
        return end + 1, text[start + 1 : end].replace(quote * 2, quote)
