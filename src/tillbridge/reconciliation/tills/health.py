"""Transmission health: which stores and tills were heard of when, what is late, what is missing.

Stores keep trading while they are offline and send later: late is normal, missing is not. A store
is expected on each of its days once it was heard of on two of them; a close is expected of a till
that has told one before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby

import msgspec

from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.tills.rules import Expected, StoreRules, TillRules
from tillbridge.reconciliation.tills.sequences import Gap, gaps

QUERIES = load("tillbridge.reconciliation.tills", "health.sql", "days", "repeats")
LOOK_BACK_DAYS = 35
DAYS_OF_A_RHYTHM = 2
"""A store heard of on one day only may have been tried out."""


class TillDay(msgspec.Struct, frozen=True):
    """A business day of a till, as far as it was heard of."""

    source: str
    location: str
    till: str
    business_date: date
    transactions: int
    sales: int
    first_heard_at: datetime
    last_heard_at: datetime
    closed_heard_at: datetime | None


class TillHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One till. late_days: business days that began to come after they were due. unclosed: days
    that are due, traded and have no close. gaps: numbers missing now.
    """

    till: str
    last_heard_at: datetime
    last_business_date: date
    last_closed: date | None
    late_days: tuple[date, ...]
    unclosed: tuple[date, ...]
    gaps: tuple[Gap, ...]

    @property
    def missing(self) -> int:
        """Numbers that never came, without those that wait for a decision."""
        return sum(gap.missing - gap.waiting for gap in self.gaps)


class StoreHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One store of one connection. absent_days: days it trades that are due and of which nothing
    was heard. gaps: of numbers that the store's tills share.
    """

    source: str
    location: str
    last_heard_at: datetime
    absent_days: tuple[date, ...]
    gaps: tuple[Gap, ...]
    tills: tuple[TillHealth, ...]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """All stores; repeats: connection -> deliveries that came again unchanged."""

    stores: tuple[StoreHealth, ...]
    repeats: dict[str, int]


def health(connection: Connection, expected: Expected, now: datetime) -> Health:
    """How the stores transmit, over the last 35 days; reads in the caller's transaction."""
    since = (now - timedelta(days=LOOK_BACK_DAYS)).date()
    days = [TillDay(*row) for row in connection.execute(QUERIES.days, (since,)).fetchall()]
    open_gaps = [gap for gap in gaps(connection, now) if gap.filled_at is None]
    repeats = connection.execute(QUERIES.repeats, (since,)).fetchall()
    return Health(
        stores=tuple(judge(days, open_gaps, expected, now)),
        repeats={name: int(count) for name, count in repeats},
    )


def judge(
    days: Sequence[TillDay], open_gaps: Sequence[Gap], expected: Expected, now: datetime
) -> Iterable[StoreHealth]:
    """What the days say. Pure. days: in order of source, store, till and day."""
    by_till: dict[tuple[str, str, str], list[Gap]] = {}
    for gap in open_gaps:
        by_till.setdefault((gap.source, gap.location, gap.till), []).append(gap)
    for (source, location), group in groupby(days, lambda day: (day.source, day.location)):
        heard = list(group)
        rules, store = expected.of(source), expected.store(location)
        yield StoreHealth(
            source=source,
            location=location,
            last_heard_at=max(day.last_heard_at for day in heard),
            absent_days=_absent(heard, rules, store, now),
            gaps=tuple(by_till.get((source, location, ""), ())),
            tills=tuple(
                _till(till, list(own), by_till.get((source, location, till), ()), expected, now)
                for till, own in groupby(heard, lambda day: day.till)
            ),
        )


def _absent(
    heard: Sequence[TillDay], rules: TillRules, store: StoreRules, now: datetime
) -> tuple[date, ...]:
    known = {day.business_date for day in heard}
    if len(known) < DAYS_OF_A_RHYTHM:
        return ()
    day, found = min(known), []
    while store.due_at(day, rules.allowed_hours) <= now:
        if day not in known and store.opens(day):
            found.append(day)
        day += timedelta(days=1)
    return tuple(found)


def _till(
    till: str, days: Sequence[TillDay], own: Sequence[Gap], expected: Expected, now: datetime
) -> TillHealth:
    rules, store = expected.of(days[0].source), expected.store(days[0].location)
    due = {day.business_date: store.due_at(day.business_date, rules.allowed_hours) for day in days}
    closed = [day.business_date for day in days if day.closed_heard_at is not None]
    return TillHealth(
        till=till,
        last_heard_at=max(day.last_heard_at for day in days),
        last_business_date=days[-1].business_date,
        last_closed=closed[-1] if closed else None,
        late_days=tuple(
            day.business_date for day in days if day.first_heard_at > due[day.business_date]
        ),
        unclosed=tuple(
            day.business_date
            for day in days
            if closed
            and day.sales
            and day.closed_heard_at is None
            and day.business_date > closed[0]
            and due[day.business_date] <= now
        ),
        gaps=tuple(own),
    )
