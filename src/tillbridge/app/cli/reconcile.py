"""tillbridge reconcile: tie-outs, a payout from its lines to the bank, differences accepted."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated

import msgspec
import typer

from tillbridge.app.cli.terminal import fail, proposed, terminal
from tillbridge.atoms.money import MoneyError, to_minor, to_text

app = typer.Typer(no_args_is_help=True)
_Key = Annotated[str, typer.Argument(help="Key of the payout: payout/ACCOUNT/ID.")]


@app.command()
def status(context: typer.Context) -> None:
    """Every tie-out: the books, the other side, and the parts of each difference."""
    from tillbridge.app.finance_pages import read_lines, tie_page
    from tillbridge.app.tie_outs import every_tie_out
    from tillbridge.reconciliation.sweeps.report import streams

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        accounts = [one for one in hub.accounts if here.who.sees(one.entity)]
        found = every_tie_out(hub, connection, accounts, here.who.entities)
        names = {one.name for one in accounts}
        read = [one for one in streams(connection) if one.connection in names]
    shown = [
        {
            **msgspec.to_builtins(one),
            "difference": one.difference,
            "unexplained": one.unexplained,
        }
        for one in found
    ]
    told = {"tie_outs": shown, "read": msgspec.to_builtins(read)}
    here.show(told, "\n".join((tie_page(found), *read_lines(read))))


@app.command()
def run(context: typer.Context) -> None:
    """Work out what is due now; the schedule does the same every minute."""
    from tillbridge.reconciliation.receivables.look import settle

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        looked = settle(connection, hub.accounts, hub.clock.now())
        connection.commit()
        with hub.connect(worker=True) as working:
            hub.runner(working).drain()
    here.show(msgspec.to_builtins(looked), looked.words)


@app.command()
def show(context: typer.Context, payout: _Key) -> None:
    """A payout: its lines by type, those that wait, its entries, its lines at the bank."""
    from tillbridge.app.finance_pages import payout_page
    from tillbridge.reconciliation.settlement import report

    here = terminal(context)
    with here.database() as connection:
        found = report.payout(connection, payout)
    here.who.within(found.entity)
    here.show(msgspec.to_builtins(found), payout_page(found))


@app.command()
def accept(
    context: typer.Context,
    payout: _Key,
    kind: Annotated[str, typer.Option("--as", help="What it is: rounding, fee, fx, ...")],
    amount: Annotated[
        str, typer.Option(help="Major units, signed as the provider's debt; all of it if left out.")
    ] = "",
    line: Annotated[list[str] | None, typer.Option(help="Only these lines.")] = None,
    tender: Annotated[str, typer.Option(help="Whose clearing account, if not the usual.")] = "",
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
) -> None:
    """Say what a difference is; it is booked as that. A second person approves it."""
    from tillbridge.reconciliation.settlement import residuals
    from tillbridge.triage.approvals import Wish, carry_out

    here = terminal(context)
    lines = line or []
    with here.hub() as hub, hub.connect() as connection:
        entity, currency = residuals.entity_of(connection, payout)
        off, lines = residuals.difference(connection, payout, lines)
        try:
            wanted = to_minor(Decimal(amount), currency) if amount else off
        except (InvalidOperation, MoneyError) as problem:
            fail(f"{amount!r} is no amount of {currency}: {problem}", code=2)
        change = {
            "payout": payout,
            "kind": kind,
            "amount": wanted,
            "tender": tender,
            "lines": lines,
        }
        wish = Wish("settlement.accept", payout, change, reason, entity, abs(wanted))
        proposal = carry_out(connection, here.who, wish, hub.clock.now())
        connection.commit()
    told = f"{to_text(wanted, currency)} {currency} of {payout} as {kind}: "
    told += proposed(proposal) if proposal else "accepted"
    here.show({"payout": payout, "amount": wanted, "proposal": proposal}, told)
