"""The log replayed into an empty hub: the same state, or every difference by name.

`replay_log` makes a scratch database, feeds it every record in the order of effects, and compares
a hash of all state tables with the live ones, in one snapshot of the live database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tillbridge.app.flow import FLOW
from tillbridge.app.hub import Hub
from tillbridge.app.replay.carrier import Carrier, NamesThen
from tillbridge.app.replay.checkpoint import FOLDER, newest, restore
from tillbridge.app.replay.findings import RULES_CHANGED, Findings, Replayed, first
from tillbridge.app.replay.reader import (
    QUERIES,
    Order,
    Stand,
    Told,
    parked_rows,
    pending_at,
    spans,
    stand_of,
)
from tillbridge.app.replay.state import Digest, Row, different_rows, digests, state_hash
from tillbridge.app.replay.tables import copy_table, scratch_database, snapshot
from tillbridge.atoms.errors import Refused
from tillbridge.canonical.markers import NAMES, NameGiven
from tillbridge.durable.retention import first_kept
from tillbridge.durable.rooms import Connection, Record, readable, stored_form
from tillbridge.durable.session import connect

Tell = Callable[[str], None]


def replay_log(
    hub: Hub, *, into: str = "", from_checkpoint: bool = False, tell: Tell | None = None
) -> Replayed:
    """Replay the log into an empty database and compare the states.

    into: address of an empty database of another server; it is kept. from_checkpoint: from the
    newest kept copy of the state on, and so it is when the log does not reach back to its
    beginning. Raises Refused when there is no such copy.
    """
    began = hub.clock.monotonic()
    with (
        snapshot(hub) as live,
        scratch_database(hub.url, into) as url,
        connect(url, statement_timeout_ms=0) as scratch,
    ):
        scratch.execute("set synchronous_commit = off")
        end, findings = stand_of(live), Findings()
        start = _start(hub, live, scratch, end, from_checkpoint=from_checkpoint)
        order, carrier = _ready(hub, live, scratch, start, end, findings)
        records = _carried(live, order, carrier, start, end, tell or _silent)
        gone = _rule_gone(hub, live, scratch)
        carrier.differences(gone)
        parked = _keep_queues(scratch, order)
        tables = _compared(digests(live), digests(scratch))
        rows = _rows(live, scratch, tables)
        explained = _rules_changed(gone, live, scratch, tables, findings)
        hashes = [
            state_hash({name: both[side] for name, both in tables.items()}) for side in (0, 1)
        ]
        same = hashes[0] == hashes[1]
        return Replayed(
            ok=(same or explained) and not findings.unexplained(),
            same=same,
            from_record=start.top,
            to_record=end.top,
            records=records,
            visits=carrier.visits,
            parked=parked,
            seconds=round(hub.clock.monotonic() - began, 3),
            hash_live=hashes[0],
            hash_replayed=hashes[1],
            tables=tables,
            findings=findings.told(),
            rows=rows,
        )


def _silent(_words: str) -> None:
    """Nobody asked."""


def _start(
    hub: Hub, live: Connection, scratch: Connection, end: Stand, *, from_checkpoint: bool
) -> Stand:
    """Where to begin: an empty hub, or a checkpoint that is loaded and proven."""
    kept = first_kept(live, "record")
    if not from_checkpoint and not end.told_from and kept <= 1:
        return Stand(0, 0, end.incarnation, {})
    found = newest(live, hub.workspace.folder)
    if found is not None:
        checkpoint, manifest = found
        if checkpoint.position >= end.told_from and manifest.oldest >= kept:
            restore(scratch, hub.workspace.folder / FOLDER / checkpoint.folder, manifest)
            return manifest.stand
    since = max(end.told_from, kept - 1)
    raise Refused(
        f"the log tells every effect only from record {since + 1} on, and no copy of the state"
        " from there on is kept; take one for the next time: tillbridge db checkpoint"
    )


def _ready(
    hub: Hub, live: Connection, scratch: Connection, start: Stand, end: Stand, findings: Findings
) -> tuple[Order, Carrier]:
    """The reader and the rooms, with what stood at the start."""
    names = NamesThen()
    names.give(NameGiven(*row) for row in scratch.execute(QUERIES.names).fetchall())
    order = Order(FLOW, end.cursors, parked_rows(live, start.top, end.top), findings)
    for room, key, number, name, version, trace, cause, body in scratch.execute(
        QUERIES.parked_queue
    ).fetchall():
        record = Record(key, name, readable(key, name, version, body), 0, number, trace, cause)
        order.queue(room, record, number if number is not None else cause or 0)
    copy_table(live, scratch, "rule_book")  # the rules in force, not the files as they are edited
    rooms = hub.rooms(scratch, names)
    return order, Carrier(live, scratch, rooms, names, hub.clock, findings)


def _carried(
    live: Connection, order: Order, carrier: Carrier, start: Stand, end: Stand, tell: Tell
) -> int:
    """The whole way, span by span; gives how many records were read."""
    count = 0
    for told in pending_at(live, start):
        carrier.add(order.waits(told))
    for span in spans(live, start.top, end.top):
        for told in span:
            _take(told, order, carrier)
        carrier.carry()
        count += len(span)
        if span:
            tell(f"record {span[-1].id} of {end.top}")
    carrier.add(order.rest())
    carrier.carry()
    return count


def _take(told: Told, order: Order, carrier: Carrier) -> None:
    if told.record.type in NAMES:
        carrier.add(order.marker(told))
        carrier.marked(told.record.body)
    else:
        carrier.add(order.comes(told))
        carrier.expect(told)


def _keep_queues(scratch: Connection, order: Order) -> int:
    """What is parked at the end, as the hub has it; gives how many records."""
    scratch.execute(QUERIES.clear_parked)
    scratch.execute(QUERIES.clear_parked_keys)
    pairs = list(order.queues)
    scratch.execute(QUERIES.park_keys, ([room for room, _ in pairs], [key for _, key in pairs]))
    rows = [(r, k, record) for (r, k), queue in order.queues.items() for record, _ in queue]
    stored = [stored_form(record) for _, _, record in rows]
    scratch.execute(
        QUERIES.park,
        (
            [room for room, _, _ in rows],
            [key for _, key, _ in rows],
            [record.type for _, _, record in rows],
            [version for version, _ in stored],
            [body for _, body in stored],
        ),
        binary=True,
    )
    scratch.commit()
    return len(rows)


def _compared(
    live: Mapping[str, Digest], again: Mapping[str, Digest]
) -> dict[str, tuple[Digest, Digest]]:
    return {name: (live[name], again[name]) for name in live}


def _rows(
    live: Connection, scratch: Connection, tables: Mapping[str, tuple[Digest, Digest]]
) -> list[Row]:
    """The first rows that differ of each table that does."""
    found: list[Row] = []
    for name, (one, other) in tables.items():
        if one != other:
            found += first(different_rows(live, scratch, name))
    return found


def _rules_changed(
    gone: Callable[[str], bool],
    live: Connection,
    scratch: Connection,
    tables: Mapping[str, tuple[Digest, Digest]],
    findings: Findings,
) -> bool:
    """Whether the states differ only in entries that rules made which are no longer in the book."""
    differing = {name for name, (one, other) in tables.items() if one != other}
    if not differing <= {"entry", "entry_line"}:
        return False
    for name in differing:
        for row in different_rows(live, scratch, name):
            entry = row.what.split(" ")[0]
            if not gone(entry):
                return False
            findings.add(RULES_CHANGED, f"entry {entry}")
    return True


def _rule_gone(hub: Hub, live: Connection, scratch: Connection) -> Callable[[str], bool]:
    """Tells of an entry whether the book in force lacks a rule that made it."""
    book = hub.book_in_force(scratch)

    def gone(entry: str) -> bool:
        row = live.execute("select rule_hash from entry where id::text = %b", (entry,)).fetchone()
        return row is not None and len(book.rules_of({row[0]})) * 16 < len(row[0])

    return gone
