"""Sequence gaps: which transaction numbers of a till were never heard of.

Every transaction takes a number, not only sales: sign-ons, no-sales, voids, training and closes are
known to the hub as well, so a number that is missing is a transaction that never came. `look` works
on the till days that have something new, in sets; gaps keep the time they were noticed, and close
when the numbers come later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby

import msgspec

from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.tills.numbers import (
    Lap,
    Run,
    count,
    day_numbers,
    each,
    gap_between,
)
from tillbridge.reconciliation.tills.rules import Expected

QUERIES = load(
    "tillbridge.reconciliation.tills",
    "sequences.sql",
    "touched",
    "roll_up",
    "runs",
    "save_numbers",
    "neighbours",
    "open_gaps_of",
    "fill_gaps",
    "add_gaps",
    "gaps",
    "told_keys",
)
OVERLAP = timedelta(hours=1)
"""Looked at again each time: clocks of several machines differ, transactions take their time."""
NAMED_MOST = 200
"""Of a wider gap not every number is looked for among what waits for a person."""

Day = tuple[str, str, str, date]
"""Source, location, till ("" where a store's tills share the numbers), business date."""
Place = tuple[str, str, str, date, bool]
"""A day and which of its gaps: True = the one before its first number."""


class Looked(msgspec.Struct, frozen=True):
    """What one look did: till days with something new, gaps noticed, gaps filled."""

    days: int
    noticed: int
    filled: int


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of a till that are missing, first to last, both included.

    waiting: how many of them came but wait for a decision (they have a case of their own).
    filled_at: when the last of them came after all.
    """

    source: str
    location: str
    till: str
    business_date: date
    first: int
    last: int
    missing: int
    waiting: int
    noticed_at: datetime
    filled_at: datetime | None


def look(connection: Connection, expected: Expected, now: datetime) -> Looked:
    """Bring till days and gaps up to date. The caller commits."""
    days: list[Day] = connection.execute(QUERIES.touched, (OVERLAP,)).fetchall()
    if not days:
        return Looked(0, 0, 0)
    connection.execute(QUERIES.roll_up, _columns(days, 4))
    series = sorted({_series(day, expected) for day in days if _numbered(day, expected)})
    inside = _save_runs(connection, series, expected)
    found, places = _with_heads(connection, series, inside, expected)
    noticed, filled = _settle(connection, found, places, expected, now)
    return Looked(len(days), noticed, filled)


def gaps(connection: Connection, filled_since: datetime) -> list[Gap]:
    """All gaps that are open, and those filled since an instant."""
    rows = connection.execute(QUERIES.gaps, (filled_since,)).fetchall()
    told = _told(connection, rows)
    return [
        Gap(
            source=row[0],
            location=row[1],
            till=row[2],
            business_date=row[3],
            first=row[4],
            last=row[5],
            missing=row[6],
            waiting=sum(any(key in told for key in keys) for keys in _keys_of(row)),
            noticed_at=row[7],
            filled_at=row[8],
        )
        for row in rows
    ]


def _numbered(day: Day, expected: Expected) -> bool:
    return expected.of(day[0]).numbers != "none"


def _series(day: Day, expected: Expected) -> Day:
    shared = expected.of(day[0]).numbers == "store"
    return (day[0], day[1], "" if shared else day[2], day[3])


def _lap(source: str, expected: Expected) -> Lap:
    rules = expected.of(source)
    return Lap(rules.first_number, rules.lap)


def _columns(rows: Iterable[tuple[object, ...]], width: int) -> tuple[list[object], ...]:
    columns = [list(column) for column in zip(*rows, strict=True)]
    return tuple(columns or [[] for _ in range(width)])


def _save_runs(
    connection: Connection, series: Sequence[Day], expected: Expected
) -> dict[Day, tuple[Run, ...]]:
    """Keep first and last number of each day; gives the gaps between."""
    rows = connection.execute(QUERIES.runs, _columns(series, 4)).fetchall()
    inside: dict[Day, tuple[Run, ...]] = {}
    kept: list[tuple[object, ...]] = []
    for day, group in groupby(rows, key=lambda row: tuple(row[:4])):
        runs = list(group)
        numbers = day_numbers([Run(row[4], row[5]) for row in runs], _lap(day[0], expected))
        prefixes = sorted({text for row in runs for text in row[6:8] if text})
        width = max(row[8] for row in runs)
        kept.append((*day, numbers.first, numbers.last, "\x1f".join(prefixes), width))
        inside[day] = numbers.gaps
    if kept:
        connection.execute(QUERIES.save_numbers, _columns(kept, 8))
    return inside


def _with_heads(
    connection: Connection,
    series: Sequence[Day],
    inside: Mapping[Day, tuple[Run, ...]],
    expected: Expected,
) -> tuple[dict[tuple[Place, Run], None], list[Place]]:
    """Gaps by place, and all places that were looked at: the days themselves, and between each
    of them and its neighbours.
    """
    found: dict[tuple[Place, Run], None] = {}
    places: list[Place] = [(*day, False) for day in series]
    for day, runs in inside.items():
        found.update({((*day, False), run): None for run in runs})
    rows = connection.execute(QUERIES.neighbours, _columns(series, 4)).fetchall()
    for source, location, till, day, first, before in rows:
        rules = expected.of(source)
        place = (source, location, till, day, True)
        places.append(place)
        if rules.numbers == "day":
            before = rules.first_number - 1  # noqa: PLW2901 - each day begins anew
        gap = None if before is None else gap_between(before, first, _lap(source, expected))
        if gap is not None:
            found[place, gap] = None
    return found, places


def _settle(
    connection: Connection,
    found: Mapping[tuple[Place, Run], None],
    places: Sequence[Place],
    expected: Expected,
    now: datetime,
) -> tuple[int, int]:
    """Write what changed: (gaps noticed, gaps filled). A part of a known gap is as old as it."""
    rows = connection.execute(QUERIES.open_gaps_of, _columns(places, 5)).fetchall()
    known = {(tuple(row[:5]), Run(row[5], row[6])): row[7] for row in rows}
    gone = [(*place, run.first, run.last) for place, run in known if (place, run) not in found]
    if gone:
        connection.execute(QUERIES.fill_gaps, (now, *_columns(gone, 7)))
    before: dict[tuple[object, ...], list[tuple[Run, datetime]]] = {}
    for (place, run), at in known.items():
        before.setdefault(place, []).append((run, at))
    added = []
    for place, run in found:
        if (place, run) in known:
            continue
        lap = _lap(place[0], expected)
        older = [
            at
            for whole, at in before.get(place, [])
            if 0 <= lap.distance(whole.first, run.first) < count(whole, lap)
        ]
        added.append((*place, run.first, run.last, count(run, lap), min([now, *older])))
    if added:
        connection.execute(QUERIES.add_gaps, _columns(added, 9))
    return len(added), len(gone)


def _keys_of(row: Sequence[object]) -> list[list[str]]:
    """Keys that each missing number of a gap may have."""
    first, last, prefixes, width = row[4], row[5], row[9], row[10]
    if not isinstance(first, int) or not isinstance(last, int) or not isinstance(prefixes, list):
        return []
    numbers = each(Run(first, last), Lap(), NAMED_MOST) if first <= last else [first, last]
    digits = width if isinstance(width, int) else 0
    return [[f"{prefix}{number:0{digits}d}" for prefix in prefixes] for number in numbers]


def _told(connection: Connection, rows: Sequence[Sequence[object]]) -> set[str]:
    """Keys of missing numbers of which the log holds a record: they wait somewhere."""
    keys = [key for row in rows if row[8] is None for each_ in _keys_of(row) for key in each_]
    if not keys:
        return set()
    return {key for (key,) in connection.execute(QUERIES.told_keys, (keys,)).fetchall()}
