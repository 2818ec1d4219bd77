"""What stores and warehouses that speak to the hub tell of an order: what they did not find, what
became of their part of it, what they send instead.

Each is a fact, written with its stored answer and the audit in one transaction; the flow decides
what follows. The Idempotency-Key names the fact, so that a second telling has the same id.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, UnsetType
from psycopg import errors

from tillbridge.app.api import stored_answers
from tillbridge.app.api.orders import QUERIES as ORDER_QUERIES
from tillbridge.app.api.problems import refusal
from tillbridge.app.api.resources import Resources
from tillbridge.app.api.routes import Call
from tillbridge.app.api.stored_answers import Stored, told_again
from tillbridge.atoms.ids import lane_of
from tillbridge.atoms.money import MoneyError, to_minor
from tillbridge.atoms.quantity import QuantityError, to_thousandths
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.shipments import (
    FulfilmentTold,
    GoodsAllocated,
    GoodsCollected,
    GoodsDelivered,
    GoodsPacked,
    GoodsPicked,
    GoodsShipped,
    LineSubstituted,
    PickupReady,
    ShippedLine,
)
from tillbridge.canonical.stock import PickFailed, StockLine
from tillbridge.connectors.direct.wire import Amount, Code, Instant, Named
from tillbridge.durable import audit, log
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record
from tillbridge.inbox.answers import Answer, answer
from tillbridge.orchestration.orders.state import OrderState
from tillbridge.orchestration.room import QUERIES as STATE_QUERIES

QUERIES = load("tillbridge.app.api", "fulfilments.sql", "key_of_order")
AHEAD_MOST = timedelta(hours=1)
_TOLD: dict[str, type[FulfilmentTold]] = {
    "allocated": GoodsAllocated,
    "picked": GoodsPicked,
    "packed": GoodsPacked,
    "ready": PickupReady,
    "collected": GoodsCollected,
    "delivered": GoodsDelivered,
}


class MissedLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line that was not found. quantity: in the order's unit; left out = all that is held there
    of it.
    """

    line: Named
    quantity: Amount | UnsetType = UNSET


class PickFailure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A location cannot or will not fulfil lines of the order; no lines = all of it there. at: when
    it was seen, now when left out.
    """

    location: Named
    reason: Literal["no_pick", "rejected"]
    lines: tuple[MissedLine, ...] = ()
    at: Instant | None = None


class FulfilledLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line and how much of it, in the order's unit. product: what is in there instead of what was
    ordered.
    """

    line: Named
    quantity: Amount
    product: Code = ""


class Fulfilment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What became of a parcel or a bag for the buyer. fulfilment: its id at who tells. The newest
    `at` counts. Without lines or location those told before stay.
    """

    fulfilment: Named
    state: Literal[
        "allocated", "picked", "packed", "ready", "shipped", "collected", "delivered", "failed",
        "cancelled",
    ]  # fmt: skip
    location: Code = ""
    lines: tuple[FulfilledLine, ...] = ()
    carrier: Code = ""
    tracking: Code = ""
    at: Instant | None = None


class Substitute(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes out instead of some of a line. substitution: its id at who tells; quantity: how
    much of the line, "0" = none after all. net: what that much of it costs without tax.
    """

    substitution: Named
    line: Named
    product: Named
    quantity: Amount
    net: Amount | UnsetType = UNSET
    location: Code = ""
    at: Instant | None = None


class FactTaken(msgspec.Struct, frozen=True):
    """It stands in the log and will be carried through. fact: its id."""

    order: str
    fact: str


Body = PickFailure | Fulfilment | Substitute
Carried = dict[str, Any]


def tell_pick_failure(resources: Resources, connection: Connection, call: Call) -> Answer:
    """`POST /v1/orders/{number}/pick-failures`."""

    def fact(about: Carried, _: OrderState) -> Fact:
        body: PickFailure = call.body
        lines = tuple(
            StockLine(one.line, "", to_thousandths(one.quantity) if one.quantity else 0)
            for one in body.lines
        )
        name = _name(call, "pick")
        told: Carried = {"location": body.location, "reason": body.reason, "lines": lines}
        return PickFailed(**about, id=f"{about['key']}/{name}", failure=name, **told)

    return _told(resources, connection, call, fact)


