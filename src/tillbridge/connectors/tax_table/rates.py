"""Rows of a table of tax rates, and which of them hold. Pure.

Columns: place (`US`, `US-NY`, `US-NY-122`: country, region, postcode area), category (our
department, or the kind of an amount without goods such as `shipping`; `*` = all others), code,
jurisdiction (names of ours, as the sale's own taxes have them), rate_ppm (parts per million: 8.25 %
is 82500), from (ISO date, the first day it holds).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date

import msgspec

ALL = "*"
COLUMNS = ("place", "category", "code", "jurisdiction", "rate_ppm", "from")
PPM = 1_000_000


class Rate(msgspec.Struct, frozen=True):
    """One tax at one place for one category from a day on; rate in parts per million."""

    place: str
    category: str
    code: str
    jurisdiction: str
    rate_ppm: int
    begins: date


def parse_rates(text: str, file: str) -> tuple[Rate, ...]:
    """Rows of the table; raises ValueError (`file:line: what is wrong`)."""
    reader = csv.DictReader(io.StringIO(text, newline=""))
    rates = []
    seen: set[tuple[str, str, str, date]] = set()
    for row in reader:
        where = f"{file}:{reader.line_num}"
        rate = _rate(row, where)
        identity = (rate.place, rate.category, rate.code, rate.begins)
        if identity in seen:
            raise ValueError(f"{where}: {rate.code} at {rate.place} begins twice on one day")
        seen.add(identity)
        rates.append(rate)
    return tuple(rates)


def _rate(row: dict[str, str], where: str) -> Rate:
    try:
        place, category, code, jurisdiction, ppm, begins = (row[name].strip() for name in COLUMNS)
    except (KeyError, AttributeError):
        raise ValueError(f"{where}: the columns are {', '.join(COLUMNS)}") from None
    if not (place and code and jurisdiction):
        raise ValueError(f"{where}: place, code and jurisdiction are never empty")
    if not (ppm.isascii() and ppm.isdigit() and int(ppm) < PPM):
        raise ValueError(f"{where}: rate_ppm is a whole number below a million, not {ppm!r}")
    try:
        day = date.fromisoformat(begins)
    except ValueError:
        raise ValueError(f"{where}: {begins!r} is no date") from None
    return Rate(place.upper(), category or ALL, code, jurisdiction, int(ppm), day)


def in_force(
    rates: Sequence[Rate], places: Sequence[str], categories: Sequence[str], day: date
) -> tuple[Rate, ...] | None:
    """The taxes that hold: those of the narrowest place that has any, of the first category it has
    any for, each by its newest row; None when nothing says so. A rate of 0 says there is no tax.
    """
    for place in places:
        for category in (*categories, ALL):
            newest: dict[str, Rate] = {}
            for rate in rates:
                if (rate.place, rate.category) == (place, category) and rate.begins <= day:
                    known = newest.get(rate.code)
                    if known is None or known.begins < rate.begins:
                        newest[rate.code] = rate
            if newest:
                return tuple(newest[code] for code in sorted(newest))
    return None
