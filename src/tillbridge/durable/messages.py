"""Raw deliveries: recorded once under their identity, told to the log as a thin `Received`.

The identity (`delivery`) outlives the body (`message`), so dropping old bodies forgets no
duplicate. The same id with another body is kept under an identity of its own and marked with a
problem, so that it becomes a case and is never believed.

Card numbers and security codes are masked here, on the one way into the table, before anything is
written; the identity keeps the hash of the bytes as they came.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from tillbridge.atoms import card_numbers
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.intake import Received
from tillbridge.durable.parking import plain
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import KEY_BYTES_MAX, Connection, Record

QUERIES = load("tillbridge.durable", "messages.sql")
ERASED = b"\0erased"
"""Stands where the body of a person was; no source sends a NUL. See triage.people."""
CONFLICT = "the same delivery id was received before with another body"


class Incoming(msgspec.Struct, gc=False):
    """One delivery to be recorded. key: aggregate key, "" = unknown. trace: traceparent.

    `store` fills in the rest. body_hash: of the bytes as they came, b"" = not yet looked at.
    masked: what was masked, in words. cards: stretches as they came, never stored -> as masked.
    """

    connection: str
    topic: str
    delivery: str
    body: bytes
    received_at: datetime
    key: str = ""
    headers: Mapping[str, str] = {}
    place: str = ""
    problem: str = ""
    trace: bytes | None = None
    body_hash: bytes = b""
    masked: str = ""
    cards: Mapping[bytes, bytes] = {}


class Stored(msgspec.Struct, gc=False):
    """What became of one delivery: `new`, `duplicate` or `conflict`; the message's row id."""

    outcome: str
    message: int


class StoredMessage(msgspec.Struct, gc=False):
    """A message as read back. masked: what was masked when it came, in words."""

    id: int
    connection: str
    topic: str
    delivery: str
    place: str
    problem: str
    headers: dict[str, str]
    body: bytes
    received_at: datetime
    masked: str = ""


