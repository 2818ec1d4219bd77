"""Writes the evidence of a month: facts, entries, approvals, rule versions, acts and hashes.

One snapshot of the database, read in pieces and written as it comes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, LiteralString

import msgspec
from psycopg import IsolationLevel

from tillbridge.canonical.fact import Fact
from tillbridge.canonical.registry import decode
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.posting.money.entries import hash_of
from tillbridge.watch.evidence.rows import (
    FORMAT,
    ActRow,
    ApprovalRow,
    ClosingRow,
    DocumentRow,
    End,
    EntryRow,
    FactRow,
    Head,
    OpeningRow,
    Row,
    RuleBookRow,
    RuleRow,
    kind_of,
    written,
)

QUERIES = load("tillbridge.watch.evidence", "evidence.sql")
_ROWS_AT_ONCE = 1_000


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """The month of an entity. first, last: its days, ISO 8601; before: the day before the first."""

    entity: str
    period: str
    currency: str
    state: str
    first: str
    last: str
    before: str


class Written(msgspec.Struct, frozen=True):
    """What was written: rows of each kind, and the digest that the last row holds."""

    counts: dict[str, int]
    sha256: str


def export(connection: Connection, head: Head, month: Month, out: BinaryIO) -> Written:
    """Write the file; the connection has no transaction under way and none afterwards."""
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        digest, counts = hashlib.sha256(), dict[str, int]()
        for row in _rows(connection, head, month):
            line = written(row)
            digest.update(line)
            kind = kind_of(row)
            counts[kind] = counts.get(kind, 0) + 1
            out.write(line)
        end = End(counts=counts, sha256=digest.hexdigest())
        out.write(written(end))
        return Written(counts, end.sha256)
    finally:
        connection.rollback()
        connection.isolation_level = None


def head_of(month: Month, made_at: Any, made_by: str) -> Head:
    """The file's first row."""
    return Head(
        format=FORMAT,
        entity=month.entity,
        period=month.period,
        currency=month.currency,
        state=month.state,
        made_at=made_at,
        made_by=made_by,
    )


def _rows(connection: Connection, head: Head, month: Month) -> Iterator[Row]:
    values = {"entity": month.entity, "first": month.first, "last": month.last}
    yield head
    for hashed, at, by, files in _read(connection, QUERIES.books, {}):
        texts = msgspec.json.decode(files, type=dict[str, str])
        yield RuleBookRow(hash=hashed, at=at, by=by, files=texts)
    for hashed, name, version, meaning in _read(connection, QUERIES.rules, values):
        yield RuleRow(hash=hashed, name=name, version=version, meaning=bytes(meaning).decode())
    for row in _read(connection, QUERIES.acts, values):
        yield ActRow(**dict(zip(ActRow.__struct_fields__, row, strict=True)))
    for *fields, change, hashed in _read(connection, QUERIES.approvals, values):
        names = ApprovalRow.__struct_fields__
        text = bytes(change).decode()
        yield ApprovalRow(**dict(zip(names, [*fields, text, hashed], strict=True)))
    for account, amount in _read(connection, QUERIES.balances, {**values, "through": month.before}):
        yield OpeningRow(account=account, amount=amount)
    for row in _read(connection, QUERIES.entries, values):
        yield _entry(row)
    for row in _read(connection, QUERIES.documents, values):
        yield DocumentRow(**dict(zip(DocumentRow.__struct_fields__, row, strict=True)))
    for account, amount in _read(connection, QUERIES.balances, {**values, "through": month.last}):
        yield ClosingRow(account=account, amount=amount)


def _entry(row: tuple[Any, ...]) -> EntryRow:
    *fields, lines, versions, bodies = row
    names = EntryRow.__struct_fields__
    told = msgspec.json.decode(lines, type=tuple[tuple[int, str, int, int, str, str], ...])
    fact = _fact(fields[2], fields[3], versions or (), bodies or ())
    return EntryRow(**dict(zip(names, [*fields, told, fact], strict=True)))


def _fact(
    name: str, hashed: str, versions: Iterable[int], bodies: Iterable[bytes]
) -> FactRow | None:
    """The telling that was booked: of several it is the one with the entry's hash."""
    for version, body in zip(versions, bodies, strict=True):
        fact = decode(name, version, bytes(body))
        if isinstance(fact, Fact) and hash_of(fact).hex() == hashed:
            return FactRow(version=version, body=bytes(body).decode())
    return None


def _read(
    connection: Connection, query: LiteralString, values: dict[str, str]
) -> Iterator[tuple[Any, ...]]:
    with connection.cursor(name="evidence") as cursor:
        cursor.itersize = _ROWS_AT_ONCE
        cursor.execute(query, values or None)
        yield from cursor
