"""tillbridge orders: what a person tells of an order's goods, and allows of its money."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tillbridge.app.cli.terminal import Terminal, fail, terminal
from tillbridge.atoms.quantity import QuantityError, to_thousandths
from tillbridge.canonical.stock import StockLine

if TYPE_CHECKING:
    from tillbridge.app.hub import Hub
    from tillbridge.app.stock_by_hand import Hand
    from tillbridge.durable.rooms import Connection

app = typer.Typer(no_args_is_help=True)
_Order = Annotated[str, typer.Argument(help="Its number or key.")]


@app.command("pick-failed")
def pick_failed(
    context: typer.Context,
    order: _Order,
    location: Annotated[str, typer.Option(help="The place that failed it.")],
    reason: Annotated[str, typer.Option(help="no_pick (not found there) or rejected.")],
    line: Annotated[
        list[str] | None,
        typer.Option(help="LINE or LINE=QUANTITY in the order's unit; all that stands there."),
    ] = None,
) -> None:
    """Have an order, or lines of it, sourced without a place that failed it."""
    from tillbridge.app import orders_by_hand

    here = terminal(context)
    lines = tuple(_line(text) for text in line or ())
    with here.hub() as hub, hub.connect() as connection:
        key = _key(here, connection, order)
        hand = _hand(here, hub)
        fact = orders_by_hand.pick_failed(connection, key, location, reason, lines, hand)
    told = f"{location} failed {key}: told; the order is sourced without it"
    here.show({"key": key, "failure": fact.failure}, told)


@app.command()
def source(
    context: typer.Context,
    order: _Order,
    allow: Annotated[
        list[str] | None, typer.Option(help="A place that failed it and may serve it again.")
    ] = None,
) -> None:
    """Have an order sourced again now: it keeps what it holds if it can."""
    from tillbridge.app import orders_by_hand

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        key = _key(here, connection, order)
        orders_by_hand.source(connection, key, _hand(here, hub), tuple(allow or ()))
    here.show({"key": key}, f"{key} is sourced again; `tillbridge story {order}` tells how")


@app.command()
def refund(context: typer.Context, order: _Order) -> None:
    """Allow the hub to have given back what is owed on an order; a second person approves it."""
    from tillbridge.app import orders_by_hand
    from tillbridge.triage.approvals import carry_out

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        key, hand = _key(here, connection, order), _hand(here, hub)
        wish = orders_by_hand.refund_owed(connection, key, hub.policies, hand)
        proposal = carry_out(connection, here.who, wish, hub.clock.now())
        connection.commit()
    told = f"{wish.reason}: allowed"
    if proposal is not None:
        told = f"{wish.reason}: proposal {proposal}; another person approves it: "
        told += f"tillbridge approvals approve {proposal}"
    here.show({"key": key, "refund": wish.subject, "proposal": proposal}, told)


def _key(here: Terminal, connection: Connection, order: str) -> str:
    from tillbridge.triage.reach import key_within
    from tillbridge.watch.story import find

    key = find(connection, order)
    key_within(connection, key, here.reach)
    return key


def _hand(here: Terminal, hub: Hub) -> Hand:
    from tillbridge.app.stock_by_hand import Hand

    settings = hub.workspace.settings
    places = frozenset(place.code for place in settings.location)
    entity = (*here.who.entities, settings.entity[0].code)[0]
    return Hand(here.who.name, hub.clock.now(), hub.ids.random_hex(8), entity, places)


def _line(text: str) -> StockLine:
    name, _, quantity = text.partition("=")
    try:
        return StockLine(name, "", to_thousandths(quantity) if quantity else 0)
    except QuantityError as problem:
        fail(str(problem), code=2)
