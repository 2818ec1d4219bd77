"""tillbridge audit: what people did, and proof that nobody changed it since."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from tillbridge.app.cli.terminal import MOST, terminal
from tillbridge.app.text_table import table
from tillbridge.atoms.clock import SystemClock

app = typer.Typer(no_args_is_help=True)
_DAYS = ["%Y-%m-%d"]
_INSTANTS = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]


@app.command("list")
def list_acts(
    context: typer.Context,
    actor: Annotated[str, typer.Option(help="Only of this operator.")] = "",
    action: Annotated[str, typer.Option(help="Only actions that begin so: cases, names.set.")] = "",
    since: Annotated[
        datetime | None, typer.Option(formats=_INSTANTS, help="Only from then on, UTC.")
    ] = None,
    limit: Annotated[
        int, typer.Option(min=0, max=MOST, help="At most so many, the newest.")
    ] = 1000,
) -> None:
    """What people did, oldest first: when, who, what, why."""
    from datetime import UTC

    from tillbridge.durable import audit

    here = terminal(context)
    begin = since.replace(tzinfo=UTC) if since else None
    with here.database() as connection:
        found = audit.acts(connection, actor=actor, action=action, since=begin, limit=limit)
    rows = [
        (a.id, a.at.strftime("%Y-%m-%d %H:%M:%S"), a.actor, a.action, a.subject, a.after, a.reason)
        for a in found
    ]
    headers = ("act", "at", "who", "what", "of", "now", "why")
    here.show({"acts": found}, table(headers, rows))


@app.command()
def digest(
    context: typer.Context,
    day: Annotated[datetime | None, typer.Option(formats=_DAYS, help="Today by default.")] = None,
) -> None:
    """One day (UTC) in one line: count, first and last act, hash of the last."""
    from tillbridge.durable import audit

    here = terminal(context)
    wanted = (day or SystemClock().now()).date()
    with here.database() as connection:
        found = audit.digest(connection, wanted)
    text = f"{found.day}: {found.count} acts, {found.first} to {found.last}, head {found.head}"
    here.show(found, text)


@app.command()
def verify(
    context: typer.Context,
    against: Annotated[
        Path | None, typer.Option(help="File of digests (JSON lines) that was kept elsewhere.")
    ] = None,
) -> None:
    """Read the whole chain again; exit 1 when an act was changed, taken out or cut off."""
    from tillbridge.app.audit_digests import read_digests
    from tillbridge.durable import audit

    here = terminal(context)
    kept = read_digests(against) if against else []
    with here.database() as connection:
        chain = audit.verify(connection, kept)
    words = f"{chain.count} acts read, {len(kept)} digests compared, head {chain.head}"
    here.show(chain, "\n".join([words, *chain.problems]))
    if chain.problems:
        raise typer.Exit(1)
