"""tillbridge approvals: what one person proposes and another decides."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer

from tillbridge.app.cli.terminal import MOST, RowNumber, proposed, terminal
from tillbridge.app.text_table import table
from tillbridge.atoms.clock import SystemClock

app = typer.Typer(no_args_is_help=True)
_SHOWN = 4_000


@app.command("list")
def list_approvals(
    context: typer.Context,
    state: Annotated[
        str, typer.Option(help="proposed, applied, rejected, void or all.")
    ] = "proposed",
) -> None:
    """What waits for a second person."""
    from tillbridge.triage.approvals import approvals

    here = terminal(context)
    with here.database() as connection:
        found = approvals(connection, "" if state == "all" else state)
    found = [a for a in found if here.who.sees(a.entity)]
    rows = [(a.id, a.state, a.action, a.subject, a.author, a.approver, a.reason) for a in found]
    headers = ("proposal", "state", "what", "of", "by", "decided by", "why")
    here.show({"approvals": found}, table(headers, rows))


@app.command()
def show(context: typer.Context, number: RowNumber) -> None:
    """One proposal: what would change, and what it is now."""
    from tillbridge.triage.approvals import approval

    here = terminal(context)
    with here.database() as connection:
        found = approval(connection, number)
        here.who.within(found.entity)
    lines = [
        f"proposal {found.id}: {found.action} of {found.subject} ({found.state})",
        f"by {found.author} at {found.made_at:%Y-%m-%d %H:%M} UTC: {found.reason}",
        f"sha-256 {found.hash}",
        "",
        "now",
        _pretty(found.before),
        "",
        "would be",
        _pretty(found.change),
    ]
    here.show(found, "\n".join(lines))


def _pretty(value: object) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()[:_SHOWN]


@app.command()
def approve(
    context: typer.Context,
    number: RowNumber,
    note: Annotated[str, typer.Option(help="A word for the record.")] = "",
) -> None:
    """Approve what another person proposed; it is applied at once."""
    from tillbridge.triage.approvals import approve as decide

    here = terminal(context)
    with here.database() as connection:
        state = decide(connection, here.who, number, SystemClock().now(), note)
        connection.commit()
    told = f"proposal {number} is {state}"
    if state == "void":
        told += ": what it was proposed upon has changed since; propose it again"
    here.show({"proposal": number, "state": state}, told)
    if state != "applied":
        raise typer.Exit(1)


@app.command()
def reject(
    context: typer.Context,
    number: RowNumber,
    note: Annotated[str, typer.Option(help="Why.")] = "",
) -> None:
    """Say no to a proposal; your own is taken back."""
    from tillbridge.triage.approvals import reject as decide

    here = terminal(context)
    with here.database() as connection:
        state = decide(connection, here.who, number, note)
        connection.commit()
    here.show({"proposal": number, "state": state}, f"proposal {number} is {state}")


@app.command("policy")
def policy_(
    context: typer.Context,
    second_person: Annotated[
        bool | None, typer.Option("--second-person/--alone", help="Ask for one, or never.")
    ] = None,
    amount: Annotated[
        int | None,
        typer.Option(min=0, max=MOST, help="Minor units of a case that one person may give up."),
    ] = None,
    keys: Annotated[
        int | None,
        typer.Option(min=0, max=2**31 - 1, help="Cases that one person may try again in one go."),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
) -> None:
    """What takes a second person: shown, or changed with the options."""
    from tillbridge.triage import policy
    from tillbridge.triage.approvals import Wish, carry_out

    here = terminal(context)
    with here.database() as connection:
        before = policy.read(connection)
        wanted = policy.SecondPerson(
            before.second_person if second_person is None else second_person,
            before.alone_amount if amount is None else amount,
            before.alone_keys if keys is None else keys,
        )
        proposal = None
        if wanted != before:
            wish = Wish("approvals.policy", "hub", msgspec.to_builtins(wanted), reason)
            proposal = carry_out(connection, here.who, wish, SystemClock().now())
        connection.commit()
    rows = list(msgspec.to_builtins(wanted).items())
    text = table(("policy", "is"), [(name, str(value)) for name, value in rows])
    text += f"\n{proposed(proposal)}" if proposal else ""
    here.show({**dict(rows), "proposal": proposal}, text)
