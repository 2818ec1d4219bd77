"""Cases: what a person has to decide or mend, listed, shown, tried again or closed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from tillbridge.atoms.errors import Refused
from tillbridge.canonical.markers import (
    DocumentGivenUp,
    DocumentRetried,
    Marker,
    ParkedGivenUp,
)
from tillbridge.durable import audit, log, messages
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load("tillbridge.triage", "cases.sql")
SHOWN_BYTES = 4_000
TOLD = 100
HELD_JOBS = (
    "document_refused",
    "reread_refused",
    "tax_recalculation_failed",
    "tax_calculation_failed",
    "tax_document_refused",
)
"""Cases that hold a job back: it can be tried again or given up."""


class Case(msgspec.Struct, frozen=True):
    """One case in a list. amount: minor units at stake; parked: records waiting behind it."""

    id: int
    reason: str
    owner: str
    room: str
    key: str
    state: str
    words: str
    remedy: str
    amount: int | None
    currency: str | None
    copies: int
    opened_at: datetime
    due_at: datetime
    parked: int


class CaseView(msgspec.Struct, frozen=True):
    """A case with its evidence: details, the raw body as it came, the parked records."""

    case: Case
    details: dict[str, Any]
    record_type: str
    raw: str
    records: list[dict[str, Any]]
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: str | None


class CaseCount(msgspec.Struct, frozen=True):
    """Open cases of one reason and owner; copies counts repeated tellings."""

    reason: str
    owner: str
    cases: int
    copies: int
    oldest: datetime


def list_cases(
    connection: Connection,
    *,
    state: str = "open",
    owner: str = "",
    reason: str = "",
    key: str = "",
    limit: int = 1000,
) -> list[Case]:
    """Cases in order of their numbers; "" for any state, owner, reason or key."""
    values = {"state": state, "owner": owner, "reason": reason, "key": key, "limit": limit}
    return [Case(*row) for row in connection.execute(QUERIES.list, values).fetchall()]


def counts(connection: Connection) -> list[CaseCount]:
    """Open cases by reason and owner."""
    return [CaseCount(*row) for row in connection.execute(QUERIES.counts).fetchall()]


def show(connection: Connection, number: int) -> CaseView:
    """One case with its evidence; raises Refused when there is none of that number."""
    row = connection.execute(QUERIES.one, {"id": number}).fetchone()
    if row is None:
        raise Refused(f"there is no case {number}")
    details, record_type, message, resolved_at, resolved_by, resolution = row[14:]
    stored = messages.read(connection, [message] if message else [])
    raw = stored[message].body[:SHOWN_BYTES].decode("utf-8", "replace") if message in stored else ""
    parked = connection.execute(QUERIES.parked_of, {"id": number}).fetchall()
    return CaseView(
        case=Case(*row[:14]),
        details=details,
        record_type=record_type,
        raw=raw,
        records=[{"type": kind, "body": msgspec.json.decode(body)} for kind, _, body in parked],
        resolved_at=resolved_at,
        resolved_by=resolved_by,
        resolution=resolution,
    )


def replay(connection: Connection, numbers: Sequence[int], by: str) -> int:
    """Try cases again as a person's act, see `try_again`."""
    shown = {"cases": list(numbers[:TOLD]), "count": len(numbers)}
    audit.record(connection, by, "cases.replay", f"{len(numbers)} cases", after=shown)
    return try_again(connection, numbers, by)


def try_again(connection: Connection, numbers: Sequence[int], by: str) -> int:
    """Try again what open cases hold back: parked keys become ready, refused documents due.

    The caller commits next. Gives how many cases had something to try; raises Refused for a number
    that is no open case. A refused document is looked up over there before it is sent again.
    """
    rows = connection.execute(QUERIES.held, (list(numbers),)).fetchall()
    parked = [number for number, *_, count in rows if count]
    documents = [
        (number, *_document(key, reason, details), key)
        for number, _, reason, key, details, count in rows
        if reason in HELD_JOBS and not count
    ]
    for number in set(numbers) - {row[0] for row in rows}:
        raise Refused(f"there is no case {number}")
    for number, state, *_ in rows:
        if state != "open":
            raise Refused(f"case {number} is resolved already")
    if parked:
        connection.execute(QUERIES.make_ready, (parked,))
    if documents:
        cases, destinations, operations, keys = (list(c) for c in zip(*documents, strict=True))
        connection.execute(QUERIES.owe_again, (destinations, operations))
        connection.execute(QUERIES.due_now, (destinations, keys))
        connection.execute(QUERIES.close_all, (by, "sent again", cases))
    connection.execute("notify log")
    connection.execute("notify jobs")
    log.mark(
        connection,
        [
            DocumentRetried(key=key, id=operation, destination=destination)
            for _, destination, operation, key in documents
        ],
    )
    return len(parked) + len(documents)


def resolve(connection: Connection, number: int, by: str, note: str) -> str:
    """Close a case by hand: its parked record or refused document is given up, and it says so.

    Records of the same key behind it are tried again by themselves: they may be good, and giving
    them up unseen would lose them. The caller commits next. Gives what was done; raises Refused
    when it is no open case.
    """
    connection.execute(QUERIES.hold_keys, (number,))  # a worker may be replaying them now
    view = show(connection, number)
    if view.case.state != "open":
        raise Refused(f"case {number} is resolved already")
    done, told = "closed", list[Marker]()
    connection.execute(QUERIES.give_up, (number,))
    if view.case.parked:
        done, told = _give_up_parked(connection, view)
    elif view.case.reason in HELD_JOBS:
        case = view.case
        destination, operation = _document(case.key, case.reason, view.details)
        connection.execute(QUERIES.drop_job, {"dest": destination, "op": operation})
        connection.execute(QUERIES.drop_empty_outkeys)
        done = f"closed; document {operation} given up"
        told = [DocumentGivenUp(key=view.case.key, id=operation, destination=destination)]
    connection.execute(QUERIES.close, (by, f"{note} ({done})" if note else done, number))
    connection.execute("notify log")
    connection.execute("notify jobs")
    one = view.case
    audit.record(
        connection,
        by,
        "cases.give_up",
        str(number),
        before={"reason": one.reason, "key": one.key, "amount": one.amount, "cur": one.currency},
        after=done,  # not the note: it may name a buyer, and stays with the case, erasable
    )
    log.mark(connection, told)
    return done


def _give_up_parked(connection: Connection, view: CaseView) -> tuple[str, list[Marker]]:
    number = view.case.id
    dropped = connection.execute(QUERIES.drop_heads, (number,)).fetchall()
    connection.execute(QUERIES.drop_empty_keys, (number,))
    behind = connection.execute(QUERIES.let_go, (number,)).rowcount
    done = f"closed; {len(dropped)} parked record given up"
    if behind:
        done += f", {view.case.parked - 1} behind it tried again"
    return done, [ParkedGivenUp(key=key, id="", room=room) for room, key in dropped]


def _document(key: str, reason: str, details: dict[str, Any]) -> tuple[str, str]:
    """Destination and operation; a re-read's key is `reread/CONNECTION/...`."""
    asked = key.split("/")[1] if reason == "reread_refused" else ""
    return str(details.get("destination", asked)), str(details.get("operation", ""))
