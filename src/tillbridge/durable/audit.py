"""The audit: what people did, in one chain that shows when a link was changed or taken out.

`record` is called in the transaction of the act itself, after its other writes: the chain has one
lock, held to the commit. Acts of people only, never a record of the flow. Numbers have no gaps;
each hash covers the row and the hash before it, worked out by the database when the row is written
(migration 0018) and here, on its own, by `verify`. A chain cannot show that its end was cut off,
nor that whoever owns the database wrote all of it anew: digests kept outside can.

Before and after are JSON of ids, codes, counts and amounts. Names, addresses and secrets do not
belong in them: the audit outlives the erasure of a person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec

from tillbridge.durable.parking import plain
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load("tillbridge.durable", "audit.sql", "record", "list", "chain", "digest")
HUB = "hub"
"""The actor of what the hub does by itself."""
PROBLEMS_MAX = 20
_FIRST = hashlib.sha256(b"").digest()


class Act(msgspec.Struct, frozen=True):
    """One row of the audit. before, after: canonical JSON, "" for none."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    reason: str
    before: str
    after: str


class Digest(msgspec.Struct, frozen=True):
    """A day (UTC) of the audit in one line. head: hash of its last row in hex, "" when empty."""

    day: date
    count: int
    first: int
    last: int
    head: str


class Chain(msgspec.Struct, frozen=True):
    """What `verify` found: rows read, hash of the last one, what is wrong (the first 20)."""

    count: int
    head: str
    problems: list[str]


def record(
    connection: Connection,
    actor: str,
    action: str,
    subject: str,
    *,
    before: Any = None,
    after: Any = None,
    reason: str = "",
) -> int:
    """Write one act in the caller's transaction; gives its number.

    action: `noun.verb`, e.g. `names.set`. subject: the id or key of what was acted on.
    """
    values = (actor, action, subject, reason, _canonical(before), _canonical(after))
    row = connection.execute(QUERIES.record, [plain(value) for value in values]).fetchone()
    if row is None:
        raise RuntimeError("the audit gave no number")
    return int(row[0])


def acts(
    connection: Connection,
    *,
    actor: str = "",
    action: str = "",
    since: datetime | None = None,
    limit: int = 1000,
) -> list[Act]:
    """The newest acts, oldest first; action: its beginning; "" and None for any."""
    values = {"actor": actor, "action": action, "since": since, "limit": limit}
    return [Act(*row) for row in reversed(connection.execute(QUERIES.list, values).fetchall())]


def digest(connection: Connection, day: date) -> Digest:
    """The digest of one day, UTC."""
    begin = datetime.combine(day, time(), UTC)
    values = {"from": begin, "until": begin + timedelta(days=1)}
    row = connection.execute(QUERIES.digest, values).fetchone()
    count, first, last, head = row or (0, 0, 0, b"")
    return Digest(day, count, first, last, bytes(head).hex())


def verify(connection: Connection, digests: Iterable[Digest] = ()) -> Chain:
    """Read the whole chain again, and compare it with digests that were kept elsewhere.

    Streams: memory does not grow with the chain.
    """
    problems: list[str] = []
    heads = {kept.last: "" for kept in digests if kept.count}
    count, previous = 0, _FIRST
    with connection.cursor(name="audit_chain") as cursor:
        for row in cursor.execute(QUERIES.chain):
            *values, before, told = row
            count += 1
            if values[0] != count:
                problems.append(f"act {count} is missing: {values[0]} follows {count - 1}")
                count = values[0]
            if before != previous:
                problems.append(f"act {values[0]} does not follow the one before it")
            if link_hash(before, Act(*values)) != told:
                problems.append(f"act {values[0]} is not as it was written")
            previous = told
            if values[0] in heads:
                heads[values[0]] = previous.hex()
    for kept in digests:
        problems += _compared(connection, kept, heads)
    return Chain(count, previous.hex(), problems[:PROBLEMS_MAX])


def link_hash(previous: bytes, act: Act) -> bytes:
    """The hash of a row: SHA-256 over the previous hash and each value after its byte length."""
    at = act.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    parts = (str(act.id), at, act.actor, act.action, act.subject, act.reason, act.before, act.after)
    text = b"".join(b"%d:%b" % (len(part.encode()), part.encode()) for part in parts)
    return hashlib.sha256(previous + text).digest()


def _compared(connection: Connection, kept: Digest, heads: dict[int, str]) -> list[str]:
    """What of a kept digest is no longer so. A digest may be of a day that was not over yet."""
    if not kept.count:
        return []
    found = heads[kept.last]
    if not found:
        return [f"{kept.day}: act {kept.last} of the digest is gone"]
    if found != kept.head:
        return [f"{kept.day}: act {kept.last} has another hash than the digest"]
    if digest(connection, kept.day).first != kept.first:
        return [f"{kept.day}: it does not begin with act {kept.first} as the digest says"]
    return []


def _canonical(value: Any) -> str:
    return "" if value is None else msgspec.json.encode(value, order="sorted").decode()
