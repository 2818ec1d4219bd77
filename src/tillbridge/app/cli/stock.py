"""tillbridge stock: the stock book."""

from __future__ import annotations

from typing import Annotated

import typer

from tillbridge.app.cli import goods, replenishment, stock_compare, stock_rules
from tillbridge.app.cli.publication import publication
from tillbridge.app.cli.terminal import terminal
from tillbridge.app.text_table import table
from tillbridge.atoms.quantity import to_text

app = typer.Typer(no_args_is_help=True)
app.add_typer(stock_rules.app, name="rules")
app.command()(stock_rules.available)
app.command()(stock_compare.compare)
app.command()(publication)
# so that a quantity may begin with a minus
app.command(context_settings={"ignore_unknown_options": True})(goods.adjust)
app.command()(goods.move)
for _verb in (
    replenishment.replenish,
    replenishment.proposals,
    replenishment.accept,
    replenishment.reject,
    replenishment.supplies,
):
    app.command()(_verb)


@app.callback()
def stock() -> None:
    """The stock book."""


@app.command()
def show(
    context: typer.Context,
    product: Annotated[str, typer.Option(help="Only this product.")] = "",
    location: Annotated[str, typer.Option(help="Only this location.")] = "",
) -> None:
    """On hand, reserved and free per location and product."""
    here = terminal(context)
    with here.database() as connection:
        rows = connection.execute(
            "select location, product, condition, on_hand, reserved, on_hand - reserved from stock"
            " where (%(p)s = '' or product = %(p)s) and (%(l)s = '' or location = %(l)s)"
            " and (%(everything)s or location = any(%(locations)s))"
            " order by location, product, condition",
            {"p": product, "l": location, **here.reach.values()},
        ).fetchall()
    data = [
        dict(
            zip(("location", "product", "condition", "on_hand", "reserved", "free"), r, strict=True)
        )
        for r in rows
    ]
    shown = [(*r[:3], *(to_text(value) for value in r[3:])) for r in rows]
    headers = ("location", "product", "condition", "on hand", "reserved", "free")
    here.show({"stock": data, "unit": "thousandths"}, table(headers, shown))
