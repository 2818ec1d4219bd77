"""Cells of CSV files that people open in a spreadsheet: no text of a stranger becomes a formula.

A text gets an apostrophe wherever a spreadsheet would begin to read a formula: at its start, after
blanks, and after what some spreadsheet takes for the end of a cell (line end, tab, semicolon).
Numbers stay numbers, negative ones too. `unguarded` takes the apostrophes off again, so that a
table that was written, corrected and read says what it said.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

_BEGIN = r"(?:\A|(?<=[\r\n\t;]))"
_BLANKS = r"[ '\u00a0\u200b\ufeff]*"
_STARTS = r"[=+\-@|\t\r\x00\uff1d\uff0b\uff0d\uff20]"
_FORMULA = re.compile(f"{_BEGIN}(?={_BLANKS}{_STARTS})")
_GUARDED = re.compile(f"{_BEGIN}'(?={_BLANKS}{_STARTS})")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def row(cells: Iterable[str], end: str = "\r\n") -> str:
    """A row (RFC 4180) of guarded cells."""
    out = io.StringIO()
    csv.writer(out, lineterminator=end).writerow(guarded(cell) for cell in cells)
    return out.getvalue()


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula; a plain number as it is."""
    return text if _NUMBER.fullmatch(text) else _FORMULA.sub("'", text)


def unguarded(text: str) -> str:
    """The text that was guarded."""
    return _GUARDED.sub("", text)
