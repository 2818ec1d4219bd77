"""tillbridge reconcile: tie-outs, a payout from its lines to the bank, differences accepted."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from tillbridge.app.cli.terminal import fail, proposed, terminal
from tillbridge.app.text_table import table
from tillbridge.atoms.money import MoneyError, to_minor, to_text

if TYPE_CHECKING:
    from tillbridge.reconciliation.settlement.report import PayoutView, TieOut

app = typer.Typer(no_args_is_help=True)
_Key = Annotated[str, typer.Argument(help="Key of the payout: payout/ACCOUNT/ID.")]


@app.command()
def status(context: typer.Context) -> None:
    """Every tie-out: the books, the other side, and the parts of each difference."""
    from tillbridge.reconciliation.settlement.report import card_tie_outs, tie_outs

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        accounts = [one for one in hub.accounts if here.who.sees(one.entity)]
        found = tie_outs(connection, accounts)
        found += card_tie_outs(connection, here.who.entities)
    shown = [
        {
            **msgspec.to_builtins(one),
            "difference": one.difference,
            "unexplained": one.unexplained,
        }
        for one in found
    ]
    here.show({"tie_outs": shown}, _page(found))


def _page(found: Sequence[TieOut]) -> str:
    headers = ("tie-out", "entity", "books", "theirs", "difference", "")
    rows = [
        (
            one.name,
            one.entity,
            *(to_text(sum_, one.currency) for sum_ in (one.books, one.theirs, one.difference)),
            one.currency,
        )
        for one in found
    ]
    lines = [table(headers, rows)]
    for one in found:
        parts = [f"  {to_text(part.amount, one.currency):>12}  {part.what}" for part in one.parts]
        if one.unexplained:
            parts.append(f"  {to_text(one.unexplained, one.currency):>12}  unexplained")
        if parts:
            lines += ["", f"{one.name} of {one.entity} differs by:", *parts]
        if one.open:
            lines += ["", f"{one.name} of {one.entity}, still open:"]
            lines += [f"  {to_text(p.amount, one.currency):>12}  {p.what}" for p in one.open]
    return "\n".join(lines)


@app.command()
def run(context: typer.Context) -> None:
    """Work out what is due now; the schedule does the same every minute."""
    from tillbridge.reconciliation.settlement.look import look_at_settlements

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        looked = look_at_settlements(connection, hub.accounts, hub.clock.now())
        connection.commit()
        with hub.connect(worker=True) as working:
            hub.runner(working).drain()
    here.show(msgspec.to_builtins(looked), looked.words)


@app.command()
def show(context: typer.Context, payout: _Key) -> None:
    """A payout: its lines by type, those that wait, its entries, its lines at the bank."""
    from tillbridge.reconciliation.settlement import report

    here = terminal(context)
    with here.database() as connection:
        found = report.payout(connection, payout)
    here.who.within(found.entity)
    here.show(msgspec.to_builtins(found), _payout_page(found))


def _payout_page(found: PayoutView) -> str:
    def text(amount: int | None) -> str:
        return "not told" if amount is None else to_text(amount, found.currency)

    head = (
        f"{found.account} {found.payout} of {found.entity}: {text(found.amount)} {found.currency},"
        f" {found.state or 'state not told'}, for {found.paid_on or 'some day'};"
        f" {'ties' if found.tied else 'held'}"
    )
    types = [(kind, count, *map(text, amounts)) for kind, count, *amounts in found.types]
    lines = [
        (line, kind, told, text(gross), how, key, text(off) if off else "")
        for line, kind, told, gross, how, key, off in found.lines
    ]
    entries = [(str(day), account, text(sum_)) for account, day, _, sum_ in found.entries]
    bank = [(name, of, str(day), text(sum_), words) for name, of, day, sum_, words in found.bank]
    return "\n\n".join(
        (
            head,
            table(("type", "lines", "gross", "fee", "net"), types),
            table(("line", "type", "told", "gross", "matched by", "key", "differs"), lines),
            table(("posted", "account", "amount"), entries),
            table(("bank", "statement", "booked", "amount", "text"), bank),
        )
    )


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
