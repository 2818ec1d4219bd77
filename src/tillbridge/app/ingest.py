"""`tillbridge ingest`: files taken in as if delivered, then carried through the flow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from tillbridge.app import registry
from tillbridge.app.hub import Hub
from tillbridge.atoms.errors import Refused
from tillbridge.contract.promises import ReadsFiles, ReadsSettlements
from tillbridge.inbox.files import ingest_files
from tillbridge.watch.status import status


class IngestReport(msgspec.Struct):
    """What came in and what became of it. facts, entries and cases count what this run added."""

    files: int = 0
    items: int = 0
    new: int = 0
    duplicates: int = 0
    conflicts: int = 0
    problems: int = 0
    facts: int = 0
    entries: int = 0
    open_cases: int = 0
    cases: dict[str, int] = {}


def ingest(hub: Hub, name: str, paths: Sequence[Path], topic: str) -> IngestReport:
    """Store the deliveries of the files and run the flow (documents wait for `drain`).

    Raises Refused for an unknown connection, a connector that reads no files, a missing file.
    """
    connections = hub.workspace.settings.connection
    if name not in connections:
        known = ", ".join(connections)
        raise Refused(f"the workspace has no connection {name!r} (there are {known})")
    connector = registry.connector(connections[name].connector)
    if not isinstance(connector, (ReadsFiles, ReadsSettlements)):
        raise Refused(f"connection {name} ({connector.name}) reads no files")
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise Refused(f"no such file: {', '.join(missing)}")
    with hub.connect() as connection:
        before = status(connection)
        connection.rollback()
        source = hub.sources[name]
        taken = ingest_files(
            connection, connector, source, paths, topic, hub.clock, hub.settlement_files(name)
        )
        with hub.connect(worker=True) as working:
            hub.runner(working).drain()
        after = status(connection)
    return IngestReport(
        files=taken.files,
        items=taken.items,
        new=taken.new,
        duplicates=taken.duplicates,
        conflicts=taken.conflicts,
        problems=taken.problems,
        facts=sum(after.facts.values()) - sum(before.facts.values()),
        entries=after.entries - before.entries,
        open_cases=sum(after.open_cases.values()),
        cases=after.open_cases,
    )
