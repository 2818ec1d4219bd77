"""Cross-reference tables: kept in PostgreSQL, cached whole, reloaded when they change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from tillbridge.atoms.errors import Refused
from tillbridge.canonical.markers import NameGiven, NamesChanged
from tillbridge.contract.names import TABLES, CrossReferences
from tillbridge.durable import audit, log
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load("tillbridge.mapping", "names.sql")
NAMES_PER_MARKER = 500
TOLD = 20
"""New names an act tells in full; the tables themselves have the rest."""


class NameRow(msgspec.Struct, frozen=True):
    """One cross-reference: what a connection calls something, and what we call it."""

    connection: str
    table: str
    theirs: str
    ours: str


class NameTables:
    """All cross-references in memory. Share one per process; `refresh` once per transaction."""

    def __init__(self) -> None:
        self._generation = -1
        self._tables: dict[str, dict[tuple[str, str], str]] = {}
        self._back: dict[str, dict[tuple[str, str], str]] = {}

    def refresh(self, connection: Connection) -> None:
        """Reload when another process changed a name."""
        row = connection.execute(QUERIES.generation).fetchone()
        generation = int(row[0]) if row else 0
        if generation == self._generation:
            return
        tables: dict[str, dict[tuple[str, str], str]] = {}
        back: dict[str, dict[tuple[str, str], str]] = {}
        for name, table, theirs, ours in connection.execute(QUERIES.all_names).fetchall():
            tables.setdefault(name, {})[(table, theirs)] = ours
            back.setdefault(name, {}).setdefault((table, ours), theirs)
        self._tables, self._back, self._generation = tables, back, generation

    def hold(self, connection: Connection) -> None:
        """Refresh, and let nobody give a name before this transaction ends.

        Who parks a key for want of a name has to be seen by who gives it, or nobody wakes the key.
        """
        connection.execute(QUERIES.hold_names)
        self.refresh(connection)

    def of(self, name: str) -> CrossReferences:
        """Fresh look-ups for one message of a connection."""
        return CrossReferences(self._tables.get(name, {}))

    def theirs(self, name: str, table: str, ours: str) -> str | None:
        """What an outgoing connection calls a thing of ours."""
        return self._back.get(name, {}).get((table, ours))

    def ours(self, name: str, table: str, theirs: str) -> str | None:
        """What we call a thing of a connection; asking notes no gap."""
        return self._tables.get(name, {}).get((table, theirs))


def set_names(
    connection: Connection, rows: Iterable[NameRow], by: str = audit.HUB, reason: str = ""
) -> int:
    """Write cross-references, tell the log, wake the parked keys that waited for them; the caller
    commits next.

    Gives how many names were new or changed. Raises Refused for an unknown table or empty name.
    The database refuses to alter a name without the approval of a second person.
    """
    wanted = list({(row.connection, row.table, row.theirs): row for row in rows}.values())
    for row in wanted:
        if row.table not in TABLES:
            known = ", ".join(TABLES)
            raise Refused(f"{row.table!r} is no cross-reference table (there are {known})")
        if not row.ours:
            raise Refused(f"{row.connection} {row.table} {row.theirs!r} needs a name of ours")
    connection.execute(QUERIES.lock_names)
    before = current(connection, wanted)
    changed = connection.execute(
        QUERIES.set_names,
        (
            [row.connection for row in wanted],
            [row.table for row in wanted],
            [row.theirs for row in wanted],
            [row.ours for row in wanted],
        ),
    ).fetchall()
    connection.execute(QUERIES.raise_generation)
    _wake(connection, {(row.connection, row.table, row.theirs): row.ours for row in wanted})
    if changed:
        _record(connection, wanted, before, by, reason)
    log.mark(connection, _told([NameGiven(*row) for row in changed]))
    return len(changed)


def _told(names: Sequence[NameGiven]) -> list[NamesChanged]:
    """Markers of a size that a log can bear."""
    return [
        NamesChanged(key="hub/names", id="", names=tuple(names[start : start + NAMES_PER_MARKER]))
        for start in range(0, len(names), NAMES_PER_MARKER)
    ]


def current(connection: Connection, rows: Iterable[NameRow]) -> list[NameRow]:
    """The names as they are now of those rows that have one, in order."""
    wanted = list(rows)
    found = connection.execute(
        QUERIES.current,
        (
            [row.connection for row in wanted],
            [row.table for row in wanted],
            [row.theirs for row in wanted],
        ),
    )
    return [NameRow(*row) for row in found.fetchall()]


def altered(connection: Connection, rows: Iterable[NameRow]) -> list[NameRow]:
    """Those rows that would alter a name that is there."""
    wanted = {(row.connection, row.table, row.theirs): row for row in rows}
    known = {
        (r.connection, r.table, r.theirs): r.ours for r in current(connection, wanted.values())
    }
    return [row for key, row in wanted.items() if known.get(key, row.ours) != row.ours]


def _record(
    connection: Connection, wanted: list[NameRow], known: list[NameRow], by: str, reason: str
) -> None:
    """One act: altered names in full, new ones by count and the first of them."""
    was = {(row.connection, row.table, row.theirs): row.ours for row in known}
    other = [r for r in wanted if was.get((r.connection, r.table, r.theirs), r.ours) != r.ours]
    new = [r for r in wanted if (r.connection, r.table, r.theirs) not in was]
    keys = {(row.connection, row.table, row.theirs) for row in other}
    audit.record(
        connection,
        by,
        "names.set",
        ", ".join(sorted({row.connection for row in wanted})),
        before=[row for row in known if (row.connection, row.table, row.theirs) in keys] or None,
        after={"altered": other, "new": len(new), "first": new[:TOLD]},
        reason=reason,
    )


def _wake(connection: Connection, named: Mapping[tuple[str, str, str], str]) -> None:
    """Mark keys ready whose case misses one of the names that were just given."""
    ready = []
    for number, details in connection.execute(QUERIES.waiting_cases).fetchall():
        source = str(details.get("connection", ""))
        for gap in details.get("missing", ()):
            if (source, gap.get("table"), gap.get("theirs")) in named:
                ready.append(number)
                break
    if ready:
        connection.execute(QUERIES.make_ready, (ready,))
        connection.execute("notify log")
