"""tillbridge stock rules, tillbridge stock available: what is kept back, and what is left."""

from __future__ import annotations

from typing import Annotated

import typer

from tillbridge.app.cli.terminal import proposed, terminal
from tillbridge.app.text_table import table
from tillbridge.atoms.errors import Refused
from tillbridge.atoms.quantity import to_text
from tillbridge.posting.stock.rules import Rule

app = typer.Typer(no_args_is_help=True, help="Availability rules: show, activate.")
_QUANTITIES = ("safety_stock", "stale_buffer")


@app.callback()
def rules() -> None:
    """Availability rules: what is kept back from channels, and what counts besides."""


@app.command()
def show(context: typer.Context) -> None:
    """The rules in force, and whether the workspace's file tells others."""
    from tillbridge.app.availability_rules import checked, text_of
    from tillbridge.posting.stock import activation

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        found = activation.in_force(connection)
        current = hub.availability_rules.seen(connection)
        waits = checked(hub.workspace, text_of(hub.workspace)).hash != current.hash
    head = "no availability rules are in force: nothing is kept back"
    if found is not None:
        head = f"rules {found.hash.hex()[:16]}, in force since {found.at:%Y-%m-%d %H:%M} UTC"
        head += f" by {found.by}"
    lines = [head, "", _page(current.rules)] if current.rules else [head]
    if waits:
        lines += ["", "the workspace's file tells other rules: tillbridge stock rules activate"]
    data = {
        "hash": current.hash.hex(),
        "since": found.at if found else None,
        "by": found.by if found else "",
        "rules": current.rules,
        "waits": waits,
    }
    here.show(data, "\n".join(lines))


def _page(rules: tuple[Rule, ...]) -> str:
    rows = [
        (
            rule.place,
            *(
                ", ".join(named) or "all"
                for named in (rule.channel, rule.locations, rule.category, rule.product)
            ),
            ", ".join(_said(name, value) for name, value in rule.says.items()),
        )
        for rule in rules
    ]
    return table(("rule", "channel", "locations", "category", "product", "says"), rows)


def _said(name: str, value: int | bool) -> str:
    return f"{name} {to_text(value) if name in _QUANTITIES else str(value).lower()}"


@app.command()
def activate(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="Why; the second person reads it.")] = "",
    replenishment: Annotated[
        bool, typer.Option("--replenishment", help="Those of rules/stock.toml instead.")
    ] = False,
) -> None:
    """Put the rules of the workspace's file in force, with a second person where one is asked."""
    from tillbridge.app import availability_rules
    from tillbridge.app import replenishment as supply
    from tillbridge.posting.stock import activation as availability
    from tillbridge.reconciliation.replenishment import activation as replenishing
    from tillbridge.reconciliation.replenishment.rules import meaning
    from tillbridge.triage.approvals import Wish, carry_out

    here = terminal(context)
    rules = replenishing if replenishment else availability
    action = "stock.replenishment" if replenishment else "stock.rules"
    with here.hub() as hub, hub.connect() as connection:
        if replenishment:
            text = supply.text_of(hub.workspace)
            supply.checked(hub.workspace, text)
            wanted = meaning(text).hex()
        else:
            text = availability_rules.text_of(hub.workspace)
            wanted = availability_rules.checked(hub.workspace, text).hash.hex()
        before = rules.in_force(connection)
        number = None
        if before is None:
            rules.activate(connection, text, here.who.name, reason)
        elif before.hash.hex() != wanted:
            wish = Wish(action, wanted[:16], {"hash": wanted, "text": text}, reason)
            number = carry_out(connection, here.who, wish, hub.clock.now())
        connection.commit()
    told = f"rules {wanted[:16]}: {proposed(number)}" if number else f"rules {wanted[:16]} in force"
    here.show({"rules": wanted, "proposal": number}, told)


def available(
    context: typer.Context,
    product: Annotated[str, typer.Argument(help="A product of ours, also a bundle.")],
    channel: Annotated[
        str, typer.Option(help="For this channel, at the places it sells from.")
    ] = "",
) -> None:
    """What can be promised of a product by location, and what that is made of."""
    from tillbridge.posting.stock import availability

    here = terminal(context)
    with here.hub() as hub, hub.connect() as connection:
        settings = hub.workspace.settings
        channels = settings.channels()
        if channel and channel not in channels:
            raise Refused(f"no channel {channel!r} (there are {', '.join(channels)})")
        places = list(settings.ships_from(channels[channel])) if channel else None
        if not here.reach.everything:
            mine = here.reach.locations
            places = [p for p in places if p in mine] if places is not None else list(mine)
        asked = availability.read(connection, [product], places)[product]
        if not asked.known:
            raise Refused(f"nobody ever told of a product {product!r}")
        now = hub.clock.now()
        found = availability.available(asked, hub.availability_rules.seen(connection), channel, now)
    headers = ("location", "on hand", "reserved", "safety", "buffer", "inbound", "in transit")
    shown = [
        (
            one.location,
            *(
                to_text(quantity)
                for quantity in (
                    one.on_hand,
                    one.reserved,
                    one.safety,
                    one.buffer,
                    one.inbound,
                    one.in_transit,
                    one.available,
                )
            ),
            f"{one.heard_at:%Y-%m-%d %H:%M}" if one.heard_at else "never",
            one.limited_by,
        )
        for one in found.values()
    ]
    here.show(
        {"product": product, "unit": "thousandths", "locations": found},
        table((*headers, "available", "heard at (UTC)", "limited by"), shown),
    )
