"""tillbridge invoices: invoices and credit notes, what buyers on account owe, and since when."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from tillbridge.app.cli.terminal import MOST, terminal
from tillbridge.app.text_table import table
from tillbridge.atoms.money import to_text

if TYPE_CHECKING:
    from tillbridge.watch.invoices import Aged

app = typer.Typer(no_args_is_help=True)
_BUCKETS = ("not due", "1-30", "31-60", "61-90", "over 90")


@app.command("list")
def list_(
    context: typer.Context,
    entity: Annotated[str, typer.Option(help="Only of this legal entity.")] = "",
    order: Annotated[str, typer.Option(help="Only of this order: number or key.")] = "",
    buyer: Annotated[str, typer.Option(help="Only of this buyer: a party id.")] = "",
    only_open: Annotated[
        bool, typer.Option("--open", help="Only what is left to pay, by age.")
    ] = False,
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="With --open: as of that day.")
    ] = None,
    limit: Annotated[int, typer.Option(min=0, max=MOST, help="At most so many.")] = 1000,
) -> None:
    """Invoices and credit notes, the newest first; with --open what is owed, by days past due."""
    from tillbridge.watch import invoices, story

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        entities = tuple(name for name in here.entities(entity) if name)
        key = story.find(connection, order) if order else ""
        wanted = invoices.Wanted(entities=entities, order=key, party=buyer, limit=limit)
        if only_open:
            day = (as_of or hub.clock.now()).date()
            _aged(context, invoices.ageing(connection, wanted, day)[:limit], str(day))
            return
        found = invoices.invoices(connection, wanted)
    rows = [
        (
            one.number,
            one.kind,
            one.order,
            one.issued_on,
            one.due_on,
            *("" if x is None else to_text(x, one.currency) for x in (one.total, one.open)),
            one.currency,
            one.state,
        )
        for one in found
    ]
    heads = ("number", "kind", "order", "issued", "due", "total", "open", "", "state")
    here.show({"invoices": found}, table(heads, rows))


def _aged(context: typer.Context, found: list[Aged], day: str) -> None:
    from tillbridge.watch.invoices import sums_of

    sums = sums_of(found)
    rows = [
        (
            one.number,
            one.order,
            one.entity,
            one.due_on,
            to_text(one.open, one.currency),
            one.currency,
            one.bucket,
        )
        for one in found
    ]
    ages = [
        (*(to_text(of[name], currency) for name in _BUCKETS), currency)
        for currency, of in sorted(sums.items())
    ]
    heads = ("number", "order", "entity", "due", "open", "", "days past due")
    page = f"open as of {day}\n{table(heads, rows)}\n\n{table((*_BUCKETS, ''), ages)}"
    terminal(context).show({"as_of": day, "invoices": found, "sums": sums}, page)


@app.command()
def show(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="Its number, ours or the ERP's, or its key.")],
) -> None:
    """One invoice or credit note with its lines, taxes, and what is left to pay of it."""
    from tillbridge.watch import invoices

    here = terminal(context)
    with here.database() as connection:
        found = invoices.invoice(connection, number, here.who.entities)
    here.show(found, invoices.page(found))
