"""tillbridge costs: what goods cost, and what they are worth where the hub values stock."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
import typer

from tillbridge.app.cli.terminal import fail, terminal
from tillbridge.app.text_table import table

app = typer.Typer(no_args_is_help=True)
SHOWN_MOST = 500
_DAYS = ["%Y-%m-%d"]


@app.callback()
def costs() -> None:
    """Standard costs of products per entity, and the worth of goods by them."""


@app.command("set")
def set_(
    context: typer.Context,
    product: Annotated[str, typer.Argument(help="Our code of the product.")],
    entity: Annotated[str, typer.Option(help="In whose books.")],
    cost: Annotated[str, typer.Option(help="Of one base unit, such as 12.50 or 0.00425.")],
    since: Annotated[datetime, typer.Option(formats=_DAYS, help="First day it counts for.")],
    reason: Annotated[str, typer.Option(help="Why, for the audit.")],
) -> None:
    """Say what a product costs from a day on. What was valued by another cost is valued anew."""
    from tillbridge.app import costs_by_hand

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        here.who.within(entity)
        at = hub.agreed_clock.now()
        fact = costs_by_hand.costed(hub.workspace, entity, product, cost, since.date(), reason, at)
        costs_by_hand.tell(connection, fact, here.who.name)
        connection.commit()
    words = f"{product} costs {entity} {cost} {fact.currency} from {fact.since.isoformat()} on"
    here.show(msgspec.to_builtins(fact), words)


@app.command()
def show(
    context: typer.Context,
    product: Annotated[str, typer.Argument(help="Only this product.")] = "",
    entity: Annotated[str, typer.Option(help="Only this legal entity.")] = "",
) -> None:
    """The list of costs, with who told each, and what stands in the inventory by it."""
    from tillbridge.atoms.money import to_text
    from tillbridge.atoms.quantity import to_text as quantity_text
    from tillbridge.canonical.costs import unit_cost_text
    from tillbridge.reconciliation.costs.report import listed, stands

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        entities = [name for name in here.entities(entity) if name]
        rows = listed(connection, entities, product, SHOWN_MOST)
        shelves = stands(connection, entities, product, SHOWN_MOST)
        currencies = {one.code: one.currency for one in hub.workspace.settings.entity}
    if not rows:
        fail("no cost was told" + (f" of {product}" if product else ""))
    shown = [
        (
            one.entity,
            one.product,
            one.since.isoformat(),
            unit_cost_text(one.unit_cost, one.currency),
            one.currency,
            one.source,
        )
        for one in rows
    ]
    page = table(("entity", "product", "since", "cost", "", "told by"), shown)
    stood = [
        (
            one.entity,
            one.product,
            one.location,
            quantity_text(one.quantity),
            to_text(one.worth, currencies.get(one.entity, "USD")),
            str(one.waiting) if one.waiting else "",
        )
        for one in shelves
    ]
    if stood:
        heads = ("entity", "product", "location", "pieces", "worth", "waiting")
        page += "\n\n" + table(heads, stood)
    here.show({"costs": rows, "worth": shelves}, page)


@app.command()
def value(context: typer.Context) -> None:
    """Value what moved since; the schedule does the same every minute."""
    from tillbridge.app.money_chores import valuing_of
    from tillbridge.reconciliation.costs.look import look_at_goods

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        valuing = valuing_of(hub.workspace)
        if not valuing.currencies:
            fail('the hub values nobody\'s stock: no [[entity]] says cost = "hub"')
        looked = look_at_goods(connection, valuing, hub.agreed_clock.now())
        connection.commit()
        with hub.connect(worker=True) as working:
            hub.runner(working).drain()
    here.show(msgspec.to_builtins(looked), looked.words)
