"""The sandbox shop: a simulator of Shopify's Admin GraphQL API over real HTTP.

    POST /admin/api/<version>/graphql.json   X-Shopify-Access-Token, {"query", "variables"}

It answers `shop`, `order(id)`, `node(id)`, `orders(first, after, query, sortKey)` and
`ordersCount(query, limit)` for the orders of a day of trade, as they stand at the instant it is
told to show, keeps webhook subscriptions, has an inventory (`shop_inventory`) and lets an app deal
with its orders (`shop_dealings`). As documented:
401 for a wrong token; the API version in the answer's header, a dead version answered by the oldest
living one; cost per query from a leaky bucket and, when it is empty, 200 with
errors[].extensions.code THROTTLED; 429 with Retry-After at the edge (fault `throttle`). Webhooks
are sent by `shopify_webhooks`. Started alone
it prints its address and sends the day to a hub:

    python -m tillbridge.connectors.sandbox.shopify_simulator --token t --seed 7
      and, to send:  --hub http://127.0.0.1:8080/hooks/web --secret s --journal sent.jsonl
"""

from __future__ import annotations

import argparse
import hmac
import re
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from tillbridge.atoms.clock import Clock, SystemClock
from tillbridge.connectors.sandbox.erp_faults import Fault, FaultScript
from tillbridge.connectors.sandbox.graphql_query import (
    Connection,
    QueryError,
    Selected,
    cost_of,
    read_query,
    resolve,
)
from tillbridge.connectors.sandbox.loopback import CUT, Answer, Call, LoopbackServer, json_answer
from tillbridge.connectors.sandbox.retailer import day_of_trade
from tillbridge.connectors.sandbox.shop_day import WAREHOUSE, Story
from tillbridge.connectors.sandbox.shop_dealings import ShopDealings
from tillbridge.connectors.sandbox.shop_graph import node_graph, order_graph
from tillbridge.connectors.sandbox.shop_inventory import ShopInventory
from tillbridge.connectors.sandbox.shop_orders import ShopOrder, State
from tillbridge.connectors.sandbox.shopify_webhooks import WebhookSender
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport

VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")
QUERY_COST_MAX = 1000
_PATH = re.compile(r"/admin/api/(20\d\d-\d\d)/graphql\.json")
_TERM = re.compile(r"(updated_at|created_at):(>=|<=|>|<)'?([0-9TZ:+.-]+)'?")


class Question(msgspec.Struct, frozen=True, rename="camel"):
    """The body of a call."""

    query: str
    variables: dict[str, Any] | None = None
    operation_name: str | None = None


class CostBucket:
    """Points of one app in one shop: a maximum, restored at a rate per second."""

    def __init__(self, clock: Clock, maximum: float, restore_rate: float) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._available = self.maximum = maximum
        self.restore_rate = restore_rate
        self._at = clock.monotonic()

    def take(self, cost: int) -> tuple[bool, float]:
        """Whether the points were there (then they are taken), and what is left."""
        with self._lock:
            now = self._clock.monotonic()
            restored = self._available + (now - self._at) * self.restore_rate
            self._available, self._at = min(self.maximum, restored), now
            if cost > self._available:
                return False, self._available
            self._available -= cost
            return True, self._available


