"""Periods: months that finance locks, and the day a late fact is posted on."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import date, datetime

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.markers import PeriodChanged
from tillbridge.durable import audit, log
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

STATES = ("open", "locked")
QUERIES = load("tillbridge.posting.money", "periods.sql")
_YEARS_AHEAD_MAX = 5


def period_of(day: date) -> str:
    """Period of a day: `2026-01`."""
    return f"{day.year:04d}-{day.month:02d}"


def posted_date(entity: str, day: date, locked: AbstractSet[tuple[str, str]]) -> date:
    """The day itself, or the first day of the next month that is not locked.

    locked: (entity, period) pairs. Raises NeedsDecision("period_locked") when years are locked.
    """
    found = day
    for _ in range(12 * _YEARS_AHEAD_MAX):
        if (entity, period_of(found)) not in locked:
            return found
        carry, month = divmod(found.month, 12)
        found = date(found.year + carry, month + 1, 1)
    raise NeedsDecision(
        "period_locked",
        f"{entity} has no open period in the {_YEARS_AHEAD_MAX} years after {day.isoformat()}",
        owner="finance",
    )


def set_period(
    connection: Connection,
    entity: str,
    period: str,
    state: str,
    *,
    at: datetime,
    by: str,
    reason: str = "",
) -> None:
    """Lock or open a month of an entity; waits for postings under way. The caller commits next.

    The database refuses to open a locked one without the approval of a second person.
    """
    if state not in STATES:
        raise ValueError(f"state {state!r}: one of {', '.join(STATES)}")
    connection.execute(QUERIES.lock_alone)
    before = state_of(connection, entity, period)
    connection.execute(QUERIES.set_period, (entity, period, state, at, by))
    audit.record(
        connection,
        by,
        f"periods.{'lock' if state == 'locked' else 'unlock'}",
        f"{entity}/{period}",
        before=before,
        after=state,
        reason=reason,
    )
    marker = PeriodChanged(key="hub/periods", id="", entity=entity, period=period, state=state)
    log.mark(connection, [marker])


def state_of(connection: Connection, entity: str, period: str) -> str:
    """State of a month; one that nobody touched is open."""
    row = connection.execute(QUERIES.state_of, (entity, period)).fetchone()
    return str(row[0]) if row else "open"


def list_periods(connection: Connection) -> list[tuple[str, str, str]]:
    """(entity, period, state) of every month that was ever locked, in order."""
    return [(e, p, s) for e, p, s in connection.execute(QUERIES.list_periods).fetchall()]
