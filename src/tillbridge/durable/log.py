"""The log: append with the append lock last, read by lane, move cursors.

`append_and_commit` sends lock, insert, NOTIFY and COMMIT in one pipeline, so a client that stops
anywhere cannot hold the lock while it thinks (a stop between round trips would block every other
appender until a time-out).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from tillbridge.atoms.ids import LANES, lane_of
from tillbridge.canonical.markers import Marker
from tillbridge.canonical.registry import version_of
from tillbridge.durable.crash_points import reach
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record, readable

QUERIES = load("tillbridge.durable", "log.sql")
ALL_LANES = tuple(range(LANES))


def append(connection: Connection, waiting: Sequence[Record], fused: Sequence[Record] = ()) -> None:
    """Append records inside the running transaction; the caller commits next and nothing else.

    waiting: records a consumer has still to take. fused: already carried through by the runner.
    """
    rows = [(record, True) for record in fused] + [(record, False) for record in waiting]
    if not rows:
        return
    columns = (  # before the lock: nobody should wait for our encoder
        [record.lane for record, _ in rows],
        [record.key for record, _ in rows],
        [record.type for record, _ in rows],
        [version_of(record.type) for record, _ in rows],
        [done for _, done in rows],
        [record.trace for record, _ in rows],
        [record.cause for record, _ in rows],
        [record.stored_body() for record, _ in rows],
    )
    connection.execute(QUERIES.lock_append)
    connection.execute(QUERIES.append, columns, binary=True)
    if waiting:
        connection.execute(QUERIES.notify)


def bound(connection: Connection) -> None:
    """First thing in a pipeline that holds locks: the server ends it when its client stops."""
    connection.execute(QUERIES.bound)


def append_and_commit(
    connection: Connection, waiting: Sequence[Record], fused: Sequence[Record] = ()
) -> None:
    """Append and COMMIT in one pipeline; the last thing a transaction does."""
    with connection.pipeline():
        append(connection, waiting, fused)
        reach("log.before_commit")
        connection.commit()


def mark(connection: Connection, markers: Iterable[Marker]) -> None:
    """Append markers inside the running transaction; the caller commits next and nothing else."""
    append(connection, (), [marker_record(marker) for marker in markers])


def marker_record(marker: Marker) -> Record:
    """The record that carries a marker."""
    return Record(marker.key, type(marker).__name__, marker, lane_of(marker.key))


def make_cursors(connection: Connection, consumer: str) -> None:
    """Create the 64 cursors of a consumer if they are missing (commits nothing)."""
    connection.execute(QUERIES.make_cursors, (consumer,))


def take_lanes(
    connection: Connection, consumer: str, lanes: Sequence[int] = ALL_LANES
) -> dict[int, int]:
    """Lock the lanes with work and give their cursor positions: {lane: pos}."""
    rows = connection.execute(QUERIES.take_lanes, (consumer, list(lanes))).fetchall()
    return {int(lane): int(pos) for lane, pos in rows}


def read(
    connection: Connection, positions: dict[int, int], limit: int, *, whole: bool = False
) -> list[Record]:
    """Records after the positions, in id order, at most `limit` per lane.

    whole=True also gives fused records (consumers of the whole log).
    """
    if not positions:
        return []
    query = QUERIES.read_whole if whole else QUERIES.read
    rows = connection.execute(
        query, (list(positions), list(positions.values()), limit), binary=True
    ).fetchall()
    found = [
        Record(
            lane=lane,
            id=number,
            key=key,
            type=name,
            body=readable(key, name, version, body),
            trace=trace,
            cause=cause,
        )
        for lane, number, key, name, version, trace, cause, body in rows
    ]
    found.sort(key=lambda record: record.id or 0)
    return found


def move_cursors(connection: Connection, consumer: str, positions: dict[int, int]) -> None:
    """Move the cursors of held lanes; raises RuntimeError when one was moved by another."""
    if not positions:
        return
    moved = connection.execute(
        QUERIES.move_cursors, (list(positions), list(positions.values()), consumer)
    ).rowcount
    if moved != len(positions):
        raise RuntimeError(f"{len(positions) - moved} cursors of {consumer} moved under their lock")


def backlog(connection: Connection, consumer: str) -> tuple[int, datetime | None]:
    """Records the consumer has still to take, and the instant of the oldest."""
    row = connection.execute(QUERIES.backlog, (consumer,)).fetchone()
    return (int(row[0]), row[1]) if row else (0, None)


def last_ids(records: Iterable[Record]) -> dict[int, int]:
    """Highest id per lane of records read from the log."""
    last: dict[int, int] = {}
    for record in records:
        if record.id is not None and record.id > last.get(record.lane, 0):
            last[record.lane] = record.id
    return last
