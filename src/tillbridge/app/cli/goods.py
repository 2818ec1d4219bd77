"""tillbridge items; stock adjust and stock move: what a person tells of goods."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tillbridge.app.cli.terminal import Terminal, fail, terminal
from tillbridge.app.hub import Hub
from tillbridge.app.text_table import table
from tillbridge.atoms.quantity import QuantityError, to_text, to_thousandths
from tillbridge.canonical.stock import StockLine

if TYPE_CHECKING:
    from tillbridge.app import stock_by_hand

app = typer.Typer(no_args_is_help=True)
_Reason = Annotated[str, typer.Option(help="A code: shrinkage, damage, found, sample, ...")]
_Unit = Annotated[str, typer.Option(help="Unit or pack; the base unit by default.")]


@app.command("import")
def import_(context: typer.Context, files: list[Path]) -> None:
    """Read items (CSV: product,version,title,unit,step,category,sellable,packs,components)."""
    from tillbridge.app import stock_by_hand

    here = terminal(context)
    with here.hub() as hub:
        entity = here.who.within(hub.workspace.settings.entity[0].code)
        hand = hand_of(here, hub, entity)
        items = [body for path in files for body in stock_by_hand.read_items(path, hand)]
        with hub.connect() as connection:
            stock_by_hand.describe(connection, items, hand)
    here.show({"items": len(items)}, f"{len(items)} items told; the flow takes them in")


@app.command()
def show(
    context: typer.Context, product: Annotated[str, typer.Argument(help="Only this one.")] = ""
) -> None:
    """Items as the stock book knows them."""
    here = terminal(context)
    with here.database() as connection:
        rows = connection.execute(
            "select i.product, i.version, i.title, i.unit, i.step, i.category, i.sellable,"
            " coalesce((select json_object_agg(p.unit, p.quantity) from item_pack p"
            "           where p.product = i.product), '{}'),"
            " coalesce((select json_object_agg(c.product, c.quantity) from item_component c"
            "           where c.bundle = i.product), '{}')"
            " from item i where %(p)s = '' or i.product = %(p)s order by i.product",
            {"p": product},
        ).fetchall()
    if product and not rows:
        fail(f"nobody described an item {product!r} (`tillbridge stock show` lists what is held)")
    names = (
        "product", "version", "title", "unit", "step", "category", "sellable", "packs",
        "components",
    )  # fmt: skip
    shown = [
        (*r[:4], to_text(r[4]), r[5], "yes" if r[6] else "no", _pairs(r[7]), _pairs(r[8]))
        for r in rows
    ]
    data = [dict(zip(names, row, strict=True)) for row in rows]
    here.show({"items": data, "unit": "thousandths"}, table(names, shown))


def adjust(
    context: typer.Context,
    product: str,
    place: Annotated[str, typer.Argument(metavar="LOCATION[:CONDITION]")],
    quantity: Annotated[str, typer.Argument(help="Signed: -3 for three less.")],
    reason: _Reason,
    unit: _Unit = "",
) -> None:
    """Correct what is on hand by QUANTITY."""
    from tillbridge.app import stock_by_hand

    here = terminal(context)
    where = stock_by_hand.where_of(place)
    line = StockLine("1", product, quantity_of(quantity), unit=unit)
    with here.hub() as hub, hub.connect() as connection:
        hand = hand_of(here, hub, entity_of(here, hub, where.location))
        fact = stock_by_hand.adjust(connection, where, line, reason, hand)
    here.show({"key": fact.key}, f"{_said(line)} at {place} told as {fact.key}")


def move(
    context: typer.Context,
    product: str,
    quantity: str,
    origin: Annotated[str, typer.Argument(metavar="FROM[:CONDITION]")],
    destination: Annotated[str, typer.Argument(metavar="TO[:CONDITION]")],
    reason: _Reason = "",
    unit: _Unit = "",
) -> None:
    """Move goods to another place or into another condition, at once."""
    from tillbridge.app import stock_by_hand

    here = terminal(context)
    start, end = stock_by_hand.where_of(origin), stock_by_hand.where_of(destination)
    line = StockLine("1", product, quantity_of(quantity), unit=unit)
    with here.hub() as hub, hub.connect() as connection:
        entity_of(here, hub, end.location)
        hand = hand_of(here, hub, entity_of(here, hub, start.location))
        facts = stock_by_hand.move(connection, start, end, line, reason, hand)
    told = f"{_said(line)} from {origin} to {destination} told as {facts[0].key}"
    here.show({"key": facts[0].key}, told)


def entity_of(here: Terminal, hub: Hub, location: str) -> str:
    """The entity of a location of the workspace, when it is in reach."""
    entities = {place.code: place.entity for place in hub.workspace.settings.location}
    if location not in entities:
        fail(f"the workspace has no location {location!r}")
    return here.who.within(entities[location])


def hand_of(here: Terminal, hub: Hub, entity: str) -> stock_by_hand.Hand:
    """Who tells something, now, under a fresh number."""
    from tillbridge.app.stock_by_hand import Hand

    places = frozenset(place.code for place in hub.workspace.settings.location)
    return Hand(here.who.name, hub.clock.now(), hub.ids.random_hex(8), entity, places)


def _said(line: StockLine) -> str:
    return f"{to_text(line.quantity)} {line.unit} of {line.product}".replace("  ", " ")


def quantity_of(text: str) -> int:
    """Thousandths of a decimal text; ends the program when it is none."""
    try:
        return to_thousandths(text)
    except QuantityError as problem:
        fail(str(problem), code=2)


def _pairs(found: dict[str, int]) -> str:
    return ";".join(f"{name}={to_text(quantity)}" for name, quantity in sorted(found.items()))
