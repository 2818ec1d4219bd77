"""What can be promised: on hand less reserved, less what the rules keep back, plus what they allow.

    asked = read(connection, ["TB-1", "GIFT-BOX"], ["wh-east", "store-nyc"])   # one set query
    available(asked["TB-1"], rules, "web", now)                                # pure: location ->

A bundle has no stock of its own: at each location it is there as often as its scarcest component
allows. A figure never falls below nothing, so that one location's shortage takes nothing away from
another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.posting.stock.rules import Rules

QUERIES = load("tillbridge.posting.stock", "availability.sql", "read")
UNIT = 1000


class Standing(msgspec.Struct, gc=False):
    """What the book says of a product at a location, thousandths of its base unit.

    inbound: expected supply that is not yet promised to anybody, with the instant it is due.
    """

    on_hand: int = 0
    reserved: int = 0
    heard_at: datetime | None = None
    in_transit: int = 0
    inbound: tuple[tuple[datetime, int], ...] = ()


class Part(msgspec.Struct):
    """A component of what was asked for, or the product itself. quantity: in one unit of it."""

    product: str
    quantity: int = UNIT
    category: str = ""
    places: dict[str, Standing] = {}


class Asked(msgspec.Struct):
    """A product, and where its parts stand. step: the smallest quantity of it. known: somebody
    described it or has stock of it.
    """

    product: str
    step: int = 1
    sellable: bool = True
    known: bool = False
    parts: dict[str, Part] = {}


class Available(msgspec.Struct, frozen=True):
    """What can be promised of a product at a location, thousandths, and what that is made of.

    heard_at: when a source last told of it, None = never; of a bundle the oldest of its components.
    limited_by: the component a bundle's figures are counted by, "" for a plain product.
    """

    location: str
    on_hand: int = 0
    reserved: int = 0
    safety: int = 0
    buffer: int = 0
    inbound: int = 0
    in_transit: int = 0
    available: int = 0
    heard_at: datetime | None = None
    limited_by: str = ""


def read(
    connection: Connection, products: Iterable[str], locations: Sequence[str] | None = None
) -> dict[str, Asked]:
    """Read products, and the components of bundles, as one set. locations: None = all of them."""
    wanted = {
        "products": list(products),
        "locations": None if locations is None else list(locations),
    }
    found: dict[str, Asked] = {}
    rows = connection.execute(QUERIES.read, wanted, binary=True)
    for row in rows:
        product, step, sellable, described, name, quantity, category, location = row[:8]
        on_hand, reserved, heard_at, in_transit, due, coming = row[8:]
        asked = found.get(product)
        if asked is None:
            asked = found[product] = Asked(product, step, sellable, described)
        part = asked.parts.get(name)
        if part is None:
            part = asked.parts[name] = Part(name, quantity, category)
        if location is not None:
            asked.known = True
            inbound = _coming(due, coming)
            part.places[location] = Standing(on_hand, reserved, heard_at, in_transit, inbound)
    return found


def _coming(
    due: Sequence[datetime | None] | None, coming: Sequence[int] | None
) -> tuple[tuple[datetime, int], ...]:
    """What nobody is promised of supply whose day is known."""
    pairs = zip(due or (), coming or (), strict=True)
    return tuple((at, left) for at, left in pairs if at is not None and left > 0)


def available(asked: Asked, rules: Rules, channel: str, now: datetime) -> dict[str, Available]:
    """What a channel ("" = none in particular) may promise of a product, by location."""
    parts = list(asked.parts.values())
    if len(parts) == 1 and parts[0].product == asked.product:
        part = parts[0]
        found = {at: _of_part(part, at, rules, channel, now) for at in part.places}
    else:
        places = {location for part in parts for location in part.places}
        found = {at: _of_bundle(parts, at, rules, channel, now) for at in sorted(places)}
    return {at: _whole(one, asked) for at, one in found.items()}


def _of_part(part: Part, location: str, rules: Rules, channel: str, now: datetime) -> Available:
    stand = part.places.get(location, _NOWHERE)
    terms = rules.terms(channel, location, part.product, part.category)
    buffer = terms.buffer(stand.heard_at, now)
    until = now + timedelta(days=terms.inbound_days)
    inbound = sum(q for due, q in stand.inbound if due <= until) if terms.inbound_days else 0
    coming = max(stand.in_transit, 0) if terms.in_transit else 0
    left = stand.on_hand - stand.reserved - terms.safety_stock - buffer
    return Available(
        location=location,
        on_hand=stand.on_hand,
        reserved=stand.reserved,
        safety=terms.safety_stock,
        buffer=buffer,
        inbound=inbound,
        in_transit=coming,
        available=max(left + inbound + coming, 0),
        heard_at=stand.heard_at,
    )


def _of_bundle(
    parts: Sequence[Part], location: str, rules: Rules, channel: str, now: datetime
) -> Available:
    """As many as the scarcest component makes; its figures, counted in bundles."""
    each = [(part, _of_part(part, location, rules, channel, now)) for part in parts]
    part, scarce = min(each, key=lambda pair: pair[1].available * UNIT // pair[0].quantity)
    told = [one.heard_at for _, one in each]

    def bundles(quantity: int) -> int:
        return quantity * UNIT // part.quantity

    return Available(
        location=location,
        on_hand=bundles(scarce.on_hand),
        reserved=bundles(scarce.reserved),
        safety=bundles(scarce.safety),
        buffer=bundles(scarce.buffer),
        inbound=bundles(scarce.inbound),
        in_transit=bundles(scarce.in_transit),
        available=bundles(scarce.available),
        heard_at=min((at for at in told if at is not None), default=None) if all(told) else None,
        limited_by=part.product,
    )


def _whole(one: Available, asked: Asked) -> Available:
    """Nothing of what may not be sold, and nothing below the smallest quantity."""
    promised = one.available - one.available % asked.step if asked.sellable else 0
    return one if promised == one.available else msgspec.structs.replace(one, available=promised)


_NOWHERE = Standing()


def total(found: Mapping[str, Available]) -> int:
    """What can be promised over all locations together."""
    return sum(one.available for one in found.values())
