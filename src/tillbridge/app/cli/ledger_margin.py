"""tillbridge ledger margin: what channels earn, out of the books."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tillbridge.app.cli.terminal import fail, terminal
from tillbridge.app.text_table import table
from tillbridge.atoms import csv_cells
from tillbridge.atoms.money import to_text

if TYPE_CHECKING:
    from tillbridge.watch.margin import Margin

_DAYS = ["%Y-%m-%d"]


def margin(
    context: typer.Context,
    since: Annotated[datetime, typer.Option(formats=_DAYS, help="First day posted.")],
    through: Annotated[datetime, typer.Option(formats=_DAYS, help="Last day posted.")],
    entity: Annotated[str, typer.Option(help="Only this legal entity.")] = "",
    by: Annotated[
        str, typer.Option(help="Of entity, day, channel, category, order, line; with commas.")
    ] = "entity,channel,category",
    out: Annotated[Path | None, typer.Option(help="CSV file to write.")] = None,
) -> None:
    """Sales, discounts, shipping, cost and fees per entity, day, channel, category, order or line.

    What an order earns and costs, fees of its payouts too, is shared out over its categories and
    lines to the cent; what belongs to no sale is shown as not allocated.
    """
    from tillbridge.watch.margin import BY, MEASURES, margins

    here = terminal(context)
    wanted = tuple(word.strip() for word in by.split(","))
    if not set(wanted) <= set(BY):
        fail(f"--by takes {', '.join(BY)}, not {by!r}", code=2)
    with here.hub() as hub, hub.connect() as connection:
        chart = hub.book_in_force(connection).chart
        days = (since.date(), through.date())
        found = [
            one
            for name in here.entities(entity)
            for one in margins(connection, chart, *days, entity=name, by=wanted)
        ]
    heads = (*BY, "currency", *MEASURES, "margin")
    rows = list(_rows(found))
    if out is not None:
        text = "".join(csv_cells.row(row) for row in (heads, *rows))
        out.write_text(text, encoding="utf-8", newline="")
    shown = [dict(zip(heads, row, strict=True)) for row in rows]
    here.show({"margins": shown}, table(heads, rows))


def _rows(found: Sequence[Margin]) -> Iterator[tuple[str, ...]]:
    from tillbridge.watch.margin import MEASURES

    for one in found:
        amounts = [*(getattr(one, measure) for measure in MEASURES), one.total]
        yield (
            one.entity,
            one.day,
            one.channel,
            one.category,
            one.order,
            one.line,
            one.currency,
            *(to_text(amount, one.currency) for amount in amounts),
        )
