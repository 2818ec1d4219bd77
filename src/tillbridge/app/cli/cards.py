"""tillbridge cards: what is on a gift card or store credit, and whether the cards tie out."""

from __future__ import annotations

from typing import Annotated

import typer

from tillbridge.app.cli.terminal import fail, terminal
from tillbridge.app.text_table import table

app = typer.Typer(no_args_is_help=True)


@app.callback()
def cards() -> None:
    """Gift cards and store credit, out of the money book."""


@app.command()
def show(
    context: typer.Context,
    card: Annotated[str, typer.Argument(help="Its whole id, or the number printed on it.")],
) -> None:
    """The balance of a card and everything that is booked on it."""
    from tillbridge.atoms.money import to_text
    from tillbridge.canonical.cards import hashed, masked
    from tillbridge.posting.money.cards import movements

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        found = movements(connection, [card, hashed(card)])
    reach = here.reach
    kept = [one for one in found if reach.everything or one.entity in reach.entities]
    if not kept:
        fail(f"nothing is booked on a card {masked(card)}")
    currency = kept[0].currency
    total = sum(one.amount for one in kept)
    rows = [
        (
            one.day.isoformat(),
            one.fact,
            one.key,
            to_text(one.amount, one.currency),
        )
        for one in kept
    ]
    page = table(("day", "fact", "of", "amount"), rows)
    page += f"\n{masked(card)}: {to_text(total, currency)} {currency}"
    told = {"card": masked(card), "currency": currency, "balance": to_text(total, currency)}
    moved = [dict(zip(("day", "fact", "key", "amount"), row, strict=True)) for row in rows]
    here.show({**told, "movements": moved}, page)


@app.command()
def tie(context: typer.Context) -> None:
    """The sum of all cards against the liability, by entity; what names no card is told apart."""
    from tillbridge.atoms.money import to_text
    from tillbridge.posting.money.cards import tie_out

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        found = tie_out(connection)
    reach = here.reach
    kept = [one for one in found if reach.everything or one.entity in reach.entities]
    rows = [
        (
            one.entity,
            one.account,
            str(one.cards),
            to_text(one.named, one.currency),
            to_text(one.unnamed, one.currency),
            to_text(one.liability, one.currency),
            one.currency,
        )
        for one in kept
    ]
    heads = ("entity", "account", "cards", "on cards", "unnamed", "liability", "currency")
    here.show({"cards": kept}, table(heads, rows) if rows else "no card was told")


@app.command()
def breakage(context: typer.Context) -> None:
    """Work out by policy what of gift cards is never spent; the schedule does so daily."""
    from tillbridge.reconciliation.breakage import look_at_breakage

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        words = look_at_breakage(hub.policies.sale, connection, hub.agreed_clock.now())
        connection.commit()
        with hub.connect(worker=True) as working:
            hub.runner(working).drain()
    here.show({"told": words}, words)
