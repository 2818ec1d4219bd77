"""Outbound jobs: enqueue as sets; claim keys, then read their head jobs; finish or postpone.

When and how fast a destination may be called is its account's business (`durable.accounts`).

The key is what is leased, so order per key holds. Jobs are read in a second statement with a new
snapshot: in one statement the lock follows the newest outkey row while the job is read in the old
snapshot, and a finished job is handed out again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import msgspec

from tillbridge.canonical.registry import version_of
from tillbridge.durable import accounts, windows
from tillbridge.durable.crash_points import reach
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load("tillbridge.durable", "jobs.sql")
FOREVER = datetime.max.replace(tzinfo=UTC)
ASIDE_ROUNDS = 20
"""So many batches of a paused kind are set aside per claim, so that a claim ends."""


class Owed(msgspec.Struct, gc=False):
    """A job to enqueue. total: document total in minor units as a check, None for no document."""

    dest: int
    key: str
    op: str
    kind: str
    type: str
    body: bytes
    prio: int
    day: date
    total: int | None = None
    trace: bytes | None = None


class Claimed(msgspec.Struct, gc=False):
    """A leased key with its head job. token fences; unknown = look up before sending; slot: the
    call of the account it goes out with.
    """

    key: str
    token: int
    attempts: int
    unknown: bool
    id: int
    op: str
    type: str
    trace: bytes | None
    body: bytes
    version: int = 1
    prio: int = 0
    slot: accounts.Slot = accounts.NO_SLOT


class Answer(msgspec.Struct, gc=False):
    """How a document ended: state `accepted` or `refused`, the ERP's id, number and own move."""

    op: str
    state: str
    remote_id: str = ""
    number: str = ""
    move: str = ""
    move_total: int | None = None


class Postponed(msgspec.Struct, gc=False):
    """A claimed key to be tried again at `due`. free: the attempt does not count."""

    claimed: Claimed
    due: datetime
    unknown: bool = False
    free: bool = False


def dests(connection: Connection) -> dict[str, int]:
    """Destinations by name."""
    return {name: int(number) for number, name in connection.execute(QUERIES.dests).fetchall()}


def enqueue(connection: Connection, owed: Sequence[Owed], now: datetime) -> int:
    """Insert documents that are not owed yet, their jobs and keys; gives how many were new.

    `document(dest, op)` is the guard for one document per operation, not the job table.
    """
    if not owed:
        return 0
    unique = {(job.dest, job.op): job for job in owed}
    jobs = list(unique.values())
    rows = connection.execute(
        QUERIES.own_documents,
        (
            [job.dest for job in jobs],
            [job.op for job in jobs],
            [job.key for job in jobs],
            [job.kind for job in jobs],
            [job.total for job in jobs],
            [job.day for job in jobs],
        ),
        binary=True,
    ).fetchall()
    new = {(row[0], row[1]) for row in rows}
    fresh = [job for job in jobs if (job.dest, job.op) in new]
    if not fresh:
        return 0
    connection.execute(
        QUERIES.add_jobs,
        (
            [job.dest for job in fresh],
            [job.key for job in fresh],
            [job.op for job in fresh],
            [job.type for job in fresh],
            [version_of(job.type) for job in fresh],
            [job.trace for job in fresh],
            [job.body for job in fresh],
        ),
        binary=True,
    )
    keys: dict[tuple[int, str], list[int]] = {}
    for job in fresh:
        keys.setdefault((job.dest, job.key), []).append(job.prio)
    connection.execute(
        QUERIES.add_outkeys,
        (
            now,
            [dest for dest, _ in keys],
            [key for _, key in keys],
            [min(prios) for prios in keys.values()],
            [len(prios) for prios in keys.values()],
        ),
        binary=True,
    )
    connection.execute(QUERIES.notify)
    return len(fresh)


def claim(
    connection: Connection, dest: int, limit: int, now: datetime, opens: datetime | None = None
) -> list[Claimed]:
    """Lease up to `limit` keys for one call within the account's budget; their head jobs, marked
    sent. What is of a paused kind is set aside, and until then what waits for the posting window.

    opens: when the window opens, None = it is open.

    Commits: the lease must be seen by all before the call goes out. Give the slot back afterwards
    (`accounts.end_call`).
    """
    room = accounts.room_for(connection, now, dest=dest)
    if room is None:
        connection.rollback()
        return []
    found = _claim_in(connection, room, dest, limit, now, opens)
    if not found:
        connection.commit()
        return []
    slot = accounts.begin_call(connection, room, min(one.prio for one in found), now)
    for one in found:
        one.slot = slot
    connection.execute(QUERIES.mark_sent, ([claimed.op for claimed in found], dest))
    reach("jobs.before_lease")
    connection.commit()
    return found


