"""Answers to requests with an Idempotency-Key, written in the transaction of their effect.

The same client with the same key and the same request is given the stored answer, whatever became
of the thing since; with another request the key is refused. Answers are kept as long as the
identities of deliveries (`keep_deliveries_days`). Problems found before anything was decided, and
a hub that is away, are not stored: the same key may be tried again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from tillbridge.app.api.problems import refusal
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.inbox.answers import JSON, PROBLEM, Answer, answer

QUERIES = load("tillbridge.app.api", "stored_answers.sql", "find", "keep", "expire")
_AGAIN = ((b"idempotent-replayed", b"true"),)
_REUSED = refusal(
    "idempotency-key-reused", "This Idempotency-Key came before with another request."
)
KeyOf = tuple[str, str]
"""Client and Idempotency-Key."""


class Stored(msgspec.Struct, frozen=True, gc=False):
    """A stored answer. asked: hash of the request it answers (`Call.asked`)."""

    client: str
    key: str
    asked: bytes
    status: int
    body: bytes


def find(connection: Connection, wanted: Sequence[KeyOf]) -> dict[KeyOf, Stored]:
    """The stored answers among the wanted ones, in one query."""
    if not wanted:
        return {}
    values = ([client for client, _ in wanted], [key for _, key in wanted])
    rows = connection.execute(QUERIES.find, values, binary=True).fetchall()
    return {(row[0], row[1]): Stored(*row) for row in rows}


def keep(connection: Connection, answers: Iterable[Stored], day: date) -> None:
    """Store answers as a set; the caller commits with the effect.

    Raises psycopg.errors.UniqueViolation when another process answered one of them meanwhile: roll
    back, find, and decide anew.
    """
    rows = list(answers)
    if rows:
        columns = [list(column) for column in zip(*map(msgspec.structs.astuple, rows), strict=True)]
        connection.execute(QUERIES.keep, (day, *columns), binary=True)


def told_again(stored: Stored, asked: bytes) -> Answer:
    """The stored answer for the same request, the refusal of the key for another one."""
    if stored.asked != asked:
        return _REUSED
    kind = PROBLEM if stored.status >= 400 else JSON
    return answer(stored.status, stored.body, kind, _AGAIN)


def expire(connection: Connection, before: date) -> int:
    """Forget answers older than a day, 10,000 at a time; gives how many went."""
    return connection.execute(QUERIES.expire, (before,)).rowcount