def connection_ids(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """Small ids of connection names, made when missing. Commit before hot use."""
    if not names:
        return {}
    rows = connection.execute(QUERIES.connection_ids, (sorted(set(names)),)).fetchall()
    return {name: int(number) for name, number in rows}


def store(
    connection: Connection, arrivals: Sequence[Incoming], numbers: Mapping[str, int]
) -> tuple[list[Stored], list[Record]]:
    """Record deliveries as sets: one answer each, and the records the caller has to append.

    numbers: connection name -> id, from `connection_ids`. Runs in the caller's transaction; the
    caller appends the records last (`log.append_and_commit`).
    """
    hashes = [_looked_at(arrival) for arrival in arrivals]
    identities = [
        (numbers[arrival.connection], _identity(arrival.delivery)) for arrival in arrivals
    ]
    first: dict[tuple[int, uuid.UUID], int] = {}
    for index, identity in enumerate(identities):
        first.setdefault(identity, index)
    claimed = _claim(connection, {identity: hashes[i] for identity, i in first.items()}, arrivals)
    outcomes: list[Stored | None] = [None] * len(arrivals)
    fresh: list[int] = []
    conflicts: list[int] = []
    for index, identity in enumerate(identities):
        body_hash, message, new = claimed[identity]
        if hashes[index] != body_hash:
            conflicts.append(index)
        elif new and first[identity] == index:
            outcomes[index] = Stored("new", message)
            fresh.append(index)
        else:
            outcomes[index] = Stored("duplicate", message)
    fresh += _store_conflicts(connection, arrivals, identities, hashes, conflicts, outcomes)
    done = [outcome for outcome in outcomes if outcome is not None]
    _add_messages(connection, [(arrivals[i], identities[i][0], done[i]) for i in fresh])
    return done, [_received(arrivals[i], done[i].message) for i in sorted(fresh)]


def read(connection: Connection, messages: Sequence[int]) -> dict[int, StoredMessage]:
    """Messages by row id; one dropped by retention, or erased, is missing from the answer."""
    if not messages:
        return {}
    rows = connection.execute(QUERIES.read_messages, (list(messages),), binary=True).fetchall()
    decode = msgspec.json.Decoder(dict[str, str]).decode
    return {
        row[0]: StoredMessage(
            id=row[0],
            connection=row[1],
            topic=row[2],
            delivery=row[3],
            place=row[4],
            problem=row[5],
            headers=decode(row[6]),
            body=row[7],
            received_at=row[8],
            masked=row[9] or "",
        )
        for row in rows
        if row[7] != ERASED
    }


def _looked_at(arrival: Incoming) -> bytes:
    """The hash of the bytes as they came; masks what no table may hold, once per arrival."""
    if arrival.body_hash:
        return arrival.body_hash
    arrival.body_hash = hashlib.sha256(arrival.body).digest()
    masked = card_numbers.mask(arrival.body)
    if masked is not None:
        arrival.body, arrival.masked, arrival.cards = masked.body, masked.words, masked.stretches
        arrival.problem = card_numbers.mask_text(arrival.problem)
    return arrival.body_hash


def _identity(delivery: str) -> uuid.UUID:
    return uuid.UUID(bytes=hashlib.sha256(delivery.encode("utf-8", "replace")).digest()[:16])


def _claim(
    connection: Connection,
    wanted: Mapping[tuple[int, uuid.UUID], bytes],
    arrivals: Sequence[Incoming],
) -> dict[tuple[int, uuid.UUID], tuple[bytes, int, bool]]:
    """Claim identities: (connection, id) -> (body hash on record, message id, newly made)."""
    if not wanted:
        return {}
    rows = connection.execute(
        QUERIES.claim_deliveries,
        (
            arrivals[0].received_at.date(),
            [identity[0] for identity in wanted],
            [identity[1] for identity in wanted],
            list(wanted.values()),
        ),
        binary=True,
    ).fetchall()
    return {(row[0], row[1]): (row[2], row[3], row[4]) for row in rows}


def _store_conflicts(
    connection: Connection,
    arrivals: Sequence[Incoming],
    identities: Sequence[tuple[int, uuid.UUID]],
    hashes: Sequence[bytes],
    conflicts: Sequence[int],
    outcomes: list[Stored | None],
) -> list[int]:
    """Claim an identity of their own for known ids with other bodies; gives the new ones."""
    if not conflicts:
        return []
    own: dict[tuple[int, uuid.UUID], int] = {}
    for index in conflicts:
        text = f"{arrivals[index].delivery}\x1f{hashes[index].hex()}"
        own.setdefault((identities[index][0], _identity(text)), index)
        arrivals[index].problem = arrivals[index].problem or CONFLICT
    claimed = _claim(connection, {identity: hashes[i] for identity, i in own.items()}, arrivals)
    fresh: list[int] = []
    for index in conflicts:
        text = f"{arrivals[index].delivery}\x1f{hashes[index].hex()}"
        identity = (identities[index][0], _identity(text))
        _, message, new = claimed[identity]
        outcomes[index] = Stored("conflict", message)
        if new and own[identity] == index:
            fresh.append(index)
    return fresh


def _add_messages(connection: Connection, rows: Sequence[tuple[Incoming, int, Stored]]) -> None:
    if not rows:
        return
    encode = msgspec.json.encode
    connection.execute(
        QUERIES.add_messages,
        (
            [stored.message for _, _, stored in rows],
            [number for _, number, _ in rows],
            [plain(arrival.topic) for arrival, _, _ in rows],
            [plain(arrival.delivery) for arrival, _, _ in rows],
            [plain(arrival.place) for arrival, _, _ in rows],
            [plain(arrival.problem) for arrival, _, _ in rows],
            [_without_cards(encode(arrival.headers)) for arrival, _, _ in rows],
            [arrival.body for arrival, _, _ in rows],
            [arrival.received_at for arrival, _, _ in rows],
            [_stored_hash(arrival) for arrival, _, _ in rows],
            [plain(arrival.masked) or None for arrival, _, _ in rows],
        ),
        binary=True,
    )


def _without_cards(text: bytes) -> bytes:
    masked = card_numbers.mask(text)
    return text if masked is None else masked.body


def _stored_hash(arrival: Incoming) -> bytes | None:
    return hashlib.sha256(arrival.body).digest() if arrival.masked else None


def _received(arrival: Incoming, message: int) -> Record:
    key = plain(arrival.key)
    if not 0 < len(key.encode()) <= KEY_BYTES_MAX:
        key = f"delivery/{arrival.connection}/{message}"
    body = Received(
        key=key,
        id=plain(arrival.delivery),
        connection=arrival.connection,
        topic=plain(arrival.topic),
        message=message,
        received_at=arrival.received_at,
    )
    return Record(key=key, type="Received", body=body, lane=lane_of(key), trace=arrival.trace)
