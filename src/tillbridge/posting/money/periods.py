"""Periods: months that finance closes, and the day a late fact is posted on.

A month is open, soft-closed or locked. Soft-closed it takes only late facts of keys that a person
admitted; everything else late, and all of it once the month is locked, goes to the next month that
takes it, with its own date kept.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from datetime import date, datetime

from tillbridge.atoms.errors import NeedsDecision, Refused
from tillbridge.canonical.markers import PeriodAdmitted, PeriodChanged
from tillbridge.durable import audit, log
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

STATES = ("open", "soft-closed", "locked")
_VERBS = {"open": "open", "soft-closed": "soft_close", "locked": "lock"}
QUERIES = load("tillbridge.posting.money", "periods.sql")
_YEARS_AHEAD_MAX = 5


def period_of(day: date) -> str:
    """Period of a day: `2026-01`."""
    return f"{day.year:04d}-{day.month:02d}"


def posted_date(entity: str, day: date, closed: AbstractSet[tuple[str, str]]) -> date:
    """The day itself, or the first day of the next month that is not closed to the fact.

    closed: (entity, period) pairs. Raises NeedsDecision("period_locked") when years are closed.
    """
    found = day
    for _ in range(12 * _YEARS_AHEAD_MAX):
        if (entity, period_of(found)) not in closed:
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
    """Close or open a month of an entity; waits for postings under way. The caller commits next.

    The database refuses to lock one, and to open a locked one, without the approval of a second
    person. Keys admitted to the month until now are admitted no more.
    """
    if state not in STATES:
        raise ValueError(f"state {state!r}: one of {', '.join(STATES)}")
    connection.execute(QUERIES.lock_alone)
    before = state_of(connection, entity, period)
    connection.execute(QUERIES.set_period, (entity, period, state, at, by))
    if state != before:
        connection.execute(QUERIES.end_admissions, (entity, period))
    audit.record(
        connection,
        by,
        f"periods.{'unlock' if (before, state) == ('locked', 'open') else _VERBS[state]}",
        f"{entity}/{period}",
        before=before,
        after=state,
        reason=reason,
    )
    marker = PeriodChanged(key="hub/periods", id="", entity=entity, period=period, state=state)
    log.mark(connection, [marker])


def admit(
    connection: Connection,
    entity: str,
    period: str,
    key: str,
    *,
    at: datetime,
    by: str,
    reason: str,
) -> bool:
    """Let late facts of a key into a soft-closed month; False when they are already.

    The caller commits next. Raises Refused when the month is not soft-closed.
    """
    connection.execute(QUERIES.lock_alone)
    state = state_of(connection, entity, period)
    if state != "soft-closed":
        raise Refused(f"{entity} {period} is {state}: only a soft-closed month is admitted to")
    values = (entity, period, key, reason, by, at)
    if not connection.execute(QUERIES.admit, values).rowcount:
        return False
    audit.record(
        connection, by, "periods.admit", f"{entity}/{period}", after={"key": key}, reason=reason
    )
    log.mark(
        connection,
        [PeriodAdmitted(key="hub/periods", id="", entity=entity, period=period, admitted=key)],
    )
    return True


def state_of(connection: Connection, entity: str, period: str) -> str:
    """State of a month; one that nobody touched is open."""
    row = connection.execute(QUERIES.state_of, (entity, period)).fetchone()
    return str(row[0]) if row else "open"


def list_periods(connection: Connection) -> list[tuple[str, str, str]]:
    """(entity, period, state) of every month that was ever closed, in order."""
    return [(e, p, s) for e, p, s in connection.execute(QUERIES.list_periods).fetchall()]
