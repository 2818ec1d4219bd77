"""`POST /v1/checkout/validate`: a basket looked at before it is paid. Nothing is held or stored.

Every check says `passed`, `failed` or `not_checked`. Whether the basket can be held is found by the
very decision a reservation is made by, over what the channel may promise just now: bundles opened,
components summed, the locations of the channel in order of preference.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from tillbridge.app.api.problems import refusal
from tillbridge.app.api.reservation_answers import LineAsked, stock_lines, wrong_lines
from tillbridge.app.api.resources import Resources
from tillbridge.app.api.routes import Call
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import party_id
from tillbridge.atoms.quantity import QuantityError, to_text
from tillbridge.canonical.stock import StockLine
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.inbox.answers import Answer, answer
from tillbridge.posting.stock.activation import RulesInForce
from tillbridge.posting.stock.availability import Asked, available, read, total
from tillbridge.posting.stock.items import Items
from tillbridge.posting.stock.reserve import answer as decide

QUERIES = load("tillbridge.app.api", "checkout.sql", "customer")
LINES_MOST = 200
_PRICES = "no feed of prices is connected"
_PAYMENTS = "payments are authorised by the shop's own provider"


class Destination(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the goods go. country: ISO 3166-1 alpha-2. region: ISO 3166-2 without the country."""

    country: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]
    region: Annotated[str, msgspec.Meta(pattern="^[A-Z0-9]{0,3}$")] = ""


class Basket(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is about to be bought. customer: id or mail address the channel knows him by, "" = a
    guest. location: the store where it is picked up, "" = it is sent.
    """

    lines: Annotated[tuple[LineAsked, ...], msgspec.Meta(min_length=1, max_length=LINES_MOST)]
    ship_to: Destination | None = None
    customer: Annotated[str, msgspec.Meta(max_length=200)] = ""
    location: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Check(msgspec.Struct, frozen=True):
    """One check of the basket; detail is for people."""

    check: Literal["items", "availability", "tax_jurisdiction", "customer", "price", "payment"]
    result: Literal["passed", "failed", "not_checked"]
    detail: str = ""


class LineChecked(msgspec.Struct, frozen=True):
    """A line and its product. available: at all locations asked together, in base units. heard_at:
    the oldest word of a source that counts in it, null when a place was never heard of.
    """

    line: str
    product: str
    known: bool
    sellable: bool
    available: str
    heard_at: datetime | None


class BasketChecked(msgspec.Struct, frozen=True):
    """The whole answer. ok: nothing failed."""

    ok: bool
    at: datetime
    checks: tuple[Check, ...]
    lines: tuple[LineChecked, ...]


def validate(resources: Resources, connection: Connection, call: Call) -> Answer:
    """Look at a basket."""
    basket: Basket = call.body
    lines = stock_lines(basket.lines)
    if wrong := wrong_lines(lines):
        return refusal("request-invalid", wrong)
    if unknown := resources.unknown_place([basket.location] if basket.location else []):
        return refusal("location-unknown", f"There is no location {unknown}.", location=unknown)
    channel, now = call.who.channel, resources.clock.now()
    places = (basket.location,) if basket.location else resources.places_of(channel)
    stock = _Stock(resources, connection, channel, places, now)
    told = stock.read(line.product for line in lines)
    checks = (
        _items(told),
        _availability(stock, lines),
        _tax(resources, channel, basket),
        _customer(resources, connection, channel, basket.customer),
        Check("price", "not_checked", _PRICES),
        Check("payment", "not_checked", _PAYMENTS),
    )
    looked_at = tuple(stock.line(line, told[line.product]) for line in lines)
    ok = all(check.result != "failed" for check in checks)
    return answer(200, msgspec.json.encode(BasketChecked(ok, now, checks, looked_at)))


class _Stock:
    """What a channel may promise just now at some places; () = everywhere."""

    def __init__(
        self,
        resources: Resources,
        connection: Connection,
        channel: str,
        places: tuple[str, ...],
        now: datetime,
    ) -> None:
        self._connection = connection
        self._rules = RulesInForce(resources.labels).seen(connection)
        self._channel, self._places, self._now = channel, places, now
        self._split_most = resources.split_most(channel)

    def read(self, products: Iterable[str]) -> dict[str, Asked]:
        """The products and what is in them."""
        return read(self._connection, set(products), self._places or None)

    def line(self, line: StockLine, asked: Asked) -> LineChecked:
        """A line of the answer."""
        there = available(asked, self._rules, self._channel, self._now)
        heard = [one.heard_at for one in there.values()]
        oldest = None if None in heard else min((at for at in heard if at), default=None)
        left = to_text(total(there))
        return LineChecked(line.line, line.product, asked.known, asked.sellable, left, oldest)

    def servable(self, lines: tuple[StockLine, ...]) -> Check:
        """Whether the whole basket could be held now."""
        items = Items(self._connection)
        items.load(line.product for line in lines)
        demand = items.expand(lines)
        parts = self.read(line.product for line in demand)
        free = {
            (at, product): one.available
            for product, asked in parts.items()
            for at, one in available(asked, self._rules, self._channel, self._now).items()
        }
        places = self._places or tuple(sorted({at for at, _ in free}))
        if not places:
            return Check("availability", "failed", f"{demand[0].product}: there is none anywhere")
        found = decide(demand, places, (), lambda place: free.get(place, 0), self._split_most)
        if found.held:
            return Check("availability", "passed")
        words = f"{found.product}: {to_text(found.wanted)} wanted, {to_text(found.free)} left"
        return Check("availability", "failed", words)


def _items(told: dict[str, Asked]) -> Check:
    unknown = sorted(product for product, asked in told.items() if not asked.known)
    if unknown:
        return Check("items", "failed", f"not known: {', '.join(unknown)}")
    closed = sorted(product for product, asked in told.items() if not asked.sellable)
    if closed:
        return Check("items", "failed", f"not for sale: {', '.join(closed)}")
    return Check("items", "passed")


def _availability(stock: _Stock, lines: tuple[StockLine, ...]) -> Check:
    try:
        return stock.servable(lines)
    except (NeedsDecision, QuantityError) as problem:
        return Check("availability", "failed", str(problem))


def _tax(resources: Resources, channel: str, basket: Basket) -> Check:
    """Whether the channel's settings name the destination: "DE", or "US-NY" by region."""
    known = resources.tax_places(channel)
    if not known:
        return Check("tax_jurisdiction", "not_checked", "the channel's settings name no tax_places")
    if basket.location:
        return Check("tax_jurisdiction", "passed", "picked up at a location of ours")
    to = basket.ship_to
    if to is None:
        return Check("tax_jurisdiction", "not_checked", "no destination was told")
    if to.country in known or f"{to.country}-{to.region}" in known:
        return Check("tax_jurisdiction", "passed")
    named = f"{to.country}-{to.region}".rstrip("-")
    return Check("tax_jurisdiction", "failed", f"{named} is none of the channel's tax_places")


def _customer(resources: Resources, connection: Connection, channel: str, told: str) -> Check:
    """Whether the vault knows him from one of the channel's connections."""
    if not told:
        return Check("customer", "passed", "a guest")
    names = [n for n, c in resources.settings.connection.items() if c.channel == channel]
    parties = [party_id(name, who) for name in names for who in {told, told.lower()}]
    row = connection.execute(QUERIES.customer, (parties,)).fetchone()
    if row and row[0]:
        return Check("customer", "passed")
    return Check("customer", "failed", "the channel has told of no such customer")
