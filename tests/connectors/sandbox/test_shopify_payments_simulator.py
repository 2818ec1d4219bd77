"""The simulated payouts of a shop refuse what real ones refuse, and page by their Link header."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import msgspec
import pytest

from tillbridge.atoms.clock import FixedClock
from tillbridge.connectors.sandbox.shopify_payments_simulator import ShopifyPaymentsSimulator
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.contract.transport import Request, Response


class Caller:
    """Asks with the right token unless told otherwise."""

    def __init__(self, shop: ShopifyPaymentsSimulator, transport: HttpTransport) -> None:
        self.shop = shop
        self._base = f"{shop.start()}/admin/api/2026-10/shopify_payments"
        self._transport = transport

    def get(self, path: str, *, known: bool = True) -> Response:
        headers = {"x-shopify-access-token": "t" if known else "no"}
        return self._transport.send(
            Request(method="GET", url=f"{self._base}/{path}", headers=headers)
        )


@pytest.fixture
def caller() -> Iterator[Caller]:
    transport = HttpTransport(LOOPBACK)
    shop = ShopifyPaymentsSimulator("t", FixedClock(datetime(2026, 3, 6, 12, tzinfo=UTC)))
    try:
        yield Caller(shop, transport)
    finally:
        transport.close()
        shop.stop()


def test_pages_follow_the_link_and_take_no_filter(caller: Caller) -> None:
    for n in range(3):
        caller.shop.move("charge", "10.00", "0.30", 100 + n)
    assert caller.shop.pay_out(91, date(2026, 3, 5)) == "29.10"
    first = caller.get("balance/transactions.json?payout_id=91&limit=3")
    rows = msgspec.json.decode(first.body)["transactions"]
    assert [row["type"] for row in rows] == ["payout", "charge", "charge"]
    page = first.headers["link"].partition("page_info=")[2].partition(">")[0]
    last = caller.get(f"balance/transactions.json?limit=3&page_info={page}")
    assert len(msgspec.json.decode(last.body)["transactions"]) == 1
    assert "link" not in last.headers
    assert caller.get(f"balance/transactions.json?payout_id=91&page_info={page}").status == 400
    assert caller.get("payouts.json?page_info=never").status == 400
    assert caller.get("payouts.json?limit=251").status == 400
    assert caller.get("orders.json").status == 404


def test_payouts_are_found_by_day_and_state(caller: Caller) -> None:
    for n in (1, 2, 3):
        caller.shop.pay_out(90 + n, date(2026, 3, n), "paid")
    caller.shop.becomes(92, "failed")

    def found(query: str) -> list[int]:
        body = caller.get(f"payouts.json?{query}").body
        return [row["id"] for row in msgspec.json.decode(body)["payouts"]]

    assert found("date_min=2026-03-02") == [93, 92]
    assert found("date_max=2026-03-02") == [92, 91]
    assert found("status=failed") == [92]


def test_tokens_scopes_and_the_bucket_are_kept(caller: Caller) -> None:
    assert caller.get("payouts.json", known=False).status == 401
    assert [caller.get("payouts.json").status for _ in range(41)][-1] == 429
    assert caller.get("payouts.json").headers["retry-after"] == "2.0"
    transport = HttpTransport(LOOPBACK)
    other = Caller(ShopifyPaymentsSimulator("t", may_read=False), transport)
    try:
        assert other.get("payouts.json").status == 403
        assert other.get("payouts.json").headers["x-shopify-api-version"] == "2026-10"
    finally:
        transport.close()
        other.shop.stop()
