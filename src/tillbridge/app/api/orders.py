"""`POST /v1/orders`: orders of channels without a connector; `GET /v1/orders/{number}`.

An order is judged at the door (names, sums) and then taken in as any delivery is: its bytes are
stored before the answer, the flow translates them (connectors/direct). The Idempotency-Key names
the delivery, so the stored delivery is the stored answer: again the same, it is answered the same.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

import msgspec

from tillbridge.app.api.problems import refusal
from tillbridge.app.api.resources import Resources
from tillbridge.app.api.routes import PREFIX, Call, asking
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import to_text
from tillbridge.connectors.direct.inbound import order_told
from tillbridge.connectors.direct.keys import order_key
from tillbridge.connectors.direct.wire import TOPIC, OrderDocument
from tillbridge.contract.promises import Item
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.inbox.answers import Answer, answer
from tillbridge.inbox.arrivals import arrival

QUERIES = load("tillbridge.app.api", "orders.sql", "unknown_products", "standing", "received")
_REUSED = refusal("idempotency-key-reused", "This Idempotency-Key came before with another order.")
_NO_ORDER = refusal("not-found", "The channel has no order of that number.")


class OrderTaken(msgspec.Struct, frozen=True):
    """The order is stored and will be carried through. key: as the hub's own lists name it."""

    number: str
    key: str


class OrderStanding(msgspec.Struct, frozen=True):
    """How an order stands. status: `received` (not yet decided on) or one of
    orchestration/orders/status.py. waiting: a person has to decide something about it first.
    total: decimal text.
    """

    number: str
    status: str
    waiting: bool
    currency: str = ""
    total: str = ""
    placed_at: datetime | None = None


async def take_order(resources: Resources, call: Call) -> Answer:
    """Take an order in; 202 only after it is stored."""
    refused = await _judged(resources, call)
    if refused is not None:
        return refused
    source = resources.direct[call.who.channel]
    document: OrderDocument = call.body
    key = order_key(source.name, document.number)
    item = Item(topic=TOPIC, delivery=f"{call.who.name}/{call.key}", body=call.raw, key=key)
    now = resources.clock.now()
    stored = await resources.intake.submit(arrival(source.name, item, now, trace=call.trace))
    if stored.outcome == "conflict":
        return _REUSED
    again = ((b"idempotent-replayed", b"true"),) if stored.outcome == "duplicate" else ()
    where = f"{PREFIX}/orders/{quote(document.number, safe='')}".encode()
    told = msgspec.json.encode(OrderTaken(document.number, key))
    return answer(202, told, headers=((b"location", where), *again))


def _judge(resources: Resources, connection: Connection, call: Call) -> Answer:
    """200 when the order may come in, else the refusal."""
    source = resources.direct.get(call.who.channel)
    if source is None:
        words = f"No connection of the channel {call.who.channel} takes orders (connector direct)."
        return refusal("refused", words)
    document: OrderDocument = call.body
    try:
        order_told(document, source)
    except NeedsDecision as problem:
        return refusal("order-contradicts", f"{problem.words}.")
    places = {document.location, document.collect_at} - {""}
    if unknown := resources.unknown_place(sorted(places)):
        return refusal("location-unknown", f"There is no location {unknown}.", location=unknown)
    wanted = sorted({line.product for line in document.lines} - {""})
    row = connection.execute(QUERIES.unknown_products, (wanted,)).fetchone()
    if row is not None:
        return refusal("product-unknown", f"The hub knows no product {row[0]}.", product=row[0])
    return answer(200, b"")


_asked = asking(_judge)


async def _judged(resources: Resources, call: Call) -> Answer | None:
    found = await _asked(resources, call)
    return None if found.status == 200 else found


def tell_order(resources: Resources, connection: Connection, call: Call) -> Answer:
    """How an order of the client's channel stands."""
    number, channel = call.path["number"], call.who.channel
    row = connection.execute(QUERIES.standing, (number, channel)).fetchone()
    if row is not None:
        status, currency, total, placed_at, waiting = row[1:]
        text = to_text(total, currency) if total is not None else ""
        told = OrderStanding(row[0], status, waiting, currency, text, placed_at)
        return answer(200, msgspec.json.encode(told))
    source = resources.direct.get(channel)
    if source is None:
        return _NO_ORDER
    row = connection.execute(QUERIES.received, {"key": order_key(source.name, number)}).fetchone()
    if row is None or not row[0]:
        return _NO_ORDER
    return answer(200, msgspec.json.encode(OrderStanding(number, "received", bool(row[1]))))
