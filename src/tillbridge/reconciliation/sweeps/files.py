"""Files against their own control records: each file that states totals is a sweep of its stream.

A file says how many records it holds and what they sum up to; the hub counted what it read. Files
of which that is expected and not there, or not so, are findings under their names: the same name
sent again with totals that agree closes them. A file that was refused as a whole is a case already.
"""

from __future__ import annotations

from datetime import datetime

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import key_of
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.findings import Settled, settle

QUERIES = load("tillbridge.reconciliation.sweeps", "files.sql", "sweep")
FILES_MOST = 1_000
"""Files one look takes in; the rest comes with the next."""


def sweep_files(connection: Connection, now: datetime) -> tuple[int, Settled]:
    """Make sweeps of the files taken in since; gives how many, and the cases opened and closed. The
    caller commits.
    """
    found: dict[str, NeedsDecision] = {}
    rows = connection.execute(QUERIES.sweep, {"now": now, "most": FILES_MOST}).fetchall()
    checked = set()
    for source, path, mute, words, refused in rows:
        key = key_of("file", source, path)
        checked.add(key)
        found.pop(key, None)  # the newest of one name speaks for it
        if words and not refused:
            found[key] = NeedsDecision(
                "file_totals",
                f"{path} of {source}: {words}",
                owner="stores",
                remedy=f"tillbridge sweep --history --connection {source}",
                details={"connection": source, "path": path, "without": mute},
            )
    return len(rows), settle(connection, "file_totals", found, now, checked=checked)


def look_at_files(connection: Connection, now: datetime) -> str:
    """The same as a chore, told in words."""
    looked, told = sweep_files(connection, now)
    return f"{looked} files held against their totals, {told.opened} cases opened"
