"""What follows a sales order on a real Tryton: changes, cancellation, goods out and back, moves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.connectors.tryton.live import (
    Live,
    cancel,
    change,
    charge,
    document_line,
    fresh,
    goods,
    order_line,
    sale,
    stock_move,
)
from tillbridge.app.erp.beside import Erp
from tillbridge.canonical.catalogue import PartyDetails

pytestmark = pytest.mark.timeout(900)


def held(live: Live, order: str) -> dict[str, tuple[Decimal, Decimal]]:
    """Quantity and amount per line of an order, over the sale and those that changed it."""
    (first,) = live.read("sale.sale", [["web_id", "=", order]], "id")
    domain = ["OR", ["sale", "=", first["id"]], ["sale.origin", "=", f"sale.sale,{first['id']}"]]
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for row in live.read("sale.line", domain, "note", "quantity", "amount"):
        line = row["note"].removesuffix("/rounding")
        quantity, amount = sums.get(line, (Decimal(0), Decimal(0)))
        more = Decimal(0) if line != row["note"] else Decimal(row["quantity"])
        sums[line] = (quantity + more, amount + row["amount"])
    return {line: both for line, both in sums.items() if any(both)}


def on_hand(live: Live, place: str, product: str) -> Decimal:
    """What Tryton says is in a warehouse."""
    page = live.connector.stock(place, "", live.connection, live.secrets, live.transport)
    return Decimal(next((one.quantity for one in page.held if product in one.products), 0))


def shipments(live: Live, kind: str, operation: str) -> list[dict[str, Any]]:
    return live.read(f"stock.shipment.{kind}", [["reference", "=", operation]], "number", "state")


def test_a_changed_order_is_what_it_should_be_over_all_its_sales(live: Live) -> None:
    order = sale(order_line("1", 1000, quantity=3000), order_line("2", 500))
    first = change(order.id, order_line("1", 667, quantity=2000), order_line("3", 250))
    second = change(order.id, order_line("1", 1000, quantity=3000), order_line("3", 250))
    _, one = live.deliver(order, first)
    assert one.outcome == "accepted", one.words
    want = {"1": (Decimal(2), Decimal("6.67")), "3": (Decimal(1), Decimal("2.50"))}
    assert held(live, order.id) == want
    two, again = live.deliver(second)[0], live.deliver(first)[0]
    assert (two.outcome, again.remote_id) == ("accepted", one.remote_id), two.words
    want["1"] = (Decimal(3), Decimal("10.00"))
    assert held(live, order.id) == want
    (row,) = live.read("sale.sale", [["web_id", "=", second.id]], "state", "reference", "number")
    assert (row["state"], row["reference"], row["number"]) == ("processing", "#1001", two.number)


def test_a_cancelled_order_leaves_nothing_open(live: Live) -> None:
    order = sale(order_line("1", 1000, quantity=3000), order_line("s", 490, kind="shipping"))
    paper = cancel(order.id)
    _, receipt = live.deliver(order, paper)
    assert receipt.outcome == "accepted", receipt.words
    assert receipt.number
    assert held(live, order.id) == {}
    (again,) = live.deliver(cancel(order.id))  # nothing is left to be taken back
    assert again.outcome == "accepted", again.words
    assert held(live, order.id) == {}


def test_a_change_waits_for_its_order(live: Live) -> None:
    (receipt,) = live.deliver(change("sale/never", order_line("1", 100)))
    assert (receipt.outcome, receipt.after_seconds) == ("retry", 60.0)


def test_a_new_address_is_written_where_the_next_papers_go(live: Live) -> None:
    party = fresh("p").replace("/", "-")
    order = sale(party=party)
    before = PartyDetails(party, name="Ada B.", street="1 Main", city="Albany")
    live.deliver(order, parties={party: before})
    assert order.sales_order is not None
    after = msgspec.structs.replace(before, street="2 Side", city="Troy")
    paper = change(order.id, *order.sales_order.lines, party=party)
    (receipt,) = live.deliver(paper, parties={party: after})
    assert receipt.outcome == "accepted", receipt.words
    assert receipt.remote_id.endswith(paper.id)
    (row,) = live.read("party.party", [["code", "=", party]], "addresses.city")
    assert [one["city"] for one in row["addresses."]] == ["Troy"]


def test_goods_leave_each_place_and_come_back_under_numbers_of_their_own(live: Live) -> None:
    order = sale(order_line("1", 2997, quantity=3000))
    before = on_hand(live, "store-1", "sku-1"), on_hand(live, "wh-1", "sku-1")
    out = goods("delivery", order.id, "store-1", l1=2)
    rest = goods("delivery", order.id, l1=1)
    back = goods("customer_return", order.id, l1=1)
    bill = charge("invoice", order.id, document_line("1", 1998, quantity=2000))
    receipts = live.deliver(order, out, rest, back, bill)
    assert [one.outcome for one in receipts] == ["accepted"] * 5, receipts
    for kind, paper, receipt in (
        ("out", out, receipts[1]),
        ("out", rest, receipts[2]),
        ("out.return", back, receipts[3]),
    ):
        (row,) = shipments(live, kind, paper.id)
        assert (row["state"], row["number"]) == ("done", receipt.number)
    live.deliver(out, back)
    now = on_hand(live, "store-1", "sku-1"), on_hand(live, "wh-1", "sku-1")
    assert (now[0] - before[0], now[1] - before[1]) == (Decimal(-2000), Decimal(0))
    (row,) = live.read("sale.sale", [["web_id", "=", order.id]], "shipment_state")
    assert row["shipment_state"] == "sent"


def test_an_invoice_whose_goods_are_told_apart_moves_none(erp: Erp) -> None:
    live = Live(erp, ship_with_invoice=True)
    order = sale(order_line("1", 999))
    bill = charge("invoice", order.id, document_line("1", 999), moves_goods=False)
    _, receipt = live.deliver(order, bill)
    assert receipt.outcome == "accepted", receipt.words
    assert shipments(live, "out", f"{bill.id}/goods") == []


def test_goods_move_inside_the_house_over_the_way_and_out_of_it(live: Live) -> None:
    before = on_hand(live, "wh-1", "sku-2"), on_hand(live, "store-1", "sku-2")
    sent, come = stock_move("wh-1", "in_transit", 5), stock_move("in_transit", "store-1", 4)
    lost, nowhere = stock_move("store-1", "", 1), stock_move("wh-9", "store-1", 1)
    receipts = live.deliver(sent, come, lost, nowhere)
    assert [one.outcome for one in receipts] == ["accepted"] * 3 + ["refused"], receipts
    assert "wh-9" in receipts[3].words
    live.deliver(sent)
    now = on_hand(live, "wh-1", "sku-2"), on_hand(live, "store-1", "sku-2")
    assert (now[0] - before[0], now[1] - before[1]) == (Decimal(-5000), Decimal(3000))
