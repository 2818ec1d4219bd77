"""Cross-reference tables as files: read with file:line, and proposed from source files."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from tillbridge.app import registry
from tillbridge.app.hub import Hub
from tillbridge.app.settings import Workspace
from tillbridge.atoms import csv_cells
from tillbridge.atoms.clock import SystemClock
from tillbridge.atoms.errors import NeedsDecision, Refused
from tillbridge.contract.names import TABLES, Proposals
from tillbridge.contract.promises import Message, ReadsFiles, Translates
from tillbridge.mapping.names import NameRow

COLUMNS = ("connection", "table", "theirs", "ours")


def read_rows(path: Path) -> list[NameRow]:
    """Rows of one CSV file; raises Refused with every mistake as file:line: words."""
    try:
        return _rows(path)
    except (UnicodeDecodeError, csv.Error) as problem:
        raise Refused(f"{path}: is no CSV file in UTF-8: {problem}") from None


def _rows(path: Path) -> list[NameRow]:
    rows: list[NameRow] = []
    problems: list[str] = []
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise Refused(f"{path}:1: no column {', '.join(missing)}")
        for row in reader:
            place = f"{path}:{reader.line_num}"
            if any("\0" in str(cell) for cell in row.values()):
                problems.append(f"{place}: it holds a NUL")
            elif row["table"] not in TABLES:
                problems.append(
                    f"{place}: no table {row['table']!r} (there are {', '.join(TABLES)})"
                )
            elif not row["ours"]:
                problems.append(f"{place}: {row['table']} {row['theirs']!r} has no name of ours")
            else:
                rows.append(NameRow(*(csv_cells.unguarded(row[name] or "") for name in COLUMNS)))
    if problems:
        raise Refused("\n".join(problems[:20]))
    return rows


def proposals(
    workspace: Workspace, name: str, paths: Sequence[Path], topic: str
) -> tuple[list[tuple[NameRow, str]], list[str]]:
    """Every name the files mention with one of ours proposed, and what could not be read.

    Rows carry a hint (a product's title, say); nothing is written to the database.
    """
    if name not in workspace.settings.connection:
        raise Refused(f"the workspace has no connection {name!r}")
    connector = registry.connector(workspace.settings.connection[name].connector)
    if not isinstance(connector, ReadsFiles) or not isinstance(connector, Translates):
        raise Refused(f"connector {connector.name} reads no files")
    source = Hub(workspace, "").sources[name]
    names = Proposals(name)
    unread: list[str] = []
    now = SystemClock().now()
    for path in paths:
        with path.open("rb") as stream:
            for item in connector.split(stream, path.name, source, topic):
                if item.problem:
                    unread.append(f"{item.place or path.name}: {item.problem}")
                    continue
                message = Message(
                    connection=name,
                    topic=item.topic,
                    delivery=item.delivery,
                    body=item.body,
                    received_at=now,
                )
                try:
                    connector.translate(message, source, names)
                except NeedsDecision as problem:
                    unread.append(f"{item.place or path.name}: {problem.words}")
    rows = [
        (NameRow(name, table, theirs, ours), hint)
        for (table, theirs), (ours, hint) in sorted(names.rows.items())
    ]
    return rows, unread
