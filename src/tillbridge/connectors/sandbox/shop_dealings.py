"""What the sandbox shop lets an app do with an order: fulfil, move, track, refund, cancel.

As documented: goods are fulfilled against fulfilment orders, one place at a time and never more
than remains; a cancelled order sends nothing; a move needs a place that stocks the goods; a refund
gives back no more pieces than were bought and no more money than its parent has left, and carries
`@idempotent` from 2026-04 on; an order with fulfilments cannot be cancelled. What it refuses it
says in `userErrors`. Each change is told by the webhooks the shop would send (`echoes`).
Source: shopify.dev, the mutations of the same names (API 2026-10) and the changelog of 2026-04.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from tillbridge.atoms.clock import Clock
from tillbridge.atoms.money import to_minor
from tillbridge.connectors.sandbox.graphql_query import DIRECTIVES, Connection, QueryError
from tillbridge.connectors.sandbox.shop_bodies import order_body
from tillbridge.connectors.sandbox.shop_graph import gid, node_graph
from tillbridge.connectors.sandbox.shop_inventory import IDEMPOTENT_SINCE
from tillbridge.connectors.sandbox.shop_line_bodies import fulfillment_body, refund_body
from tillbridge.connectors.sandbox.shop_orders import RefundMade, Shipped, ShopOrder, State
from tillbridge.connectors.sandbox.shop_refunding import Refusal, given_back, returned

Arguments = Mapping[str, Any]
Found = tuple[ShopOrder, State]
SENT = "SUCCESS"


class ToSend(msgspec.Struct):
    """A fulfilment order. lines: line -> pieces it was given; sent: line -> pieces that left."""

    id: int
    location: str
    lines: dict[int, int]
    sent: dict[int, int] = {}
    method: str = "SHIPPING"
    status: str = "OPEN"


class Made(msgspec.Struct):
    """What apps made of one order. places: fulfilment -> fulfilment order -> line -> pieces."""

    orders: list[ToSend]
    shipped: list[Shipped] = []
    refunds: list[RefundMade] = []
    places: dict[int, dict[int, dict[int, int]]] = {}
    cancelled_at: datetime | None = None
    at: datetime | None = None


class ShopDealings:
    """Changes on top of the orders' own histories; safe to use from many threads."""

    def __init__(self, clock: Clock, location: str) -> None:
        """location: where orders are to be sent from at first."""
        self._clock = clock
        self._lock = threading.Lock()
        self._made: dict[int, Made] = {}
        self._keys: dict[str, tuple[bytes, dict[str, Any]]] = {}
        self._next = 7_000_000_000
        self.location = location
        # places that stock everything: goods may be moved there
        self.places = {location}
        # orders whose buyers collect
        self.collected: set[int] = set()
        self.calls = 0
        self.echoes: list[tuple[str, dict[str, Any]]] = []

    def standing(self, order: ShopOrder, state: State) -> State:
        """The order's state with what apps made of it."""
        made = self._made.get(order.id)
        if made is None or made.at is None:
            return state
        return msgspec.structs.replace(
            state,
            at=max(state.at, made.at),
            shipped=(*state.shipped, *made.shipped),
            refunds=(*state.refunds, *made.refunds),
            cancelled_at=state.cancelled_at or made.cancelled_at,
        )

    def orders(self, order: ShopOrder, state: State) -> Connection:
        """`Order.fulfillmentOrders`."""
        with self._lock:
            made = self._of(order)
            return Connection([self._graph(one, order, state) for one in made.orders])

    def mutations(self, find: Callable[[str], Found], version: str) -> dict[str, Any]:
        """The mutations by name. find: global id of an order, fulfilment or refund -> its order."""

        def run(act: Callable[[Arguments], dict[str, Any]], errors: str = "userErrors") -> Any:
            def call(arguments: Arguments) -> dict[str, Any]:
                with self._lock:
                    self.calls += 1
                    try:
                        return {**act(arguments), errors: []}
                    except Refusal as refusal:
                        error = {"field": None, "message": str(refusal), "code": "INVALID"}
                        return {**dict.fromkeys(_RESULTS), errors: [error]}

            return call

        return {
            "fulfillmentCreate": run(lambda a: self._fulfil(a["fulfillment"], find)),
            "fulfillmentOrderMove": run(self._move),
            "fulfillmentTrackingInfoUpdate": run(lambda a: self._track(a, find)),
            "fulfillmentEventCreate": run(lambda a: self._event(a["fulfillmentEvent"], find)),
            "fulfillmentCancel": run(lambda a: self._take_back(a, find)),
            "fulfillmentOrderLineItemsPreparedForPickup": run(lambda a: self._ready(a["input"])),
            "refundCreate": run(lambda a: self._refund(a, find, version)),
            "orderCancel": run(lambda a: self._cancel(a, find), "orderCancelUserErrors"),
        }

    def by_hand(self, find: Callable[[str], Found], order: int, lines: Mapping[int, int]) -> None:
        """Somebody fulfils pieces (line -> pieces) in the shop's own admin."""
        with self._lock:
            found, _ = find(gid("Order", order))
            one = self._of(found).orders[0]
            rows = [
                {"id": gid("FulfillmentOrderLineItem", f"{one.id}{line}"), "quantity": much}
                for line, much in lines.items()
            ]
            part = {
                "fulfillmentOrderId": gid("FulfillmentOrder", one.id),
                "fulfillmentOrderLineItems": rows,
            }
            self._fulfil({"lineItemsByFulfillmentOrder": [part]}, find)

    # -- fulfilment -----------------------------------------------------------------------------

    def _of(self, order: ShopOrder) -> Made:
        made = self._made.get(order.id)
        if made is None:
            lines = {line.id: line.quantity for line in order.lines if not line.gift_card}
            method = "PICK_UP" if order.id in self.collected else "SHIPPING"
            first = ToSend(order.id + 21, self.location, lines, {}, method)
            made = self._made[order.id] = Made([first], [], [], {})
        return made

    def _left(self, one: ToSend, made: Made, state: State) -> dict[int, int]:
        """Pieces a fulfilment order still has to send."""
        left = {line: much - one.sent.get(line, 0) for line, much in one.lines.items()}
        if one is made.orders[0]:  # what the shop did by itself it did here
            for parcel in state.shipped:
                for line, much in parcel.lines if parcel not in made.shipped else ():
                    left[line] = left.get(line, 0) - much
            for refund in state.refunds:
                for back in refund.lines:
                    if back.restock == "cancel":
                        left[back.line] = left.get(back.line, 0) - back.quantity
        return {line: max(much, 0) for line, much in left.items()}

    def _graph(self, one: ToSend, order: ShopOrder, state: State) -> dict[str, Any]:
        left = self._left(one, self._made[order.id], state)
        rows = [
            {
                "__typename": "FulfillmentOrderLineItem",
                "id": gid("FulfillmentOrderLineItem", f"{one.id}{line}"),
                "remainingQuantity": much,
                "lineItem": {"__typename": "LineItem", "id": gid("LineItem", line)},
            }
            for line, much in left.items()
        ]
        place = {"__typename": "Location", "id": gid("Location", one.location)}
        return {
            "__typename": "FulfillmentOrder",
            "id": gid("FulfillmentOrder", one.id),
            "status": "CLOSED" if state.cancelled_at or not any(left.values()) else one.status,
            "assignedLocation": {"__typename": "AssignedLocation", "location": place},
            "deliveryMethod": {"__typename": "DeliveryMethod", "methodType": one.method},
            "lineItems": Connection(rows),
        }

    def _order_of(self, wanted: str) -> tuple[int, ToSend]:
        for number, made in self._made.items():
            for one in made.orders:
                if wanted == gid("FulfillmentOrder", one.id):
                    return number, one
        raise Refusal("Fulfillment order does not exist.")

    def _fulfil(self, wanted: Arguments, find: Callable[[str], Found]) -> dict[str, Any]:
        parts: dict[int, dict[int, int]] = {}
        orders: dict[int, ToSend] = {}
        wanted_orders = wanted["lineItemsByFulfillmentOrder"]
        if not wanted_orders:
            raise Refusal("Fulfillment order does not exist.")
        number, _ = self._order_of(str(wanted_orders[0]["fulfillmentOrderId"]))
        order, state = find(gid("Order", number))
        for part in wanted_orders:
            other, one = self._order_of(str(part["fulfillmentOrderId"]))
            if other != number:
                raise Refusal("Fulfillment orders must be of the same order.")
            if state.cancelled_at:
                raise Refusal("Fulfillment order is in an unfulfillable status: closed.")
            left = self._left(one, self._made[number], state)
            lines = {
                int(str(row["id"]).removeprefix(gid("FulfillmentOrderLineItem", one.id))): int(
                    row["quantity"]
                )
                for row in part.get("fulfillmentOrderLineItems") or ()
            } or {line: much for line, much in left.items() if much}
            if not lines:
                raise Refusal("Fulfillment order is in an unfulfillable status: closed.")
            if any(much < 1 or much > left.get(line, 0) for line, much in lines.items()):
                raise Refusal("Invalid fulfillment order line item quantity requested.")
            orders[one.id], parts[one.id] = one, lines
        if len({one.location for one in orders.values()}) > 1:
            raise Refusal("Fulfillment orders must be assigned to the same location.")
        sums: dict[int, int] = {}
        for name, lines in parts.items():
            for line, much in lines.items():
                orders[name].sent[line] = orders[name].sent.get(line, 0) + much
                sums[line] = sums.get(line, 0) + much
            orders[name].status = "IN_PROGRESS"
        tracking = wanted.get("trackingInfo") or {}
        made, now = self._of(order), self._clock.now()
        parcel = Shipped(
            id=self._new(),
            at=now,
            location=next(iter(orders.values())).location,
            lines=tuple(sums.items()),
            tracking=str(tracking.get("number") or ""),
            company=str(tracking.get("company") or ""),
        )
        made.shipped.append(parcel)
        made.places[parcel.id] = parts
        self._told("fulfillments/create", order, state, parcel.id)
        shown = {"__typename": "Fulfillment", "id": gid("Fulfillment", parcel.id)}
        return {"fulfillment": {**shown, "status": SENT}}

    def _move(self, arguments: Arguments) -> dict[str, Any]:
        number, one = self._order_of(str(arguments["id"]))
        place = str(arguments["newLocationId"]).removeprefix("gid://shopify/Location/")
        if place not in self.places:
            raise Refusal("The location doesn't stock the requested items.")
        prefix = gid("FulfillmentOrderLineItem", one.id)
        lines = {
            int(str(row["id"]).removeprefix(prefix)): int(row["quantity"])
            for row in arguments.get("fulfillmentOrderLineItems") or ()
        }
        if any(m > one.lines.get(n, 0) - one.sent.get(n, 0) for n, m in lines.items()):
            raise Refusal("Invalid fulfillment order line item quantity requested.")
        made = self._made[number]
        if not lines or (not one.sent and lines == one.lines):
            one.location, target = place, one
        else:
            for line, much in lines.items():
                one.lines[line] -= much
            target = ToSend(self._new(), place, lines, {}, one.method)
            made.orders.append(target)
        shown = {"__typename": "FulfillmentOrder", "id": gid("FulfillmentOrder", target.id)}
        return {"movedFulfillmentOrder": shown}

    def _change(self, wanted: str, find: Callable[[str], Found], **fields: Any) -> dict[str, Any]:
        """Another version of a fulfilment, wherever it came from."""
        order, state = find(wanted)
        made = self._of(order)
        number = int(wanted.rpartition("/")[2])
        place = next((n for n, one in enumerate(made.shipped) if one.id == number), None)
        if place is None:
            raise Refusal("The fulfillment was not made by this app.")
        now = self._clock.now()
        changed = msgspec.structs.replace(made.shipped[place], updated=now, **fields)
        made.shipped[place] = changed
        self._told("fulfillments/update", order, state, number)
        return {"__typename": "Fulfillment", "id": wanted, "status": changed.status}

    def _track(self, arguments: Arguments, find: Callable[[str], Found]) -> dict[str, Any]:
        told = arguments["trackingInfoInput"]
        fields = {"tracking": str(told["number"]), "company": str(told.get("company") or "")}
        return {"fulfillment": self._change(str(arguments["fulfillmentId"]), find, **fields)}

    def _event(self, event: Arguments, find: Callable[[str], Found]) -> dict[str, Any]:
        if event["status"] not in ("DELIVERED", "IN_TRANSIT", "OUT_FOR_DELIVERY"):
            raise QueryError(f"Expected {event['status']!r} to be one of FulfillmentEventStatus")
        self._change(str(event["fulfillmentId"]), find, display=str(event["status"]))
        name = gid("FulfillmentEvent", self._new())
        return {"fulfillmentEvent": {"__typename": "FulfillmentEvent", "id": name}}

    def _take_back(self, arguments: Arguments, find: Callable[[str], Found]) -> dict[str, Any]:
        wanted = str(arguments["id"])
        order, state = find(wanted)
        number = int(wanted.rpartition("/")[2])
        if any(one.id == number and one.status != SENT for one in state.shipped):
            raise Refusal("Fulfillment is already cancelled.")
        shown = self._change(wanted, find, status="CANCELLED", display="CANCELED")
        made = self._of(order)
        for name, lines in made.places.get(number, {}).items():
            one = next(one for one in made.orders if one.id == name)
            for line, much in lines.items():
                one.sent[line] -= much
        return {"fulfillment": shown}

    def _ready(self, wanted: Arguments) -> dict[str, Any]:
        for part in wanted["lineItemsByFulfillmentOrder"]:
            _, one = self._order_of(str(part["fulfillmentOrderId"]))
            if one.method != "PICK_UP" or one.status != "OPEN":
                raise Refusal("Fulfillment order is not an open pickup order.")
            one.status = "IN_PROGRESS"
        return {}

    # -- money ----------------------------------------------------------------------------------

    def _refund(
        self, arguments: Arguments, find: Callable[[str], Found], version: str
    ) -> dict[str, Any]:
        wanted = arguments["input"]
        key = str(arguments[DIRECTIVES].get("idempotent", {}).get("key") or "")
        content = msgspec.json.encode(wanted, order="deterministic")
        if version >= IDEMPOTENT_SINCE:
            if not key:
                words = "The @idempotent directive is required for this mutation"
                raise QueryError(words, "BAD_REQUEST")
            if key in self._keys:
                before, result = self._keys[key]
                if before != content:
                    raise Refusal("IDEMPOTENCY_KEY_PARAMETER_MISMATCH")
                return result
        order, state = find(str(wanted["orderId"]))
        rows = wanted["refundLineItems"]
        lines = tuple(returned(row, order, state, self._new()) for row in rows)
        given = given_back(wanted.get("transactions") or (), order, state)
        shipping = to_minor(str((wanted.get("shipping") or {}).get("amount", "0")), order.currency)
        tax = min(order.shipping_tax, shipping)
        made = RefundMade(
            id=self._new(),
            at=self._clock.now(),
            lines=lines,
            transaction=self._new(),
            note=str(wanted.get("note") or ""),
            shipping=shipping - tax,
            shipping_tax=tax,
            money=given,
        )
        self._of(order).refunds.append(made)
        self._told("refunds/create", order, state, made.id)
        shown = node_graph(order, self._now(order, state), gid("Refund", made.id))
        result = {"refund": shown}
        self._keys[key] = content, result
        return result

    def _cancel(self, arguments: Arguments, find: Callable[[str], Found]) -> dict[str, Any]:
        if "refundMethod" not in arguments:
            raise QueryError("argument refundMethod is required", "missingRequiredArguments")
        order, state = find(str(arguments["orderId"]))
        if state.cancelled_at:
            raise Refusal("Order has already been cancelled")
        if any(parcel.status == SENT for parcel in state.shipped):
            raise Refusal("Cannot cancel an order with fulfillments")
        made = self._of(order)
        made.cancelled_at = made.at = self._clock.now()
        self._told("orders/cancelled", order, state, 0)
        return {"job": {"__typename": "Job", "id": gid("Job", self._new())}}

    # -- what the shop tells --------------------------------------------------------------------

    def _now(self, order: ShopOrder, state: State) -> State:
        """The state after the change: what was there before it, and all that apps made."""
        made = self._of(order)
        ours = {one.id for one in made.shipped} | {one.id for one in made.refunds}
        bare = msgspec.structs.replace(
            state,
            shipped=tuple(one for one in state.shipped if one.id not in ours),
            refunds=tuple(one for one in state.refunds if one.id not in ours),
        )
        return self.standing(order, bare)

    def _told(self, topic: str, order: ShopOrder, state: State, number: int) -> None:
        made = self._of(order)
        made.at = self._clock.now()
        now = self._now(order, state)
        if topic.startswith("orders"):
            self.echoes.append((topic, order_body(order, now)))
            return
        if topic.startswith("refunds"):
            refund = next(one for one in now.refunds if one.id == number)
            self.echoes.append((topic, refund_body(order, now, refund)))
        else:
            parcel = next(one for one in now.shipped if one.id == number)
            self.echoes.append((topic, fulfillment_body(order, now, parcel)))
        self.echoes.append(("orders/updated", order_body(order, now)))

    def _new(self) -> int:
        self._next += 32
        return self._next


_RESULTS = (
    "fulfillment",
    "movedFulfillmentOrder",
    "fulfillmentEvent",
    "refund",
    "job",
)
