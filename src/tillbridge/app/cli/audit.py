"""tillbridge audit: what people did, and proof that nobody changed it since."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tillbridge.app.cli.terminal import MOST, Terminal, terminal
from tillbridge.app.text_table import table
from tillbridge.atoms.clock import SystemClock

if TYPE_CHECKING:
    from tillbridge.watch.evidence.export import Written

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
def export(
    context: typer.Context,
    entity: Annotated[str, typer.Argument(help="Legal entity.")],
    month: Annotated[str, typer.Argument(help="Month, 2026-03.")],
    file: Annotated[Path, typer.Argument(help="File to write, JSON lines.")],
) -> None:
    """The evidence of a month in one file: facts, entries, approvals, rules, acts, hashes."""
    from tillbridge.app.cli.periods import month_of
    from tillbridge.app.evidence import write_month

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        month_of(hub, here.who, entity, month)
        done = write_month(hub, connection, entity, month, file, here.who.name)
    rows = ", ".join(f"{count} {kind}" for kind, count in done.counts.items() if kind != "head")
    here.show({"file": str(file), **_plain(done)}, f"{file}: {rows}\nsha-256 {done.sha256}")


@app.command()
def verify(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(help="An exported month; read without hub or database.")
    ] = None,
    digest: Annotated[str, typer.Option(help="The sha-256 that the export printed.")] = "",
    against: Annotated[
        Path | None, typer.Option(help="File of digests (JSON lines) that was kept elsewhere.")
    ] = None,
) -> None:
    """Read the whole chain again, or an exported month; exit 1 when something is not as it was."""
    from tillbridge.app.audit_digests import read_digests
    from tillbridge.durable import audit

    here = terminal(context)
    if file is not None:
        _verify_file(here, file, digest)
        return
    kept = read_digests(against) if against else []
    with here.database() as connection:
        chain = audit.verify(connection, kept)
    words = f"{chain.count} acts read, {len(kept)} digests compared, head {chain.head}"
    here.show(chain, "\n".join([words, *chain.problems]))
    if chain.problems:
        raise typer.Exit(1)


def _verify_file(here: Terminal, file: Path, digest: str) -> None:
    from tillbridge.watch.evidence.proof import prove

    with file.open("rb") as lines:
        proof = prove(lines, digest)
    words = f"{proof.entity} {proof.period}: {sum(proof.counts.values())} rows read, "
    words += f"{len(proof.problems)} wrong; sha-256 {proof.digest}"
    if proof.facts_gone:
        words += f"\n{proof.facts_gone} entries without their fact: the log was dropped before"
    here.show(proof, "\n".join([words, *proof.problems]))
    if proof.problems:
        raise typer.Exit(1)


def _plain(done: Written) -> dict[str, object]:
    return {"counts": done.counts, "sha256": done.sha256}
