"""Calls to the shop: what a no means, pages to their end, versions, the sweep's cursor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from tests.connectors.shopify.payloads import with_settings
from tillbridge.atoms.errors import NeedsDecision, Refused, RetryLater
from tillbridge.connectors.shopify import connector
from tillbridge.contract.promises import Item, Listing, Page, Window
from tillbridge.contract.transport import Request, Response

SECRETS = {"access_token": "token-4711"}
SHOP = {"shop": {"name": "Sample", "currencyCode": "USD"}}
Answer = Callable[[str, dict[str, Any]], Any]


class Shop:
    """A shop that answers by a function of (query, variables)."""

    def __init__(self, answer: Answer, headers: Mapping[str, str] | None = None) -> None:
        self.answer = answer
        self.headers = headers or {}
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def send(self, request: Request) -> Response:
        """The function's answer; a Response is given as it is."""
        assert request.headers["x-shopify-access-token"] == "token-4711"
        body = msgspec.json.decode(request.body)
        self.asked.append((body["query"], body["variables"]))
        found = self.answer(*self.asked[-1])
        if isinstance(found, Response):
            return found
        return Response(status=200, headers=self.headers, body=msgspec.json.encode({"data": found}))


def failing(status: int = 200, body: object = None, **headers: str) -> Shop:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = Response(status=status, headers=names, body=msgspec.json.encode(body))
    return Shop(lambda _query, _variables: answer)


def checked(shop: Shop, **settings: Any) -> str:
    fields = {"shop": "sample.myshopify.com", **settings}
    return connector.check(with_settings(**fields), SECRETS, shop)


def nodes(*found: Any, after: str = "") -> dict[str, Any]:
    return {
        "nodes": list(found),
        "pageInfo": {"hasNextPage": bool(after), "endCursor": after or None},
    }


def test_the_shop_answers_and_its_currency_is_compared() -> None:
    shop = Shop(lambda _q, _v: SHOP, {"x-shopify-api-version": "2026-10"})
    assert checked(shop) == "shop Sample answers in API 2026-10, USD"
    with pytest.raises(Refused, match="shop_currency"):
        checked(shop, shop_currency="EUR")


def test_a_throttled_answer_is_a_wait_for_as_long_as_the_bucket_needs() -> None:
    cost = {
        "requestedQueryCost": 300,
        "throttleStatus": {"currentlyAvailable": 100, "restoreRate": 50.0},
    }
    errors = [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]
    with pytest.raises(RetryLater) as caught:
        checked(failing(body={"errors": errors, "extensions": {"cost": cost}}))
    assert caught.value.after_seconds == 4.0
    with pytest.raises(RetryLater) as caught:
        checked(failing(body={"errors": errors}))
    assert caught.value.after_seconds == 2.0


@pytest.mark.parametrize(
    ("status", "seconds"), [(429, 7.5), (500, 7.5), (502, 7.5), (503, 7.5), (408, 7.5)]
)
def test_a_busy_shop_is_a_wait(status: int, seconds: float) -> None:
    with pytest.raises(RetryLater) as caught:
        checked(failing(status, retry_after="7.5"))
    assert caught.value.after_seconds == seconds


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "token"),
        (402, "frozen"),
        (403, "scopes"),
        (404, "address"),
        (423, "locked"),
        (302, "302"),
    ],
)
def test_a_refusal_says_why(status: int, words: str) -> None:
    with pytest.raises(Refused, match=words):
        checked(failing(status))


