"""ShipBob simulated over real HTTP on loopback, with its rules, limits and a fault script.

    GET  /2026-07/channel                     channels the token may use
    POST /2026-07/order                       201; 422 for a reference that is known
    GET  /2026-07/order?ReferenceIds=&Page=&Limit=&LastUpdateStartDate=    with `total-count`
    GET  /2026-07/order/N                     200, 404
    POST /2026-07/order/N:cancel              200, one result per shipment

Every call carries a bearer token, else 401; orders are made in a channel, else 400; more than the
allowed calls within a minute are 429 with `x-retry-after`. A shipment can be cancelled until it is
picked (Cancel Shipment: "must not be picked, packed, or shipped"). What happens on the floor is
done by `pick`, `pack`, `ship`, `deliver` and `run_out`; `hooks` are the webhooks it owes since.
"""

from __future__ import annotations

import hmac
import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from tillbridge.atoms.clock import Clock, SystemClock
from tillbridge.connectors.sandbox.erp_faults import Fault, FaultKind, FaultScript, suffered
from tillbridge.connectors.sandbox.loopback import Answer, Call, LoopbackServer, json_answer

CHANNEL = 105
CALLS_A_MINUTE = 150
VERSION = "/2026-07"
_AT_WORK = ("Picked", "Packed")


class Hook(msgspec.Struct, frozen=True):
    """A webhook: its topic and body."""

    topic: str
    body: dict[str, Any]