def tell_fulfilment(resources: Resources, connection: Connection, call: Call) -> Answer:
    """`POST /v1/orders/{number}/fulfilments`."""

    def fact(about: Carried, _: OrderState) -> Fact:
        body: Fulfilment = call.body
        told: Carried = {
            **about,
            "id": f"{about['key']}/{_name(call, 'shipment')}",
            "shipment": f"{call.who.name}/{body.fulfilment}",
            "version": _version(about["occurred_at"]),
            "location": body.location,
            "lines": tuple(
                ShippedLine(one.line, to_thousandths(one.quantity), one.product)
                for one in body.lines
            ),
            "carrier": body.carrier,
            "tracking": body.tracking,
        }
        kind = _TOLD.get(body.state)
        return GoodsShipped(state=body.state, **told) if kind is None else kind(**told)

    return _told(resources, connection, call, fact)


def tell_substitution(resources: Resources, connection: Connection, call: Call) -> Answer:
    """`POST /v1/orders/{number}/substitutions`."""

    def fact(about: Carried, state: OrderState) -> Fact:
        body: Substitute = call.body
        currency = state.order.currency if state.order is not None else ""
        return LineSubstituted(
            **about,
            id=f"{about['key']}/{_name(call, 'instead')}",
            substitution=f"{call.who.name}/{body.substitution}",
            version=_version(about["occurred_at"]),
            line=body.line,
            product=body.product,
            quantity=to_thousandths(body.quantity),
            net=to_minor(body.net, currency) if body.net else None,
            location=body.location,
        )

    return _told(resources, connection, call, fact)


def _told(
    resources: Resources,
    connection: Connection,
    call: Call,
    make: Callable[[Carried, OrderState], Fact],
) -> Answer:
    """Judge, write, answer; the same request again is given the stored answer."""
    known = _answered(connection, call)
    if known is not None:
        return known
    state = _order(connection, call)
    if state is None:
        return refusal("not-found", "The channel has no order of that number.")
    wrong = _judge(resources, connection, call.body, state)
    if wrong is not None:
        return wrong
    now = resources.clock.now()
    at = (call.body.at or now).astimezone(UTC)
    if at > now + AHEAD_MOST:
        return refusal("request-invalid", "`at` is still to come.")
    zones = {place.code: place.timezone for place in resources.settings.location}
    day = at.astimezone(ZoneInfo(zones.get(call.body.location, "UTC"))).date()
    about = {
        "key": state.key,
        "source": "hub",
        "mapping": "hub/1",
        "occurred_at": at,
        "business_date": day,
        "entities": state.entities,
    }
    try:
        fact = make(about, state)
    except (MoneyError, QuantityError) as problem:
        return refusal("request-invalid", f"{problem}.")
    body = msgspec.json.encode(FactTaken(call.path["number"], fact.id))
    stored = Stored(call.who.name, call.key, call.asked, 202, body)
    try:
        stored_answers.keep(connection, [stored], now.date())
    except errors.UniqueViolation:  # another process answered it meanwhile
        connection.rollback()
        return _answered(connection, call) or refusal("store-away", "Send it again.")
    after = msgspec.to_builtins(fact)
    audit.record(connection, call.who.name, "orders.fulfilment", fact.key, after=after)
    record = Record(fact.key, type(fact).__name__, fact, lane_of(fact.key), trace=call.trace)
    log.append_and_commit(connection, [record])
    return answer(202, body)


def _answered(connection: Connection, call: Call) -> Answer | None:
    identity = (call.who.name, call.key)
    found = stored_answers.find(connection, [identity]).get(identity)
    return None if found is None else told_again(found, call.asked)


def _order(connection: Connection, call: Call) -> OrderState | None:
    """The order of the client's channel; None when nobody told of it."""
    named = (call.path["number"], call.who.channel)
    row = connection.execute(QUERIES.key_of_order, named).fetchone()
    if row is None:
        return None
    rows = connection.execute(STATE_QUERIES.load_orders, ([row[0]],), binary=True).fetchall()
    return msgspec.json.decode(rows[0][1], type=OrderState)


def _judge(
    resources: Resources, connection: Connection, body: Body, state: OrderState
) -> Answer | None:
    """What names a place, line or product that is not there."""
    if unknown := resources.unknown_place([body.location] if body.location else []):
        return refusal("location-unknown", f"There is no location {unknown}.", location=unknown)
    lines = [body.line] if isinstance(body, Substitute) else [one.line for one in body.lines]
    for line in lines:
        if state.line(line) is None:
            return refusal("refused", f"The order has no line {line}.")
    products: list[str] = []
    if isinstance(body, Substitute):
        products = [body.product]
    elif isinstance(body, Fulfilment):
        products = sorted({one.product for one in body.lines} - {""})
    row = connection.execute(ORDER_QUERIES.unknown_products, (products,)).fetchone()
    if row is not None:
        return refusal("product-unknown", f"The hub knows no product {row[0]}.", product=row[0])
    return None


def _name(call: Call, kind: str) -> str:
    return f"{kind}/{call.who.name}/{call.key}"


def _version(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