def test_errors_of_a_good_status_are_refusals_without_the_token() -> None:
    errors = [{"message": "no field for token-4711", "extensions": {"code": "ACCESS_DENIED"}}]
    with pytest.raises(Refused) as caught:
        checked(failing(body={"errors": errors}))
    assert caught.value.code == "access_denied"
    assert "token-4711" not in caught.value.words
    with pytest.raises(RetryLater):
        checked(failing(body={"errors": [{"extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}))
    wrong = {"fix": {"userErrors": [{"message": "quantity is stale"}]}}
    with pytest.raises(Refused, match="quantity is stale"):
        checked(failing(body={"data": wrong}))


def test_a_younger_version_than_asked_for_is_refused() -> None:
    shop = Shop(lambda _q, _v: SHOP, {"x-shopify-api-version": "2027-01"})
    with pytest.raises(Refused, match="2026-10 is no longer"):
        checked(shop)


def test_what_is_not_configured_is_refused_before_any_call() -> None:
    shop = Shop(lambda _q, _v: SHOP)
    with pytest.raises(Refused, match="names no shop"):
        connector.check(with_settings(), SECRETS, shop)
    with pytest.raises(Refused, match="access_token"):
        connector.check(with_settings(shop="sample.myshopify.com"), {}, shop)
    assert not shop.asked


def an_order(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/Order/{number}",
        "name": f"#{number}",
        "updatedAt": "2026-03-04T10:00:00Z",
        "lineItems": nodes({"id": "l1"}),
        "shippingLines": nodes(),
        "transactions": [],
        "fulfillments": [],
        "refunds": [],
        **fields,
    }


def reread(shop: Shop, reference: str = "gid://shopify/Order/1") -> Item:
    connection = with_settings(shop="sample.myshopify.com")
    return connector.reread("reread/order", reference, connection, SECRETS, shop)


def test_every_nested_connection_is_read_to_its_end() -> None:
    def answer(query: str, variables: dict[str, Any]) -> Any:
        after = variables.get("after")
        if "order(id: $id)" in query:
            refunds = [{"id": "gid://shopify/Refund/5"}]
            fulfillments = [{"id": "gid://shopify/Fulfillment/6"}]
            first = nodes({"id": "l1"}, after="c1")
            return {"order": an_order(lineItems=first, refunds=refunds, fulfillments=fulfillments)}
        if "lineItems" in query:
            given = {"c1": nodes({"id": "l2"}, after="c2"), "c2": nodes({"id": "l3"})}
            return {"node": {"lineItems": given[str(after)]}}
        if "Fulfillment" in query:
            return {"node": {"fulfillmentLineItems": nodes({"quantity": 1})}}
        if after == "r1":
            return {"node": {"refundLineItems": nodes({"n": 2})}}
        fields = ("orderAdjustments", "refundShippingLines", "transactions")
        below = {field: nodes() for field in fields}
        return {"node": {"refundLineItems": nodes({"n": 1}, after="r1"), **below}}

    shop = Shop(answer)
    item = reread(shop)
    order = msgspec.json.decode(item.body)["order"]
    assert [node["id"] for node in order["lineItems"]["nodes"]] == ["l1", "l2", "l3"]
    assert order["refunds"][0]["refundLineItems"] == {"nodes": [{"n": 1}, {"n": 2}]}
    assert order["fulfillments"][0]["fulfillmentLineItems"] == {"nodes": [{"quantity": 1}]}
    assert (item.topic, item.key) == ("reread/order", "order/web/1")
    assert item.delivery.startswith("reread/order:1@2026-03-04T10:00:00Z:")
    assert len(shop.asked) == 6


def test_a_list_as_long_as_its_limit_may_have_lost_its_end() -> None:
    many = [{"id": str(number)} for number in range(100)]
    with pytest.raises(Refused, match="100 or more transactions"):
        reread(Shop(lambda _q, _v: {"order": an_order(transactions=many)}))


def test_an_order_is_read_by_number_or_global_id_and_nothing_else() -> None:
    shop = Shop(lambda _q, _v: {"order": an_order()})
    reread(shop, "1")
    assert shop.asked[0][1] == {"id": "gid://shopify/Order/1"}
    for reference in ("", "one", "gid://shopify/Order/", "1) { x"):
        with pytest.raises(Refused):
            reread(shop, reference)
    with pytest.raises(Refused, match="knows no order"):
        reread(Shop(lambda _q, _v: {"order": None, "more": 1}))
    with pytest.raises(Refused, match="reread/order"):
        connector.reread("reread/product", "1", with_settings(), SECRETS, shop)


def swept(shop: Shop, cursor: str = "", **settings: Any) -> Page:
    connection = with_settings(shop="sample.myshopify.com", **settings)
    return connector.poll("orders", cursor, connection, SECRETS, shop)


def a_shop(pages: dict[str, Any], **headers: str) -> Shop:
    def answer(query: str, variables: dict[str, Any]) -> Any:
        if "orders(" in query:
            return {"orders": pages[variables["after"] or ""]}
        number = int(variables["id"].rsplit("/", 1)[-1])
        return {"order": None if number == 404 else an_order(number)}

    return Shop(answer, headers)


def seen(number: int, updated: str) -> dict[str, str]:
    return {"id": f"gid://shopify/Order/{number}", "updatedAt": updated}


def test_a_sweep_goes_from_page_to_page_and_begins_the_next_one_earlier() -> None:
    pages = {
        "": nodes(seen(1, "2026-03-04T09:00:00Z"), after="p2"),
        "p2": nodes(seen(2, "2026-03-04T09:30:00Z")),
    }
    shop = a_shop(pages, date="Wed, 04 Mar 2026 10:00:00 GMT")
    first = swept(shop, start_at="2026-03-01T00:00:00+01:00", overlap_seconds=600)
    assert shop.asked[0][1]["filter"] == "updated_at:>='2026-02-28T23:00:00Z'"
    assert first.more
    assert first.complete_through is None
    second = swept(shop, first.cursor, overlap_seconds=600)
    assert not second.more
    assert [item.key for item in (*first.items, *second.items)] == ["order/web/1", "order/web/2"]
    assert second.complete_through is not None
    assert second.complete_through.isoformat() == "2026-03-04T09:50:00+00:00"
    pages[""] = nodes()
    third = swept(shop, second.cursor)
    assert shop.asked[-1][1]["filter"] == "updated_at:>='2026-03-04T09:50:00Z'"
    assert third.items == ()


def test_a_page_dearer_than_the_bucket_is_read_in_parts() -> None:
    updated = "2026-03-04T09:00:00Z"
    plain = a_shop({"": nodes(*(seen(number, updated) for number in (1, 2, 3)))})
    orders_left = 0

    def stingy(query: str, variables: dict[str, Any]) -> Any:
        nonlocal orders_left
        if "order(" in query:
            orders_left -= 1
            if orders_left < 0:
                raise RetryLater("the shop throttles (cost)")
        return plain.answer(query, variables)

    found: list[str] = []
    cursor, more = "", True
    with pytest.raises(RetryLater):
        swept(Shop(stingy), cursor)
    while more:
        orders_left = 1
        page = swept(Shop(stingy), cursor)
        found += [item.key for item in page.items]
        cursor, more = page.cursor, page.more
    assert found == ["order/web/1", "order/web/2", "order/web/3"]
    assert "read" not in {k for k, v in msgspec.json.decode(cursor).items() if v}


def test_without_the_vendors_clock_nothing_is_called_complete() -> None:
    page = swept(a_shop({"": nodes(seen(1, "2026-03-04T09:00:00Z"))}), overlap_seconds=60)
    assert page.complete_through is None
    assert msgspec.json.decode(page.cursor)["since"] == "2026-03-04T08:59:00Z"
    empty = swept(a_shop({"": nodes()}), page.cursor)
    assert msgspec.json.decode(empty.cursor)["since"] == "2026-03-04T08:59:00Z"


def test_one_order_that_cannot_be_read_does_not_hold_up_the_sweep() -> None:
    updated = "2026-03-04T09:00:00Z"
    page = swept(a_shop({"": nodes(seen(404, updated), seen(2, updated))}))
    broken, good = page.items
    assert "knows no order" in broken.problem
    assert broken.key == "order/web/404"
    assert not good.problem


def test_a_token_that_is_no_longer_taken_does_hold_it_up() -> None:
    with pytest.raises(Refused):
        swept(failing(401))


def test_a_cursor_of_somebody_else_is_refused() -> None:
    for cursor in ("abc", "{}x", '{"page":1}', "7"):
        with pytest.raises(Refused, match="cursor"):
            swept(a_shop({"": nodes()}), cursor)
    with pytest.raises(Refused, match="stream"):
        connector.poll("refunds", "", with_settings(), SECRETS, a_shop({}))


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"", b"[1]", b"null"])
def test_a_page_of_a_proxy_is_waited_out_and_holds_up_no_order(body: bytes) -> None:
    answer = Response(status=200, headers={}, body=body)
    with pytest.raises(RetryLater):
        reread(Shop(lambda _query, _variables: answer))


def test_half_an_answer_is_no_answer() -> None:
    for body in ({}, {"data": None}, {"data": {"order": 7}}, {"data": {"order": {"id": 1}}}):
        with pytest.raises((NeedsDecision, Refused)):
            reread(failing(body=body))


@pytest.mark.parametrize(
    "settings",
    [
        {"shop": "https://sample.myshopify.com"},
        {"shop": "sample.example.com"},
        {"endpoint": "http://sample.example.com"},
        {"api_version": "latest"},
        {"page_size": 0},
        {"page_size": 51},
        {"rounding_tolerance": -1},
        {"overlap_seconds": -1},
        {"timeout_seconds": 0},
        {"start_at": "2026-03-01T00:00:00"},
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        with_settings(**settings)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(settings, type=connector.config)


def amounts(number: int, total: str, refunded: str, currency: str = "USD") -> dict[str, Any]:
    def bag(amount: str) -> dict[str, Any]:
        return {"shopMoney": {"amount": amount, "currencyCode": currency}}

    return {
        "id": f"gid://shopify/Order/{number}",
        "updatedAt": "2026-03-04T09:00:00Z",
        "totalPriceSet": bag(total),
        "totalRefundedSet": bag(refunded),
    }


def listing(shop: Shop, cursor: str = "") -> Listing:
    window = Window(datetime(2026, 3, 4, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC))
    connection = with_settings(shop="sample.myshopify.com")
    return connector.list_objects("orders", window, cursor, connection, SECRETS, shop)


def test_a_listing_gives_count_and_amounts_of_a_window() -> None:
    def answer(query: str, variables: dict[str, Any]) -> Any:
        if "ordersCount" in query:
            return {"ordersCount": {"count": 2, "precision": "EXACT"}}
        if variables["after"]:
            return {"orders": nodes(amounts(2, "500", "0", "JPY"))}
        return {"orders": nodes(amounts(1, "89.25", "10.5"), after="p2")}

    shop = Shop(answer)
    first = listing(shop)
    assert (first.count, first.more) == (2, True)
    condition = "updated_at:>='2026-03-04T00:00:00Z' AND updated_at:<'2026-03-05T00:00:00Z'"
    assert {variables["filter"] for _, variables in shop.asked} == {condition}
    second = listing(shop, first.cursor)
    assert (second.count, second.more, len(shop.asked)) == (None, False, 3)
    found = [
        (one.key, one.reference, one.version, one.currency, one.amount, one.refunded)
        for one in (*first.objects, *second.objects)
    ]
    at = "2026-03-04T09:00:00Z"
    assert found == [
        ("order/web/1", "gid://shopify/Order/1", at, "USD", 8925, 1050),
        ("order/web/2", "gid://shopify/Order/2", at, "JPY", 500, 0),
    ]


def test_a_count_that_is_only_a_least_one_is_not_held_against_the_listing() -> None:
    least = {"ordersCount": {"count": 10_000, "precision": "AT_LEAST"}}
    shop = Shop(lambda query, _: least if "ordersCount" in query else {"orders": nodes()})
    assert listing(shop).count is None


def test_an_amount_that_is_none_is_no_listing() -> None:
    shop = Shop(
        lambda query, _: (
            {"ordersCount": {"count": 1, "precision": "EXACT"}}
            if "ordersCount" in query
            else {"orders": nodes(amounts(1, "8.925", "0"))}
        )
    )
    with pytest.raises(NeedsDecision):
        listing(shop)
