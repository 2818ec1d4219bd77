"""tillbridge people: what is known of a person, and erasing one."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from tillbridge.app.cli.terminal import fail, terminal
from tillbridge.app.text_table import table
from tillbridge.atoms.clock import SystemClock

app = typer.Typer(no_args_is_help=True)
_Reason = Annotated[str, typer.Option(help="Why; it stays when the person is gone.")]


@app.command()
def find(context: typer.Context, word: str) -> None:
    """Party ids of WORD: an order, a mail address, a phone number, a whole name, a party id."""
    from tillbridge.durable import audit
    from tillbridge.triage import people

    here = terminal(context)
    with here.database() as connection:
        found = people.find(connection, word)
        for party, _ in found:
            audit.record(connection, here.who.name, "people.find", party)
        connection.commit()
    rows = [dict(zip(("party", "connection"), row, strict=True)) for row in found]
    here.show({"people": rows}, table(("party", "connection"), found))


@app.command()
def export(
    context: typer.Context,
    party: str,
    out: Annotated[Path | None, typer.Option(help="File to write (0600); else stdout.")] = None,
) -> None:
    """All that is known of a person as JSON, bodies included: what a request for data is owed."""
    from tillbridge.triage import people

    here = terminal(context)
    with here.database() as connection:
        found = people.export(connection, party, here.who.name)
        connection.commit()
    text = msgspec.json.format(msgspec.json.encode(found), indent=2)
    if out is None:
        here.show(found, text.decode())
        return
    handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(text)
    here.show({"party": party, "file": str(out)}, f"written to {out}")


@app.command()
def erase(
    context: typer.Context,
    parties: Annotated[list[str] | None, typer.Argument(help="Party ids (people find).")] = None,
    all_of: Annotated[str, typer.Option(help="Everybody known from this connection.")] = "",
    now: Annotated[
        bool, typer.Option("--now", help="Do not wait for records and documents under way.")
    ] = False,
    reason: _Reason = "",
) -> None:
    """Blank what names a person; what is under way or held by a law is waited for."""
    from tillbridge.triage import cases, people

    here = terminal(context)
    if bool(parties) == bool(all_of):
        fail("name party ids, or --all-of CONNECTION", code=2)
    with here.database() as connection:
        today = SystemClock().now().date()
        wanted = parties or people.parties_of(connection, all_of)
        done = []
        for party in wanted:
            erased = people.erase(connection, party, reason, here.who.name, today, now=now)
            connection.commit()
            done.append(erased)
            for number in [] if erased.waits_for else people.requests(connection, party):
                cases.resolve(connection, number, here.who.name, "carried out")
                connection.commit()
    rows = [(e.party, e.waits_for or "erased", e.messages, e.cases) for e in done]
    text = table(("party", "state", "bodies", "cases"), rows)
    files = sorted({place for e in done for place in e.files})
    text += "".join(f"\nremove by hand from archive/: {place}" for place in files)
    here.show({"erased": done}, text)


@app.command("list")
def list_erasures(context: typer.Context) -> None:
    """Every request to erase: what waits and for what, what was done, what was kept."""
    from tillbridge.triage import people

    here = terminal(context)
    with here.database() as connection:
        found = people.erasures(connection)
    rows = [
        (e.id, e.party, e.state, str(e.due_at.date()), e.waits_for, e.reason, e.asked_by)
        for e in found
    ]
    headers = ("request", "party", "state", "due", "waits for", "why", "by")
    here.show({"erasures": found}, table(headers, rows))


@app.command()
def hold(
    context: typer.Context,
    party: str,
    until: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Last day of the hold.")],
    reason: _Reason = "",
) -> None:
    """Keep a person until a day because a law or a dispute says so; erasing waits."""
    from tillbridge.triage import people

    here = terminal(context)
    with here.database() as connection:
        people.hold(connection, party, until.date(), reason, here.who.name)
        connection.commit()
    here.show({"party": party, "until": until.date()}, f"{party} is held until {until.date()}")


@app.command()
def release(context: typer.Context, party: str, reason: _Reason = "") -> None:
    """End a hold before its day."""
    from tillbridge.triage import people

    here = terminal(context)
    with here.database() as connection:
        people.release(connection, party, reason, here.who.name)
        connection.commit()
    here.show({"party": party}, f"{party} is not held any more")