class ShopifySimulator:
    """The API server; `start()` gives its address."""

    def __init__(
        self,
        stories: Iterable[Story],
        token: str,
        *,
        port: int = 0,
        points: float = 2000.0,
        restore_rate: float = 100.0,
        clock: Clock | None = None,
    ) -> None:
        """points, restore_rate: the cost bucket (the vendor's Standard plan by default)."""
        self._stories = {story.order.id: story for story in stories}
        self._until: datetime | None = None
        self._token = token
        self._stopping = threading.Event()
        self._bucket = CostBucket(clock or SystemClock(), points, restore_rate)
        self._server = LoopbackServer(self._answer, port)
        self.faults = FaultScript()
        self.calls = 0
        # webhook subscriptions: topic as webhooks name it -> address
        self.subscriptions: dict[str, str] = {}
        self.inventory = ShopInventory()
        self.dealings = ShopDealings(clock or SystemClock(), WAREHOUSE)

    @property
    def address(self) -> str:
        """`http://127.0.0.1:port`."""
        return self._server.address

    def endpoint(self, version: str = VERSIONS[-1]) -> str:
        """URL of the GraphQL API."""
        return f"{self.address}/admin/api/{version}/graphql.json"

    def start(self) -> str:
        """Begin to answer."""
        self._stopping.clear()
        return self._server.start()

    def stop(self) -> None:
        """Go away at once."""
        self._stopping.set()
        self._server.stop()

    def show(self, until: datetime | None) -> None:
        """Show orders as they stood at an instant; None = as they ended."""
        self._until = until

    def add(self, stories: Iterable[Story]) -> None:
        """More orders."""
        self._stories.update((story.order.id, story) for story in stories)

    def standing(self) -> list[tuple[ShopOrder, State]]:
        """Every order placed by now, with its state, by update then id."""
        found = []
        for story in list(self._stories.values()):
            reached = [s for s in story.states if self._until is None or s.at <= self._until]
            if reached:
                state = self.dealings.standing(story.order, reached[-1])
                found.append((story.order, state))
        return sorted(found, key=lambda one: (one[1].at.astimezone(UTC), one[0].id))

    def fulfil_by_hand(self, order: int, lines: Mapping[int, int]) -> None:
        """Somebody fulfils pieces (line -> pieces) in the shop's own admin."""
        self.dealings.by_hand(self._found, order, lines)

    def _answer(self, call: Call) -> Answer:
        self.calls += 1
        match = _PATH.fullmatch(call.path)
        if match is None or call.method != "POST":
            return json_answer(404, {"errors": "Not Found"})
        given = call.headers.get("x-shopify-access-token", "").encode()
        if not hmac.compare_digest(given, self._token.encode()):
            words = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return json_answer(401, {"errors": words})
        fault = self.faults.draw("read")
        if fault is not None and fault.do not in ("slow", "lost"):
            return self._failed(fault)
        asked = match[1]
        version = asked if asked in VERSIONS else VERSIONS[0]
        status, body = self._asked(call.body, version)
        if fault is not None and fault.do == "lost":
            return CUT
        if fault is not None:
            self._stopping.wait(fault.seconds)
        return json_answer(status, body, {"X-Shopify-API-Version": version})

    def _failed(self, fault: Fault) -> Answer:
        if fault.do == "throttle":
            wait = {"Retry-After": f"{fault.seconds:.1f}"}
            return json_answer(429, {"errors": "Exceeded rate limit"}, wait)
        if fault.do == "refuse":
            denied = {"message": fault.words, "extensions": {"code": "ACCESS_DENIED"}}
            return json_answer(200, {"errors": [denied]})
        if fault.do in ("error", "busy"):
            return json_answer(500 if fault.do == "error" else 503, {"errors": "sorry"})
        if fault.do in ("hang", "late"):
            self._stopping.wait(fault.seconds)
        return CUT

    def _asked(self, body: bytes, version: str) -> tuple[int, dict[str, Any]]:
        """The answer to a question, with its cost; errors come with status 200."""
        try:
            question = msgspec.json.decode(body, type=Question)
        except msgspec.DecodeError:
            return 400, {"errors": {"query": "Required parameter missing or invalid"}}
        try:
            name = question.operation_name or ""
            fields = read_query(question.query, question.variables or {}, name)
            requested = max(1, cost_of(fields))
            if requested > QUERY_COST_MAX:
                words = f"Query cost is {requested}, which exceeds the single query max cost limit"
                raise QueryError(words, "MAX_COST_EXCEEDED")
            granted, left = self._bucket.take(requested)
            cost = self._cost(requested, left, granted=granted)
            if not granted:
                error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
                return 200, {"errors": [error], "extensions": {"cost": cost}}
            return 200, {"data": self._resolved(fields, version), "extensions": {"cost": cost}}
        except QueryError as problem:
            error = {"message": problem.words, "extensions": {"code": problem.code}}
            return 200, {"errors": [error]}

    def _cost(self, requested: int, left: float, *, granted: bool) -> dict[str, Any]:
        return {
            "requestedQueryCost": requested,
            "actualQueryCost": requested if granted else None,
            "throttleStatus": {
                "maximumAvailable": self._bucket.maximum,
                "currentlyAvailable": int(left),
                "restoreRate": self._bucket.restore_rate,
            },
        }

    def _resolved(self, fields: Sequence[Selected], version: str) -> dict[str, Any]:
        root = {
            "shop": {
                "__typename": "Shop",
                "id": "gid://shopify/Shop/548380009",
                "name": "Tillbridge Outfitters",
                "currencyCode": "USD",
                "taxesIncluded": False,
                "myshopifyDomain": "tillbridge-outfitters.myshopify.com",
                "ianaTimezone": "America/New_York",
            },
            "order": lambda arguments: self._node(arguments, "Order"),
            "node": lambda arguments: self._node(arguments, ""),
            "orders": self._orders,
            "ordersCount": self._count,
            "webhookSubscriptions": lambda _: Connection(
                [
                    {"__typename": "WebhookSubscription", "topic": _enum(topic), "uri": uri}
                    for topic, uri in self.subscriptions.items()
                ]
            ),
            "webhookSubscriptionCreate": self._subscribe,
            "inventoryItem": self.inventory.item,
            "productVariants": self.inventory.variants,
            "location": self.inventory.place,
            "inventorySetQuantities": lambda arguments: self.inventory.set_quantities(
                arguments, version
            ),
            **self.dealings.mutations(self._found, version),
        }
        return resolve(fields, root)

    def _node(self, arguments: Mapping[str, Any], kind: str) -> dict[str, Any] | None:
        wanted = str(arguments.get("id"))
        if not wanted.startswith(f"gid://shopify/{kind}"):
            raise QueryError(f"Invalid global id '{wanted}'", "argumentLiteralsIncompatible")
        for order, state in self.standing():
            found = node_graph(order, state, wanted)
            if found is not None:
                if found["__typename"] == "Order":
                    found["fulfillmentOrders"] = self.dealings.orders(order, state)
                return found
        return None

    def _found(self, wanted: str) -> tuple[ShopOrder, State]:
        """The order that an order's or fulfilment's global id belongs to."""
        for order, state in self.standing():
            if node_graph(order, state, wanted) is not None:
                return order, state
        raise QueryError(f"Invalid global id '{wanted}'", "argumentLiteralsIncompatible")

    def _count(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """How many orders a search finds: exact up to the limit, 10,000 unless null is asked."""
        keeps = _filter(str(arguments.get("query") or ""))
        found = sum(keeps(one) for one in self.standing())
        limit = arguments.get("limit", 10_000)
        more = limit is not None and found > limit
        return {
            "__typename": "Count",
            "count": limit if more else found,
            "precision": "AT_LEAST" if more else "EXACT",
        }

    def _subscribe(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """One subscription per topic and address, as over there."""
        topic = str(arguments.get("topic")).lower().rpartition("_")
        name, uri = f"{topic[0]}/{topic[2]}", str(arguments["webhookSubscription"].get("uri"))
        errors = []
        if self.subscriptions.get(name) == uri:
            words = "Address for this topic has already been taken"
            errors.append({"__typename": "UserError", "field": ["uri"], "message": words})
        else:
            self.subscriptions[name] = uri
        made = {
            "__typename": "WebhookSubscription",
            "id": f"gid://shopify/WebhookSubscription/{name}",
        }
        return {
            "__typename": "WebhookSubscriptionCreatePayload",
            "webhookSubscription": None if errors else made,
            "userErrors": errors,
        }

    def _orders(self, arguments: Mapping[str, Any]) -> Connection:
        """Orders by update, filtered as the search syntax of updated_at and created_at says."""
        keeps = _filter(str(arguments.get("query") or ""))
        found = [one for one in self.standing() if keeps(one)]
        if arguments.get("sortKey") not in ("UPDATED_AT", None):
            raise QueryError("the simulator sorts by UPDATED_AT only")
        if arguments.get("reverse"):
            raise QueryError("the simulator sorts forwards only")
        return Connection(found, lambda _place, one: _cursor(*one), lambda one: order_graph(*one))


def _enum(topic: str) -> str:
    return topic.replace("/", "_").upper()


def _cursor(order: ShopOrder, state: State) -> str:
    """Sorts as the orders sort, and stays right when an order is updated between two pages."""
    text = f"{state.at.astimezone(UTC).isoformat()}|{order.id}"
    return text.encode().hex()


def _filter(query: str) -> Any:
    """A test for (order, state); raises QueryError for what the simulator cannot search."""
    terms = _TERM.findall(query)
    left = re.sub(r"\bAND\b|\s|\(|\)", "", _TERM.sub("", query))
    if left:
        raise QueryError(f"the simulator cannot search for {left!r}")
    compares = {
        ">=": lambda a, b: a >= b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        "<": lambda a, b: a < b,
    }

    def keeps(one: tuple[ShopOrder, State]) -> bool:
        order, state = one
        values = {"updated_at": state.at, "created_at": order.placed_at}
        return all(
            compares[sign](values[field].astimezone(UTC), _instant(text))
            for field, sign, text in terms
        )

    return keeps


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise QueryError(f"{text!r} is no date") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the shop of a seed; with --hub also send its day, then go on serving."""
    parser = argparse.ArgumentParser(description="Simulator of a Shopify shop.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--orders", type=int, default=20)
    parser.add_argument("--token", required=True, help="access token it accepts")
    parser.add_argument("--hub", help="URL that takes the webhooks")
    parser.add_argument("--secret", default="", help="client secret the webhooks are signed with")
    parser.add_argument("--journal", default="sent.jsonl", help="witness of what was sent")
    chosen = parser.parse_args(arguments)
    day = day_of_trade(chosen.seed, chosen.orders)
    simulator = ShopifySimulator(day.stories, chosen.token, port=chosen.port)
    sys.stdout.write(simulator.start() + "\n")
    sys.stdout.flush()
    if chosen.hub:
        transport = HttpTransport(LOOPBACK)
        sender = WebhookSender(chosen.hub, chosen.secret, transport, Path(chosen.journal))
        report = sender.send(day.deliveries)
        sys.stdout.write(f"{report.acknowledged} of {report.deliveries} acknowledged\n")
        sys.stdout.flush()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        simulator.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
