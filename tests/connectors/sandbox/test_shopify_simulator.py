"""The sandbox shop answers like the vendor's API, and the shopify connector reads it whole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tillbridge.atoms.clock import FixedClock
from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.connectors.sandbox.erp_faults import Fault
from tillbridge.connectors.sandbox.graphql_query import Connection as Paged
from tillbridge.connectors.sandbox.graphql_query import QueryError, cost_of, read_query
from tillbridge.connectors.sandbox.retailer import DayOfTrade, day_of_trade
from tillbridge.connectors.sandbox.shopify_simulator import ShopifySimulator
from tillbridge.connectors.shopify import connector as shopify
from tillbridge.connectors.shopify.config import ShopifyConfig
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.contract.promises import Connection, Item
from tillbridge.contract.transport import Request

TOKEN = "made-up-token"
MIDNIGHT = datetime(2026, 11, 14, tzinfo=UTC)


@pytest.fixture(scope="module")
def day() -> DayOfTrade:
    return day_of_trade(7)


@pytest.fixture
def shop(day: DayOfTrade) -> Iterator[ShopifySimulator]:
    simulator = ShopifySimulator(day.stories, TOKEN, points=100_000)
    simulator.start()
    yield simulator
    simulator.stop()


@pytest.fixture
def transport() -> Iterator[HttpTransport]:
    made = HttpTransport(LOOPBACK)
    yield made
    made.close()


def connection(shop: ShopifySimulator, **settings: Any) -> Connection:
    version = settings.get("api_version", "2026-10")
    config = ShopifyConfig(endpoint=shop.endpoint(version), **settings)
    return Connection(name="web", entity="us", channel="web", currency="USD", settings=config)


def ask(
    shop: ShopifySimulator, transport: HttpTransport, query: str, **variables: object
) -> dict[str, Any]:
    body = msgspec.json.encode({"query": query, "variables": variables})
    request = Request(
        method="POST",
        url=shop.endpoint(),
        headers={"X-Shopify-Access-Token": TOKEN},
        body=body,
    )
    found: dict[str, Any] = msgspec.json.decode(transport.send(request).body)
    return found


def swept(
    shop: ShopifySimulator, transport: HttpTransport, cursor: str = "", size: int = 7
) -> tuple[list[Item], str]:
    items: list[Item] = []
    while True:
        page = shopify.poll(
            "orders", cursor, connection(shop, page_size=size), {"access_token": TOKEN}, transport
        )
        items += page.items
        cursor = page.cursor
        if not page.more:
            return items, cursor


def test_the_connector_finds_the_shop(shop: ShopifySimulator, transport: HttpTransport) -> None:
    said = shopify.check(connection(shop), {"access_token": TOKEN}, transport)
    assert "Tillbridge Outfitters" in said
    with pytest.raises(Refused, match="401"):
        shopify.check(connection(shop), {"access_token": "wrong"}, transport)


def test_a_sweep_reads_every_order_once(
    shop: ShopifySimulator, transport: HttpTransport, day: DayOfTrade
) -> None:
    items, _ = swept(shop, transport)
    assert sorted(item.key for item in items) == sorted(
        f"order/web/{story.order.id}" for story in day.stories
    )


def test_an_order_read_again_says_the_totals_of_the_day(
    shop: ShopifySimulator, transport: HttpTransport, day: DayOfTrade
) -> None:
    for outcome in day.orders:
        item = shopify.reread(
            "reread/order", str(outcome.id), connection(shop), {"access_token": TOKEN}, transport
        )
        order = msgspec.json.decode(item.body)["order"]
        total = order["totalPriceSet"]["shopMoney"]["amount"]
        assert Decimal(total) * 100 == outcome.total
        assert len(order["lineItems"]["nodes"]) == outcome.lines
        back = [one for one in order["transactions"] if one["kind"] == "REFUND"]
        given = sum(Decimal(one["amountSet"]["shopMoney"]["amount"]) * 100 for one in back)
        assert given == outcome.refunded


def test_orders_are_shown_as_they_stood(
    shop: ShopifySimulator, transport: HttpTransport, day: DayOfTrade
) -> None:
    story = next(story for story in day.stories if story.part == "cancelled")
    query = "query ($id: ID!) { order(id: $id) { displayFinancialStatus cancelledAt } }"
    wanted = f"gid://shopify/Order/{story.order.id}"
    seen = []
    for state in story.states:
        shop.show(state.at)
        seen.append(ask(shop, transport, query, id=wanted)["data"]["order"])
    assert [one["displayFinancialStatus"] for one in seen] == ["PENDING", "PAID", "REFUNDED"]
    assert [bool(one["cancelledAt"]) for one in seen] == [False, False, True]
    shop.show(story.states[0].at - timedelta(seconds=1))
    assert ask(shop, transport, query, id=wanted)["data"]["order"] is None


def test_a_page_goes_on_where_it_stopped_although_orders_moved(
    shop: ShopifySimulator, transport: HttpTransport, day: DayOfTrade
) -> None:
    query = (
        "query ($after: String) { orders(first: 4, after: $after, sortKey: UPDATED_AT)"
        " { nodes { id } pageInfo { hasNextPage endCursor } } }"
    )
    seen: set[str] = set()
    after = None
    shop.show(MIDNIGHT - timedelta(hours=8))
    while True:
        page = ask(shop, transport, query, after=after)["data"]["orders"]
        seen |= {node["id"] for node in page["nodes"]}
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
        shop.show(None)  # everything is updated between the first two pages
    assert len(seen) == len(day.stories)


def test_a_cursor_whose_order_moved_away_still_marks_its_place() -> None:
    connection = Paged(["a", "c", "d"], lambda _place, item: str(item))
    assert connection.page({"first": 5, "after": "b"})["nodes"] == ["c", "d"]
    assert connection.page({"first": 1, "after": "a"})["nodes"] == ["c"]
    assert connection.page({"first": 1, "after": "z"})["nodes"] == []


def test_search_by_update_keeps_its_word(
    shop: ShopifySimulator, transport: HttpTransport, day: DayOfTrade
) -> None:
    border = sorted(story.last.at for story in day.stories)[12]
    text = border.astimezone(UTC).isoformat().replace("+00:00", "Z")
    query = f"query {{ orders(first: 50, query: \"updated_at:>='{text}'\") {{ nodes {{ id }} }} }}"
    assert len(ask(shop, transport, query)["data"]["orders"]["nodes"]) == 8
    refused = ask(shop, transport, 'query { orders(first: 5, query: "tag:x") { nodes { id } } }')
    assert "cannot search" in refused["errors"][0]["message"]


def test_an_empty_bucket_answers_200_and_throttled(
    day: DayOfTrade, transport: HttpTransport
) -> None:
    clock = FixedClock(MIDNIGHT)
    shop = ShopifySimulator(day.stories, TOKEN, points=20, restore_rate=10, clock=clock)
    shop.start()
    order = str(day.stories[0].order.id)
    try:
        query = "query { orders(first: 100) { nodes { id } } }"
        assert "data" in ask(shop, transport, query)
        answer = ask(shop, transport, query)
        assert answer["errors"][0]["extensions"]["code"] == "THROTTLED"
        assert answer["extensions"]["cost"]["throttleStatus"]["currentlyAvailable"] < 20
        with pytest.raises(RetryLater) as caught:
            shopify.reread(
                "reread/order", order, connection(shop), {"access_token": TOKEN}, transport
            )
        assert caught.value.after_seconds is not None
        clock.sleep(2)
        assert "data" in ask(shop, transport, query)
    finally:
        shop.stop()


def test_the_edge_refuses_with_429(shop: ShopifySimulator, transport: HttpTransport) -> None:
    shop.faults.add(Fault(do="throttle", on="read", seconds=3))
    with pytest.raises(RetryLater) as caught:
        shopify.check(connection(shop), {"access_token": TOKEN}, transport)
    assert caught.value.after_seconds == 3.0


def test_a_dead_version_is_answered_by_a_living_one(
    shop: ShopifySimulator, transport: HttpTransport
) -> None:
    with pytest.raises(Refused, match="2026-01"):
        shopify.check(connection(shop, api_version="2024-04"), {"access_token": TOKEN}, transport)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("query { shop { nosuch } }", "'nosuch' doesn't exist on type 'Shop'"),
        ("query { shop }", "must have selections"),
        ("query { orders { nodes { id } } }", "must provide first"),
        ("query { shop { name }", "ends too early"),
        ("{ shop { ...Missing } }", "not defined"),
        ("query { shop { name ~ } }", "cannot be read"),
        ("fragment F on Shop { name }", "no such operation"),
    ],
)
def test_a_wrong_document_is_refused_with_words(
    shop: ShopifySimulator, transport: HttpTransport, document: str, words: str
) -> None:
    assert words in ask(shop, transport, document)["errors"][0]["message"]


def test_documents_may_use_aliases_fragments_defaults_and_comments(
    shop: ShopifySimulator, transport: HttpTransport
) -> None:
    document = """
      query Pages($size: Int = 2, $after: String) { # two at a time
        store: shop { ...Named }
        orders(first: $size, after: $after) { edges { cursor node { id } } }
      }
      fragment Named on Shop { __typename title: name ... on Shop { currencyCode } }
    """
    data = ask(shop, transport, document)["data"]
    assert data["store"] == {
        "__typename": "Shop",
        "title": "Tillbridge Outfitters",
        "currencyCode": "USD",
    }
    assert len(data["orders"]["edges"]) == 2


def test_cost_rises_with_the_page() -> None:
    def cost(first: int) -> int:
        return cost_of(read_query(f"{{ orders(first: {first}) {{ nodes {{ id }} }} }}", {}))

    assert cost(10) < cost(100) < cost(250)
    with pytest.raises(QueryError):
        read_query("{ shop(id: $x) { id } }", {})


def test_orders_are_counted_exactly_up_to_a_limit(
    shop: ShopifySimulator, transport: HttpTransport
) -> None:
    def counted(arguments: str) -> dict[str, Any]:
        query = f"query {{ ordersCount({arguments}) {{ count precision }} }}"
        found: dict[str, Any] = ask(shop, transport, query)["data"]["ordersCount"]
        return found

    everything = counted("limit: null")
    assert everything == {"count": 20, "precision": "EXACT"}
    assert counted("limit: 5") == {"count": 5, "precision": "AT_LEAST"}
    assert counted("query: \"updated_at:<'2020-01-01T00:00:00Z'\"")["count"] == 0
