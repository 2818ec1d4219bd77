"""Plans: many cases tried again in their order, a bounded number of keys at a time.

A plan is rows, so it survives every crash. `advance` settles what was tried and makes the next
cases ready; the flow carries them like anything parked, behind live traffic. Cancelling leaves
parked what is not ready yet.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from tillbridge.atoms.errors import Refused
from tillbridge.durable import audit
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.triage.cases import HELD_JOBS, TOLD, try_again

QUERIES = load("tillbridge.triage", "plans.sql")
READY_MAX = 500
"""Cases ready at a time, over all plans: what stands between live records in the lanes."""


class Wanted(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which cases: by number, or all open ones narrowed down. key: its beginning."""

    numbers: tuple[int, ...] = ()
    reason: str = ""
    owner: str = ""
    connection: str = ""
    key: str = ""
    since: datetime | None = None

    @property
    def words(self) -> str:
        """For the list of plans."""
        return msgspec.json.encode(self).decode()


class Plan(msgspec.Struct, frozen=True):
    """A plan and how far it is. left: given up, or not tried because the plan was cancelled."""

    id: int
    made_by: str
    wanted: str
    matched: int
    state: str
    made_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    waiting: int
    ready: int
    done: int
    failed: int
    left: int


class Failed(msgspec.Struct, frozen=True):
    """A case that was tried and still needs somebody."""

    case: int
    state: str
    words: str


def match(connection: Connection, wanted: Wanted) -> list[int]:
    """Open cases that hold something back and are in no open plan, by number."""
    values = {
        "everything": not wanted.numbers,
        "numbers": list(wanted.numbers),
        "reason": wanted.reason,
        "owner": wanted.owner,
        "connection": wanted.connection,
        "key": wanted.key,
        "since": wanted.since,
        "held_jobs": list(HELD_JOBS),
    }
    return [int(row[0]) for row in connection.execute(QUERIES.match, values).fetchall()]


def make(
    connection: Connection, wanted: Wanted, cases: list[int], by: str, reason: str = ""
) -> int:
    """Write a plan for these cases, as a person's act; gives its number. The caller commits."""
    row = connection.execute(QUERIES.make, (by, wanted.words, len(cases))).fetchone()
    number = int(row[0]) if row else 0
    connection.execute(QUERIES.add_members, (number, cases))
    shown = {"plan": number, "cases": cases[:TOLD], "count": len(cases), "wanted": wanted.words}
    audit.record(connection, by, "cases.replay", f"plan {number}", after=shown, reason=reason)
    return number


def plans(connection: Connection, limit: int = 20) -> list[Plan]:
    """The newest plans."""
    rows = connection.execute(QUERIES.list, {"id": None, "limit": limit}).fetchall()
    return [Plan(*row) for row in rows]


def plan(connection: Connection, number: int) -> Plan:
    """One plan; raises Refused when there is none of that number."""
    row = connection.execute(QUERIES.list, {"id": number, "limit": 1}).fetchone()
    if row is None:
        raise Refused(f"there is no plan {number}")
    return Plan(*row)


def failed(connection: Connection, number: int) -> list[Failed]:
    """The first cases of a plan that still need somebody."""
    return [Failed(*row) for row in connection.execute(QUERIES.failed, (number,)).fetchall()]


def members(connection: Connection, number: int) -> list[int]:
    """Every case of a plan, by number."""
    return [int(row[0]) for row in connection.execute(QUERIES.members, (number,)).fetchall()]


def cancel(connection: Connection, number: int, by: str, now: datetime) -> Plan:
    """What is not ready yet stays parked; what is goes through. The caller commits."""
    known = plan(connection, number)
    if connection.execute(QUERIES.cancel, (now, number)).fetchone() is None:
        raise Refused(f"plan {number} is {known.state} already")
    connection.execute(QUERIES.leave_waiting, (number,))
    audit.record(connection, by, "cases.cancel", f"plan {number}")
    return plan(connection, number)


def advance(connection: Connection, now: datetime, ready_max: int = READY_MAX) -> int:
    """Settle what was tried, make the next cases ready; gives how many. The caller commits next.

    One process does it at a time; the others pass by.
    """
    for (number,) in connection.execute(QUERIES.settle_cancelled).fetchall():
        _settle(connection, number)
    begun: list[tuple[str, list[int]]] = []
    for number, state, by in connection.execute(QUERIES.take_open).fetchall():
        if state == "planned":
            connection.execute(QUERIES.start, (now, number))
        _settle(connection, number)
        chosen = _next(connection, number, ready_max)
        if chosen:
            begun.append((by, chosen))
        else:
            connection.execute(QUERIES.finish, (now, number))
    for by, chosen in begun:  # last, because it tells the log
        try_again(connection, chosen, by)
    return sum(len(chosen) for _, chosen in begun)


def _settle(connection: Connection, number: int) -> None:
    connection.execute(QUERIES.settle, {"plan": number, "held_jobs": list(HELD_JOBS)})


def _next(connection: Connection, number: int, ready_max: int) -> list[int]:
    """The next cases of a plan, marked ready as far as they are still open."""
    row = connection.execute(QUERIES.ready_count).fetchone()
    room = ready_max - (int(row[0]) if row else 0)
    if room <= 0:
        return []
    rows = connection.execute(QUERIES.next_waiting, (number, room)).fetchall()
    chosen = [case for case, state in rows if state == "open"]
    for state, cases in (("ready", chosen), ("left", [c for c, s in rows if s != "open"])):
        connection.execute(QUERIES.set_members, (state, number, cases))
    return chosen