class ShipbobSimulator:
    """The server with its orders; `start()` gives the address, `stop()` is as an outage."""

    def __init__(
        self, token: str, *, clock: Clock | None = None, calls_a_minute: int = CALLS_A_MINUTE
    ) -> None:
        self.orders: dict[int, dict[str, Any]] = {}
        self.faults = FaultScript()
        self.calls: list[str] = []
        self.hooks: list[Hook] = []
        self._authorization = f"Bearer {token}".encode()
        self._clock = clock or SystemClock()
        self._most = calls_a_minute
        self._window: deque[float] = deque()
        self._updates = 0
        self._writing = threading.RLock()
        self._stopping = threading.Event()
        self._server = LoopbackServer(self._answer)

    def start(self) -> str:
        """Begin to answer; gives the address."""
        self._stopping.clear()
        return self._server.start()

    def stop(self) -> None:
        """Go away; the orders stay."""
        self._stopping.set()
        self._server.stop()

    # -- the floor ----------------------------------------------------------------------------

    def of(self, reference: str) -> dict[str, Any]:
        """The order of a reference."""
        return next(o for o in self.orders.values() if o["reference_id"] == reference)

    def pick(self, reference: str) -> None:
        """Take its goods from the shelves: too late to cancel from now on."""
        self._step(reference, "Processing", "Picked", "")

    def pack(self, reference: str) -> None:
        """Put them into a box."""
        self._step(reference, "Processing", "Packed", "")

    def ship(self, reference: str, tracking: str = "9400111", *, parcels: int = 99) -> None:
        """Hand them to the carrier; parcels: only so many of its shipments."""
        with self._writing:
            order = self.of(reference)
            for shipment in order["shipments"][:parcels]:
                if shipment["status"] != "Cancelled":
                    shipment["tracking"] = {"carrier": "USPS", "tracking_number": tracking}
            whole = parcels >= len(order["shipments"])
            order["status"] = "Fulfilled" if whole else "PartiallyFulfilled"
            self._step(reference, "Completed", "", "order.shipped", parcels)

    def deliver(self, reference: str) -> None:
        """The buyer has them."""
        with self._writing:
            for shipment in self.of(reference)["shipments"]:
                shipment["delivery_date"] = self._now()
            self._step(reference, "Completed", "Delivered", "order.shipment.delivered")

    def run_out(self, reference: str) -> None:
        """There is nothing on the shelf."""
        with self._writing:
            self.of(reference)["status"] = "Exception"
            self._step(reference, "Exception", "OutOfStock", "order.shipment.exception")

    def split(self, reference: str, pieces: int) -> None:
        """The first shipment keeps so many pieces of its first product, a second has the rest."""
        with self._writing:
            order = self.of(reference)
            first = order["shipments"][0]
            item = first["products"][0]["inventory_items"][0]
            rest = item["quantity"] - pieces
            item["quantity"] = pieces
            reference_id = first["products"][0]["reference_id"]
            order["shipments"].append(self._shipment(order, [(reference_id, rest)]))

    def _step(
        self, reference: str, status: str, detail: str, topic: str, parcels: int = 99
    ) -> None:
        with self._writing:
            order = self.of(reference)
            for shipment in order["shipments"][:parcels]:
                if shipment["status"] == "Cancelled":
                    continue
                shipment["status"] = status
                shipment["status_details"] = [{"name": detail}] if detail else []
                shipment["last_update_at"] = order["last_update_date"] = self._now()
                if topic:
                    self.hooks.append(Hook(topic, {**shipment}))

    # -- the API ------------------------------------------------------------------------------

    def _answer(self, call: Call) -> Answer:
        given = call.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, self._authorization):
            return json_answer(401, {"Authorization": ["no access right at this time"]})
        wait = self._limited()
        if wait:
            words = {"statusCode": 429, "message": f"Rate limit is exceeded. Try in {wait}."}
            return json_answer(429, words, {"x-retry-after": str(wait), "x-remaining-calls": "0"})
        self.calls.append(f"{call.method} {call.path}")
        fault = self.faults.draw("read" if call.method == "GET" else "create")
        return self._suffered(fault, lambda: self._applied(call))

    def _limited(self) -> int:
        """Seconds to wait; a sliding window of a minute."""
        with self._writing:
            now = self._clock.monotonic()
            while self._window and self._window[0] <= now - 60:
                self._window.popleft()
            if len(self._window) >= self._most:
                return int(60 - (now - self._window[0])) + 1
            self._window.append(now)
            return 0

    def _suffered(self, fault: Fault | None, apply: Callable[[], Answer]) -> Answer:
        """The answer as the fault makes it, in the warehouse's words."""
        if fault is None:
            return apply()
        wait = {"x-retry-after": str(max(int(fault.seconds), 1))}
        refusals: dict[FaultKind, Callable[[], Answer]] = {
            "refuse": lambda: json_answer(400, {"order": [fault.words]}),
            "error": lambda: json_answer(500, {}),
            "throttle": lambda: json_answer(429, {}, wait),
            "busy": lambda: json_answer(503, {}, wait),
        }
        return suffered(fault, refusals, apply, self._stopping)

    def _applied(self, call: Call) -> Answer:
        path = call.path.removeprefix(VERSION)
        with self._writing:
            if path == "/channel":
                return json_answer(200, [{"id": CHANNEL, "name": "Tillbridge"}])
            if path == "/order" and call.method == "GET":
                return self._listed(call)
            if path == "/order":
                return self._made(call)
            number, _, verb = path.removeprefix("/order/").partition(":")
            order = self.orders.get(int(number)) if number.isdecimal() else None
            if order is None:
                return json_answer(404, {"orderId": ["not found"]})
            if call.method == "GET" and not verb:
                return json_answer(200, order)
            if call.method == "POST" and verb == "cancel":
                return self._cancelled(order)
        return json_answer(404, {"path": ["not found"]})

    def _made(self, call: Call) -> Answer:
        if call.headers.get("shipbob_channel_id") != str(CHANNEL):
            return json_answer(400, {"shipbob_channel_id": ["is required"]})
        try:
            asked: dict[str, Any] = msgspec.json.decode(call.body)
        except msgspec.DecodeError:
            return json_answer(400, {"body": ["is no JSON"]})
        wrong = _wrong(asked)
        if wrong:
            return json_answer(400, wrong)
        reference = asked["reference_id"]
        if any(one["reference_id"] == reference for one in self.orders.values()):
            return json_answer(422, {"reference_id": ["an order with this reference exists"]})
        number = 4001 + len(self.orders)
        order = {
            "id": number,
            "reference_id": reference,
            "order_number": asked.get("order_number", ""),
            "status": "Processing",
            "last_update_date": self._now(),
            "tags": asked.get("tags", []),
            "products": asked["products"],
            "recipient": asked["recipient"],
            "center": asked.get("location_id") or 21,
            "shipments": [],
        }
        wanted = [(one["reference_id"], one["quantity"]) for one in asked["products"]]
        order["shipments"].append(self._shipment(order, wanted))
        self.orders[number] = order
        return json_answer(201, order)

    def _shipment(self, order: dict[str, Any], wanted: list[tuple[str, int]]) -> dict[str, Any]:
        return {
            "id": order["id"] * 10 + len(order["shipments"]),
            "order_id": order["id"],
            "status": "Processing",
            "status_details": [],
            "last_update_at": self._now(),
            "location": {"id": order["center"], "name": "Cicero (IL)"},
            "tracking": None,
            "delivery_date": None,
            "products": [
                {"reference_id": name, "inventory_items": [{"quantity": pieces}]}
                for name, pieces in wanted
            ],
        }

    def _cancelled(self, order: dict[str, Any]) -> Answer:
        """Shipments that nobody works on are cancelled; the order once all of them are."""
        results = []
        for shipment in order["shipments"]:
            details = [one["name"] for one in shipment["status_details"]]
            late = shipment["status"] == "Completed" or any(one in _AT_WORK for one in details)
            if not late and shipment["status"] != "Cancelled":
                shipment["status"] = "Cancelled"
                shipment["last_update_at"] = order["last_update_date"] = self._now()
                self.hooks.append(Hook("order.shipment.cancelled", {**shipment}))
            results.append(
                {
                    "action": "Cancel",
                    "shipment_id": shipment["id"],
                    "is_success": not late,
                    "reason": "The shipment is already being worked on" if late else None,
                }
            )
        if all(one["is_success"] for one in results):
            order["status"] = "Cancelled"
        return json_answer(200, {"order": order, "canceled_shipment_results": results})

    def _listed(self, call: Call) -> Answer:
        references = ",".join(call.query.get("ReferenceIds", [])).split(",")
        since = call.query.get("LastUpdateStartDate", [""])[0]
        found = [
            one
            for one in self.orders.values()
            if (references == [""] or one["reference_id"] in references)
            and (not since or one["last_update_date"] > since)
        ]
        page = int(call.query.get("Page", ["1"])[0])
        limit = min(int(call.query.get("Limit", ["50"])[0]), 250)
        shown = found[(page - 1) * limit : page * limit]
        return json_answer(200, shown, {"total-count": str(len(found))})

    def _now(self) -> str:
        """An instant of its own: no two updates share one."""
        self._updates += 1
        at = datetime(2026, 3, 4, 12, tzinfo=UTC).timestamp() + self._updates
        return datetime.fromtimestamp(at, UTC).isoformat()


def _wrong(asked: dict[str, Any]) -> dict[str, list[str]]:
    """What ShipBob refuses of a new order, by field."""
    wrong: dict[str, list[str]] = {}
    recipient = asked.get("recipient") or {}
    address = recipient.get("address") or {}
    for name, value in (
        ("reference_id", asked.get("reference_id")),
        ("shipping_method", asked.get("shipping_method")),
        ("products", asked.get("products")),
        ("recipient.name", recipient.get("name")),
        ("recipient.address.address1", address.get("address1")),
        ("recipient.address.city", address.get("city")),
        ("recipient.address.country", address.get("country")),
    ):
        if not value:
            wrong[name] = ["is required"]
    for one in asked.get("products") or []:
        if not isinstance(one.get("quantity"), int) or one["quantity"] <= 0:
            wrong["products.quantity"] = ["must be a whole number above nothing"]
    return wrong