def _claim_in(
    connection: Connection,
    room: accounts.Room,
    dest: int,
    limit: int,
    now: datetime,
    opens: datetime | None,
) -> list[Claimed]:
    """Lease keys that are not set aside; empty when none is left, or after many were set aside."""
    given = {"dest": dest, "now": now, "limit": 1 if room.probe else limit}
    until = {f"until{number}": room.until(number, now) for number in range(accounts.POLLS)}
    for _ in range(ASIDE_ROUNDS):
        leased = connection.execute(
            QUERIES.claim, {**given, **until, "lease": accounts.LEASE}
        ).fetchall()
        if not leased:
            break
        columns = [list(column) for column in zip(*leased, strict=True)]
        rows = connection.execute(QUERIES.heads, (*columns, dest), binary=True).fetchall()
        found = _not_paused(connection, room, dest, [Claimed(*row) for row in rows])
        if opens is not None:
            found = _in_window(connection, dest, found, opens)
        if found:
            return found
    return []


def _not_paused(
    connection: Connection, room: accounts.Room, dest: int, claimed: list[Claimed]
) -> list[Claimed]:
    """Set aside what is of a paused kind; the others."""
    if not room.kinds:
        return claimed
    paused = _of_kinds(connection, dest, claimed, sorted(room.kinds))
    aside = [one for one in claimed if one.op in paused]
    columns = ([c.key for c in aside], [c.token for c in aside], [c.op for c in aside])
    connection.execute(QUERIES.set_aside, (*columns, dest))
    return [one for one in claimed if one.op not in paused]


def _in_window(
    connection: Connection, dest: int, claimed: list[Claimed], opens: datetime
) -> list[Claimed]:
    """Let what the ledger books wait until then; the others."""
    booked = _of_kinds(connection, dest, claimed, windows.KINDS)
    aside = [one for one in claimed if one.op in booked]
    columns = ([c.key for c in aside], [c.token for c in aside])
    connection.execute(QUERIES.wait_for_window, (opens, opens, *columns, dest))
    return [one for one in claimed if one.op not in booked]


def _of_kinds(
    connection: Connection, dest: int, claimed: Sequence[Claimed], kinds: Sequence[str]
) -> set[str]:
    """Operations among them whose documents are of these kinds."""
    operations = [one.op for one in claimed]
    rows = connection.execute(QUERIES.of_kinds, (dest, operations, list(kinds)))
    return {op for (op,) in rows.fetchall()}


def lock_keys(connection: Connection, dest: int, keys: Sequence[str]) -> None:
    """Lock outbound keys in their order, as enqueueing does, so that the two never deadlock."""
    connection.execute(QUERIES.lock_outkeys, (dest, list(keys))).fetchall()


def finish(
    connection: Connection, dest: int, done: Sequence[tuple[Claimed, Answer]], now: datetime
) -> list[tuple[Claimed, Answer]]:
    """Delete accepted jobs whose lease is still ours; a refused one keeps its job and waits.

    Gives those that were ours. An answer for a lost lease is thrown away (the look-up of the new
    owner finds the document).
    """
    if not done:
        return []
    lock_keys(connection, dest, [claimed.key for claimed, _ in done])
    accepted = [(c, a) for c, a in done if a.state == "accepted"]
    refused = [(c, a) for c, a in done if a.state != "accepted"]
    mine: set[str] = set()
    if accepted:
        keys = [c.key for c, _ in accepted]
        tokens = [c.token for c, _ in accepted]
        rows = connection.execute(QUERIES.finish, (now, keys, tokens, dest)).fetchall()
        mine |= {row[0] for row in rows}
        connection.execute(QUERIES.delete_jobs, ([c.id for c, _ in accepted if c.key in mine],))
        connection.execute(QUERIES.delete_empty_outkeys, (dest, sorted(mine)))
    if refused:
        forever = [Postponed(c, FOREVER) for c, _ in refused]
        mine |= postpone(connection, dest, forever)
    kept = [(c, a) for c, a in done if c.key in mine]
    _answer(connection, dest, [a for _, a in kept], now)
    return kept


def _answer(connection: Connection, dest: int, answers: Sequence[Answer], now: datetime) -> None:
    if answers:
        connection.execute(
            QUERIES.answer_documents,
            (
                now,
                [answer.op for answer in answers],
                [answer.state for answer in answers],
                [answer.remote_id for answer in answers],
                [answer.number for answer in answers],
                [answer.move for answer in answers],
                [answer.move_total for answer in answers],
                dest,
            ),
        )


def postpone(connection: Connection, dest: int, later: Sequence[Postponed]) -> set[str]:
    """Give leases back with a new due time; gives the keys that were still ours."""
    if not later:
        return set()
    lock_keys(connection, dest, [one.claimed.key for one in later])
    rows = connection.execute(
        QUERIES.postpone,
        (
            [one.claimed.key for one in later],
            [one.claimed.token for one in later],
            [one.unknown for one in later],
            [_due(one.due) for one in later],
            [one.free for one in later],
            dest,
        ),
    ).fetchall()
    return {row[0] for row in rows}


def _due(due: datetime) -> str:
    return "infinity" if due == FOREVER else due.isoformat()
