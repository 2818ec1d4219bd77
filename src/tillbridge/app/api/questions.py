"""Questions about availability: every one in flight is answered by one query, equal ones by one
answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from tillbridge.atoms.clock import Clock
from tillbridge.atoms.quantity import to_text
from tillbridge.durable.group_writer import Work
from tillbridge.durable.rooms import Connection
from tillbridge.posting.stock.activation import RulesInForce
from tillbridge.posting.stock.availability import Asked, Available, available, read, total
from tillbridge.posting.stock.rules import Rules


class AtLocation(msgspec.Struct, frozen=True, gc=False):
    """What can be promised at a location and what that is made of, decimal text.

    available = on_hand - reserved - safety_stock - buffer + inbound + in_transit, never below 0 and
    in whole steps of the item. buffer: kept back because the place was last heard of long ago.
    heard_at: when a source last told of it. limited_by: the component a bundle is counted by.
    """

    location: str
    available: str
    on_hand: str
    reserved: str
    safety_stock: str
    buffer: str
    inbound: str
    in_transit: str
    heard_at: datetime | None
    limited_by: str


class OfProduct(msgspec.Struct, frozen=True, gc=False):
    """A product: available at all locations together. known: the hub has heard of it at all."""

    product: str
    known: bool
    available: str
    locations: list[AtLocation]


class Availability(msgspec.Struct, frozen=True, gc=False):
    """The answer, as of an instant. oldest: the oldest word of a source that counts in it; null
    when a location was never heard of.
    """

    channel: str
    at: datetime
    oldest: datetime | None
    products: list[OfProduct]


class Question(msgspec.Struct, frozen=True, gc=False):
    """One question. locations: () = everywhere."""

    channel: str
    products: tuple[str, ...]
    locations: tuple[str, ...]


class AvailabilityWork(Work[Question, bytes]):
    """Answers a group of questions out of one query."""

    what = "question"

    def __init__(self, rules: RulesInForce, clock: Clock) -> None:
        """rules: this thread's own."""
        self._rules = rules
        self._clock = clock

    def commit(self, connection: Connection, asks: Sequence[Question]) -> Sequence[bytes]:
        """The answers, as they go out; nothing is written."""
        products = sorted({product for ask in asks for product in ask.products})
        places: set[str] | None = {place for ask in asks for place in ask.locations}
        if not all(ask.locations for ask in asks):
            places = None
        rules = self._rules.seen(connection)
        found = read(connection, products, None if places is None else sorted(places))
        now = self._clock.now()
        told: dict[Question, bytes] = {}
        for ask in asks:
            if ask not in told:
                told[ask] = _JSON(tell(ask, found, rules, now))
        return [told[ask] for ask in asks]


def tell(ask: Question, found: Mapping[str, Asked], rules: Rules, now: datetime) -> Availability:
    """The answer to a question. Pure."""
    products = []
    heard: list[datetime | None] = []
    for product in dict.fromkeys(ask.products):
        asked = found[product]
        there = available(asked, rules, ask.channel, now)
        if ask.locations:
            there = {at: there[at] for at in dict.fromkeys(ask.locations) if at in there}
        heard += [one.heard_at for one in there.values()]
        places = [_at(one) for one in there.values()]
        products.append(OfProduct(product, asked.known, to_text(total(there)), places))
    oldest = None if None in heard else min((at for at in heard if at is not None), default=None)
    return Availability(ask.channel, now, oldest, products)


def _at(one: Available) -> AtLocation:
    return AtLocation(
        one.location,
        to_text(one.available),
        to_text(one.on_hand),
        to_text(one.reserved),
        to_text(one.safety),
        to_text(one.buffer),
        to_text(one.inbound),
        to_text(one.in_transit),
        one.heard_at,
        one.limited_by,
    )


_JSON = msgspec.json.Encoder().encode
