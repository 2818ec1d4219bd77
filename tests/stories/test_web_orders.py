"""Web orders from the first webhook to the ERP's ledger, figures by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.shop import House, house, line, paid_order, refund, shipment, tax


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


LINES = (
    line(1, quantity=3, price="33.33", tax_lines=[tax("8.00", 0.08)]),
    line(2, quantity=1, price="20.00", tax_lines=[tax("1.60", 0.08)]),
)
SHIPPING = [{"id": 90, "title": "Standard", "price": "5.00", "tax_lines": []}]
ORDER = paid_order(4711, LINES, "134.59", shipping_lines=SHIPPING)  # 99.99 + 20 + 9.60 + 5


def test_paid_shipped_in_two_parcels_and_partly_refunded(shop: House) -> None:
    shop.web("orders/create", ORDER)
    assert shop.cases() == []
    assert shop.stock("P1") == (20, 3)
    assert shop.balances() == {"clearing/shop-pay": 13459, "customer-deposits": -13459}
    shop.web("fulfillments/create", shipment(1, 4711, {1: 2}))
    assert shop.stock("P1") == (18, 1)
    shop.web("fulfillments/create", shipment(2, 4711, {1: 1, 2: 1}))
    back = {"id": 5, "line_item_id": 1, "quantity": 1, "subtotal": "33.33", "total_tax": "2.67"}
    back |= {"restock_type": "return", "location_id": 5501, "line_item": LINES[0]}
    shop.web("refunds/create", refund(3, 4711, [back], "36.00"))
    assert shop.cases() == []
    assert shop.stock("P1") == (18, 0)
    assert shop.stock("P2") == (9, 0)
    books = {
        "clearing/shop-pay": 13459 - 3600,
        "sales/unassigned": -(9999 + 2000 - 3333),
        "shipping-income": -500,
        "sales-tax/us-ny": -(800 + 160 - 267),
    }
    assert shop.balances() == books
    assert not shop.drain().moving
    key = "order/web/4711"
    assert shop.documents() == {
        f"{key}/credit_note/1": "accepted",
        f"{key}/invoice/1": "accepted",
        f"{key}/invoice/2": "accepted",
        f"{key}/sales_order": "accepted",
    }
    totals = dict(shop.rows("select op, total from document"))
    # two of three pieces with the freight; the rest, which takes the odd cent; one piece back
    assert totals[f"{key}/invoice/1"] == 6666 + 533 + 500
    assert totals[f"{key}/invoice/2"] == 3333 + 267 + 2000 + 160
    assert totals[f"{key}/credit_note/1"] == 3333 + 267
    assert shop.erp.store.counts() == {"sales_order": 1, "invoice": 2, "credit_note": 1}
    assert shop.erp.store.duplicates() == {}
    assert sum(shop.erp_balances().values()) == 0
    assert shop.lies() == []


def test_what_was_sent_twice_and_out_of_order_is_booked_once(shop: House) -> None:
    shop.web("fulfillments/create", shipment(1, 4711, {1: 3, 2: 1}), "ship", flow=False)
    assert shop.web("orders/create", ORDER, "new", flow=False) == "new"
    assert shop.web("orders/create", ORDER, "new", flow=False) == "duplicate"
    shop.web("fulfillments/create", shipment(1, 4711, {1: 3, 2: 1}), "ship")
    shop.web("orders/updated", ORDER, "same again under another id")
    assert shop.cases() == []
    assert shop.stock("P1") == (17, 0)
    assert shop.balances() == {
        "clearing/shop-pay": 13459,
        "sales/unassigned": -11999,
        "shipping-income": -500,
        "sales-tax/us-ny": -960,
    }
    assert not shop.drain().moving
    assert shop.erp.store.counts() == {"sales_order": 1, "invoice": 1}
    assert shop.lies() == []


def test_a_known_delivery_with_another_body_is_a_case_and_is_not_believed(shop: House) -> None:
    shop.web("orders/create", ORDER, "new")
    assert shop.web("orders/create", {**ORDER, "test": True}, "new") == "conflict"
    assert shop.cases() == ["delivery_broken"]
    assert shop.balances() == {"clearing/shop-pay": 13459, "customer-deposits": -13459}


def test_paid_before_created(shop: House) -> None:
    payment = {
        "id": 600,
        "order_id": 4711,
        "kind": "sale",
        "status": "success",
        "amount": "134.59",
        "currency": "USD",
        "gateway": "shopify_payments",
        "created_at": "2026-03-02T22:15:03-05:00",
    }
    shop.web("order_transactions/create", payment)
    assert shop.balances() == {}
    unpaid = {**ORDER, "financial_status": "pending"}
    shop.web("orders/create", unpaid)
    shop.web("orders/paid", {**ORDER, "updated_at": "2026-03-02T22:16:00-05:00"})
    assert shop.cases() == []
    assert shop.balances() == {"clearing/shop-pay": 13459, "customer-deposits": -13459}
    assert list(shop.documents()) == ["order/web/4711/sales_order"]
    assert shop.lies(quiesced=False) == []


def test_an_unknown_sku_waits_for_its_name_and_goes_on_by_itself(shop: House) -> None:
    strange = paid_order(4712, [line(1, sku="SKU-9", quantity=2)], "20.00")
    shop.web("orders/create", strange)
    shop.web("fulfillments/create", shipment(1, 4712, {1: 2}))
    shop.web("orders/create", ORDER)  # another order is not held up
    (case,) = shop.rows("select words, owner, remedy, state from exception_case")
    assert "'SKU-9'" in case[0]
    assert case[1:] == ("ecommerce", "tillbridge xref set web product SKU-9 OUR-NAME", "open")
    assert shop.balances()["customer-deposits"] == -13459
    shop.names([("web", "product", "SKU-9", "P2")])
    shop.flow()
    assert shop.cases() == []
    assert shop.stock("P2") == (8, 1)
    assert shop.balances()["sales/unassigned"] == -2000
    assert not shop.drain().moving
    assert shop.lies() == []


def test_an_erp_that_is_away_stops_nothing_and_gets_everything_later(shop: House) -> None:
    shop.erp.stop()
    shop.web("orders/create", ORDER)
    shop.web("fulfillments/create", shipment(1, 4711, {1: 3, 2: 1}))
    assert shop.drain(0.5).documents == 2
    assert shop.balances()["sales/unassigned"] == -11999
    assert shop.lies(quiesced=False) == []
    assert shop.rows("select failures > 0 from dest where name = 'erp'") == [(True,)]
    shop.hub = shop.hub.reaching({"erp": {"url": shop.erp.start()}})
    assert not shop.drain().moving
    assert shop.erp.store.counts() == {"sales_order": 1, "invoice": 1}
    assert shop.lies() == []


def test_a_document_applied_without_an_answer_is_looked_up_and_not_sent_again(shop: House) -> None:
    shop.fault("lost", count=1)
    shop.web("orders/create", ORDER)
    assert not shop.drain().moving
    assert shop.erp.store.counts() == {"sales_order": 1}
    assert shop.erp.store.duplicates() == {}
    assert shop.lies() == []


def test_a_refused_document_holds_its_order_back_until_it_is_tried_again(shop: House) -> None:
    from tillbridge.triage.cases import list_cases, replay

    shop.fault("refuse", count=1, words="period is closed")
    shop.web("orders/create", ORDER)
    shop.web("fulfillments/create", shipment(1, 4711, {1: 3, 2: 1}))
    left = shop.drain()
    assert (left.documents, left.held) == (0, 2)
    (case,) = list_cases(shop.connection)
    assert case.reason == "document_refused"
    assert "period is closed" in case.words
    assert shop.lies() == []
    replay(shop.connection, [case.id], "pat")
    shop.connection.commit()
    assert not shop.drain().moving
    assert shop.erp.store.counts() == {"sales_order": 1, "invoice": 1}
    assert shop.cases() == []
    assert shop.lies() == []


def test_a_case_whose_ground_is_gone_closes_itself(shop: House) -> None:
    unpaid = paid_order(4711, [line(1, quantity=2)], "20.00", financial_status="pending")
    shop.web("orders/create", unpaid)
    shop.web("refunds/create", refund(9, 4711, [], "5.00"))
    assert shop.cases() == ["refund_beyond_payment"]
    paid = {**unpaid, "financial_status": "paid", "updated_at": "2026-03-04T22:16:00-05:00"}
    shop.web("orders/paid", paid)
    assert (shop.cases(), shop.cases("resolved")) == ([], ["refund_beyond_payment"])
    assert shop.lies() == []
