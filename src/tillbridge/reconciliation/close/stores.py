"""What a month has not been told: files, streams of changes, days and numbers of tills."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from tillbridge.atoms.ids import key_of
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.blocking import Blocker, Scope
from tillbridge.reconciliation.close.books import MOST, QUERIES
from tillbridge.reconciliation.sweeps import report
from tillbridge.reconciliation.tills.health import QUERIES as HEALTH
from tillbridge.reconciliation.tills.health import StoreHealth, TillDay, judge
from tillbridge.reconciliation.tills.numbers import Run, shown
from tillbridge.reconciliation.tills.sequences import gaps

_RHYTHM_DAYS = 35
_AGAIN = "have the day's log sent again"
Seen = set[tuple[str, str]]


def files(connection: Connection, scope: Scope) -> Iterator[Blocker]:
    """Files that were taken and never read to their end."""
    values = {**scope.values(), "most": MOST}
    for name, path in connection.execute(QUERIES.files, values).fetchall():
        yield Blocker(
            kind="file",
            owner="integration",
            key=f"{name}/{path}",
            words=f"file {path} of {name} was taken and is not read to its end",
            remedy="run a worker, or ingest it again: what is known of it adds nothing",
        )


def streams(connection: Connection, scope: Scope) -> Iterator[Blocker]:
    """Streams that are compared with their source, and not yet to the end of the month."""
    until = datetime.combine(scope.last + timedelta(days=1), time(), UTC)
    for one in report.streams(connection):
        if one.connection in scope.connections or one.swept_at is None:
            continue
        if one.complete_through is None or one.complete_through < until:
            known = (
                f"{one.complete_through:%Y-%m-%d %H:%M} UTC" if one.complete_through else "no day"
            )
            yield Blocker(
                kind="file",
                owner="integration",
                key=f"{one.connection}/{one.stream}",
                words=f"{one.stream} of {one.connection} are known to be complete through {known}",
                remedy=f"tillbridge sweep --connection {one.connection}",
            )


def tills(connection: Connection, scope: Scope) -> Iterator[Blocker]:
    """Numbers, closes and days of stores that never came and that no case tells of."""
    seen: Seen = set()
    days: set[tuple[str, str]] = set()
    for reason, key, finding in connection.execute(QUERIES.accepted).fetchall():
        seen.add((reason, key))
        if reason == "store_day_missing":
            days |= {(key, day) for day in finding.split(", ")}
    yield from _numbers(connection, scope, seen)
    if scope.expected is None:
        return
    since = scope.first - timedelta(days=_RHYTHM_DAYS)
    rows = connection.execute(HEALTH.days, (since,)).fetchall()
    heard = [day for day in (TillDay(*row) for row in rows) if day.business_date <= scope.last]
    for store in judge(heard, (), scope.expected, scope.now):
        if not scope.leaves_out(store.source, store.location):
            yield from _closes(store, scope, seen)
            yield from _days(store, scope, days)


def _numbers(connection: Connection, scope: Scope, seen: Seen) -> Iterator[Blocker]:
    for gap in gaps(connection, scope.now + timedelta(days=1)):
        day = gap.business_date.isoformat()
        key = key_of("till", gap.source, gap.location, gap.till or "all", day)
        foreign = scope.leaves_out(gap.source, gap.location)
        missing = gap.missing - gap.waiting
        if foreign or gap.filled_at or missing <= 0 or ("till_sequence_gap", key) in seen:
            continue
        if scope.first <= gap.business_date <= scope.last:
            yield Blocker(
                kind="till",
                owner="stores",
                key=key,
                words=f"number {shown(Run(gap.first, gap.last))} of till {gap.till or 'all'} of "
                f"{gap.location} never came",
                remedy=f"{_AGAIN}, or wait: late is normal",
                day=day,
                count=missing,
            )


def _closes(store: StoreHealth, scope: Scope, seen: Seen) -> Iterator[Blocker]:
    for till in store.tills:
        for day in till.unclosed:
            key = key_of("till", store.source, store.location, till.till, day.isoformat())
            if day >= scope.first and ("till_close_missing", key) not in seen:
                yield Blocker(
                    kind="till",
                    owner="stores",
                    key=key,
                    words=f"till {till.till} of {store.location} traded and its close never came",
                    remedy=_AGAIN,
                    day=day.isoformat(),
                )


def _days(store: StoreHealth, scope: Scope, told: set[tuple[str, str]]) -> Iterator[Blocker]:
    key = key_of("store", store.source, store.location)
    for day in store.absent_days:
        if scope.first <= day <= scope.last and (key, day.isoformat()) not in told:
            yield Blocker(
                kind="file",
                owner="stores",
                key=key,
                words=f"nothing was heard of {store.location}, which trades that day",
                remedy=f"{_AGAIN}; shut that day: say so in open_days",
                day=day.isoformat(),
            )
