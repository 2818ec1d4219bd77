"""Three pieces for 179.26 come back one by one: no cent blocks the last one, and none is left."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from tests.stories.returning import NAMES as MORE
from tests.stories.returning import Desk, furnished, told
from tests.stories.shop import NAMES, house, line, paid_order, refund, shipment, tax
from tests.stories.till_files import goods, poslog, receipt, tender

LINES = (line(1, quantity=3, price="55.00", tax_lines=[tax("14.26", 0.0864)]),)
ORDER = paid_order(4711, LINES, "179.26")


def test_the_last_piece_takes_what_is_left(tmp_path: Path, database_url: str) -> None:
    with house(tmp_path / "house", database_url, furnish=furnished()) as shop:
        shop.names((*NAMES, *MORE))
        shop.web("orders/create", ORDER)
        shop.web("fulfillments/create", shipment(1, 4711, {1: 3}))
        desk = Desk(shop)
        amounts = []
        for number in (1, 2, 3):
            asked = desk.ask(order="#4711", lines=[{"line": "1", "quantity": 1}])
            assert asked.body["state"] == "allowed"
            (tendered,) = asked.body["tenders"]
            assert tendered["amount"] == asked.body["amount"]
            amounts.append(asked.body["amount"])
            back = {
                "id": number, "line_item_id": 1, "quantity": 1, "subtotal": "55.00",
                "total_tax": str(Decimal(amounts[-1]) - 55), "restock_type": "return",
                "location_id": 5501, "line_item": LINES[0],
            }  # fmt: skip
            shop.web("refunds/create", refund(number, 4711, [back], amounts[-1]))
        assert amounts == ["59.75", "59.75", "59.76"]
        over = desk.ask(order="4711", lines=[{"line": "1", "quantity": 1}]).body
        assert (over["state"], over["lines"][0]["why"]) == ("refused", "returned")
        assert over["tenders"] == []
        desk.close()
        assert shop.cases() == []
        assert shop.balances() == {}
        assert shop.stock("P1") == (20, 0)
        assert shop.statuses() == {"#4711": "refunded"}
        assert not shop.drain().moving
        assert {a: n for a, n in shop.erp_balances().items() if n} == {}
        assert shop.lies() == []


def test_a_receipt_remembers_what_another_store_took_back(
    tmp_path: Path, database_url: str
) -> None:
    with house(tmp_path / "house", database_url, furnish=furnished()) as shop:
        shop.names((*NAMES, *MORE))
        bought = goods("A1", "100.00", "8.65", pieces="3")
        shop.file("stores", poslog(receipt(1, [bought, tender("108.65")], "108.65", "8.65")))
        key = "sale/stores/12/4/2026-03-02/1"
        desk = Desk(shop, "store-bos")
        first = desk.ask(receipt=key, lines=[{"product": "P1", "quantity": 2}]).body
        assert (first["amount"], first["tenders"][0]["kind"]) == ("72.43", "cash")
        link = f"<TransactionLink><OrderID>{key}</OrderID></TransactionLink></Return>"
        comes = goods("A1", "66.67", "5.76", element="Return", pieces="2").replace(
            "</Return>", link
        )
        back = receipt(2, [comes, tender("72.43", code="Refund")], "-72.43", "-5.76")
        shop.file("stores", poslog(back.replace("<RetailStoreID>12<", "<RetailStoreID>14<")))
        assert shop.cases() == []
        last = desk.ask(receipt=key, lines=[{"product": "P1", "quantity": 1}]).body
        assert last["lines"][0]["returned"] == "2"
        assert last["amount"] == "36.22"
        more = desk.ask(receipt=key, lines=[{"product": "P1", "quantity": 2}]).body
        assert (more["state"], more["lines"][0]["why"]) == ("refused", "too_many")
        desk.close()
        assert shop.stock("P1", "store-bos") == (2, 0)
        assert not shop.drain().moving
        assert shop.lies() == []


def test_a_refund_after_the_payout_is_a_refund(tmp_path: Path, database_url: str) -> None:
    """What the provider paid out meanwhile changes nothing: it owes less, or is owed."""
    with house(tmp_path / "house", database_url, furnish=furnished()) as shop:
        shop.names((*NAMES, *MORE))
        shop.web("orders/create", ORDER)
        shop.web("fulfillments/create", shipment(1, 4711, {1: 3}))
        told(shop, "R-1", "received", "2026-06-04T10:00:00-04:00", [(1, 3, "restock")])
        back = {
            "id": 1, "line_item_id": 1, "quantity": 3, "subtotal": "165.00", "total_tax": "14.26",
            "restock_type": "no_restock", "location_id": None, "line_item": LINES[0],
        }  # fmt: skip
        late = refund(9, 4711, [back], "179.26", created_at="2026-06-05T09:00:00-04:00")
        shop.web("refunds/create", late)
        assert (shop.cases(), shop.balances()) == ([], {})
        assert not shop.drain().moving
        assert shop.lies() == []
