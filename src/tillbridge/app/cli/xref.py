"""tillbridge xref: what other systems call our things."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from msgspec import to_builtins

from tillbridge.app.cli.terminal import Terminal, fail, proposed, terminal
from tillbridge.app.hub import Hub
from tillbridge.app.settings_tables import ConnectionSettings
from tillbridge.app.text_table import table
from tillbridge.atoms import csv_cells
from tillbridge.atoms.clock import SystemClock
from tillbridge.durable.rooms import Connection
from tillbridge.mapping.names import NameRow, altered, set_names
from tillbridge.triage.approvals import Wish, carry_out

app = typer.Typer(no_args_is_help=True)
_Reason = Annotated[str, typer.Option(help="Why; asked for where a name is altered.")]
HEADER = ["connection", "table", "theirs", "ours"]


@app.command("import")
def import_(context: typer.Context, files: list[Path], reason: _Reason = "") -> None:
    """Read tables (CSV with connection,table,theirs,ours); waiting records go on by themselves."""
    from tillbridge.app.xref_files import read_rows

    here = terminal(context)
    rows = [row for path in files for row in read_rows(path)]
    with here.hub() as hub:
        known = hub.workspace.settings.connection
        unknown = sorted({row.connection for row in rows} - known.keys())
        if unknown:
            fail(f"the workspace has no connection {', '.join(unknown)}")
        lost = _lost(here, rows, hub)
        with hub.connect() as connection:
            changed, proposal = _give(here, connection, rows, known, reason)
    told = f"{len(rows)} names read, {changed} new or changed"
    if proposal:
        told += f"; what alters names that are there {proposed(proposal)}"
    data = {"rows": len(rows), "changed": changed, "proposal": proposal, "lost_locations": lost}
    here.show(data, told)


def _lost(here: Terminal, rows: list[NameRow], hub: Hub) -> list[str]:
    """Names that lead to locations the workspace has not, which is said aloud: goods told there
    become cases until it has.
    """
    places = [place.code for place in hub.workspace.settings.location]
    lost = sorted({row.ours for row in rows if row.table == "location"} - set(places))
    if lost:
        here.tell(
            f"tillbridge: the workspace has no location {', '.join(lost[:20])}: what is told there "
            f"becomes a case (there are {', '.join(places)}; a new one is a [[location]] of "
            "tillbridge.toml)"
        )
    return lost


def _give(
    here: Terminal,
    connection: Connection,
    rows: list[NameRow],
    known: Mapping[str, ConnectionSettings],
    reason: str,
) -> tuple[int, int | None]:
    """New names at once; what alters a name that is there as a change that may take a second
    person. How many were given, and the proposal's number. Commits.
    """
    entities = sorted({here.who.within(known[row.connection].entity) for row in rows})
    other = altered(connection, rows)
    changed, proposal = 0, None
    if other:
        subject = ", ".join(sorted({row.connection for row in other}))
        entity = entities[0] if len(entities) == 1 else ""
        wish = Wish("names.change", subject, {"names": to_builtins(other)}, reason, entity)
        proposal = carry_out(connection, here.who, wish, SystemClock().now())
        connection.commit()
        changed += 0 if proposal else len(other)
    changed += set_names(connection, [r for r in rows if r not in other], here.who.name, reason)
    connection.commit()
    return changed, proposal


@app.command("list")
def list_names(
    context: typer.Context,
    connection_name: Annotated[str, typer.Option("--connection", help="Only this one's.")] = "",
    kind: Annotated[str, typer.Option("--table", help="Only this table.")] = "",
) -> None:
    """All cross-references."""
    here = terminal(context)
    with here.database() as connection:
        rows = connection.execute(
            "select connection, kind, theirs, ours from xref"
            " where (%(c)s = '' or connection = %(c)s) and (%(k)s = '' or kind = %(k)s)"
            " and (%(everything)s or connection = any(%(connections)s)) order by 1, 2, 3",
            {"c": connection_name, "k": kind, **here.reach.values()},
        ).fetchall()
    names = [dict(zip(HEADER, row, strict=True)) for row in rows]
    here.show({"names": names}, table(HEADER, rows))


@app.command("set")
def set_(
    context: typer.Context,
    connection_name: Annotated[str, typer.Argument(metavar="CONNECTION")],
    kind: Annotated[str, typer.Argument(metavar="TABLE")],
    theirs: str,
    ours: str,
    reason: _Reason = "",
) -> None:
    """Give one name; records that waited for it go on by themselves."""
    here = terminal(context)
    with here.hub() as hub:
        if connection_name not in hub.workspace.settings.connection:
            fail(f"the workspace has no connection {connection_name!r}")
        with hub.connect() as connection:
            rows = [NameRow(connection_name, kind, theirs, ours)]
            lost = _lost(here, rows, hub)
            known = hub.workspace.settings.connection
            changed, proposal = _give(here, connection, rows, known, reason)
    told = f"{kind} {theirs!r} of {connection_name} is {ours!r}"
    told += f": {proposed(proposal)}" if proposal else ""
    data = {"changed": changed, "proposal": proposal, "lost_locations": lost}
    here.show(data, told)


@app.command()
def propose(
    context: typer.Context,
    paths: list[Path],
    connection_name: Annotated[str, typer.Option("--connection", help="Whose files they are.")],
    topic: Annotated[str, typer.Option(help="Topic of raw webhook payloads.")] = "",
    out: Annotated[Path | None, typer.Option(help="File to write; stdout by default.")] = None,
) -> None:
    """Draw tables from the source files themselves, for review before `xref import`."""
    from tillbridge.app.xref_files import proposals

    here = terminal(context)
    workspace = here.workspace()
    rows, unread = proposals(workspace, connection_name, paths, topic)
    here_out = out.open("w", newline="", encoding="utf-8") if out else sys.stdout
    try:
        if not here.json or out:
            here_out.write(csv_cells.row([*HEADER, "hint"], "\n"))
            for r, hint in rows:
                cells = (r.connection, r.table, r.theirs, r.ours, hint)
                here_out.write(csv_cells.row(cells, "\n"))
    finally:
        if out:
            here_out.close()
    for words in unread:
        here.tell(f"tillbridge: {words}")
    if here.json or out:
        names = [
            {**dict(zip(HEADER, (r.connection, r.table, r.theirs, r.ours), strict=True)), "hint": h}
            for r, h in rows
        ]
        here.show(
            {"names": names, "file": str(out or ""), "unread": unread},
            f"{len(rows)} names proposed in {out}",
        )
