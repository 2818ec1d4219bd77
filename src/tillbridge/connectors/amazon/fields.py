"""Cells of a settlement file: amounts with a comma or a point, days in the ways of a marketplace.

A mark is never guessed from the country: the first amount that has one says what it is, and one
that reads two ways is none.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache

from tillbridge.contract.csv_files import minor_of
from tillbridge.contract.zones import in_utc

_GROUPED = re.compile(r"[-+]?\d{1,3}(?:[.,'\u00a0 ]\d{3})+(?:[.,]\d+)?")
_DAY = re.compile(
    r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})|(\d{1,2})\.(\d{1,2})\.(\d{4})|(\d{1,2})/(\d{1,2})/(\d{4})"
)
_INSTANT = re.compile(
    r"(\S{8,10})(?:[T ](\d{1,2}):(\d{2}):(\d{2})(?:\.\d+)?\s*([A-Z]{1,4}|[+-]\d{2}:?\d{2})?)?"
)


class Amounts:
    """Amounts of one file. mark: of its decimals, "" = what the first amount that has one shows."""

    def __init__(self, mark: str) -> None:
        self._mark = mark

    def minor(self, text: str, places: int) -> int:
        """Minor units; raises ValueError when it is no amount, or could be two."""
        text = text.strip()
        if not self._mark:
            self._mark = self._shown(text, places)
        if _GROUPED.fullmatch(text):
            whole, mark, part = (
                text.rpartition(self._mark) if self._mark in text else (text, "", "")
            )
            text = re.sub(r"[.,'\u00a0 ]", "", whole) + mark + part
        return minor_of(text, places, self._mark or ".")

    def _shown(self, text: str, places: int) -> str:
        """The decimal mark an amount shows, "" = it has none. `1.234` shows none that is sure."""
        last = max(text.rfind("."), text.rfind(","))
        if last < 0:
            return ""
        other = "," if text[last] == "." else "."
        if len(text) - last - 1 == 3 and other not in text and places != 3:
            if text.count(text[last]) > 1 or places == 0:
                return other
            raise ValueError(f"{text!r} could be two amounts; set decimal_mark")
        return text[last]


@lru_cache(maxsize=8192)
def day_of(text: str, *, day_first: bool | None) -> date | None:
    """The day at the start of a cell; None = none, or one that reads two ways."""
    found = _DAY.match(text.strip())
    if not found:
        return None
    parts = [int(one) for one in found.groups() if one]
    if found[1]:
        year, month, day = parts
    elif found[4]:
        day, month, year = parts
    elif day_first is None:
        return None
    else:
        day, month, year = parts if day_first else (parts[1], parts[0], parts[2])
    try:
        return date(year, month, day)
    except ValueError:
        return None


@lru_cache(maxsize=8192)
def instant_of(text: str, *, day_first: bool | None) -> datetime | None:
    """The instant of a cell, in UTC; None = it has no hour, or one in no zone we know."""
    found = _INSTANT.fullmatch(text.strip())
    day = day_of(text, day_first=day_first)
    if not found or day is None or found[2] is None:
        return None
    try:
        wall = datetime(day.year, day.month, day.day, int(found[2]), int(found[3]), int(found[4]))  # noqa: DTZ001 - its zone follows
    except ValueError:
        return None
    return in_utc(wall, found[5] or "")
