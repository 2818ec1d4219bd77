"""A business buyer orders on thirty days, gets goods in two parcels, and pays when he pays.

Each parcel is an invoice that he owes. A part comes back, a transfer that names an invoice comes
short, the next one settles the rest; the shop tells the same money again, and it counts once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.stories.shop import House, house, line, order, refund, shipment, tax
from tests.stories.test_payout_down_to_the_bank_line import statement
from tillbridge.app.closing import scope_of
from tillbridge.atoms.clock import FixedClock
from tillbridge.reconciliation.close.checks import blockers

BANK = """
[connection.house-bank]
connector = "camt"
entity = "us"
[connection.house-bank.settle]
tenders = ["bank-transfer"]
"""
FIRST, SECOND = "order/web/1001/invoice/1", "order/web/1001/invoice/2"
GOODS = line(1, quantity=5, tax_lines=[tax("4.00")])
KEPT = ("clearing/bank-transfer", "customer-deposits", "receivables", "bank/house-bank")


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    """A house that sells to businesses too and reads its bank's statements."""

    def furnish(folder: Path) -> None:
        settings = folder / "tillbridge.toml"
        settings.write_text(settings.read_text() + BANK)

    clock = FixedClock(datetime(2026, 4, 20, 12, tzinfo=UTC))
    with house(tmp_path / "shop", database_url, clock=clock, furnish=furnish) as found:
        yield found


def on_thirty_days(**fields: Any) -> dict[str, Any]:
    """Five of one product for 50.00 and 4.00 of tax, to be paid thirty days after each invoice."""
    full: dict[str, Any] = {
        "id": 1001,
        "name": "#1001",
        "financial_status": "pending",
        "payment_gateway_names": [],
        "customer": {"id": 78},
        "payment_terms": {"payment_terms_type": "net", "due_in_days": 30},
        **fields,
    }
    return order(GOODS, total="54.00", **full)


def owed(shop: House, *words: str) -> list[dict[str, Any]]:
    """What `invoices list` tells."""
    told = json.loads(shop.verb("--json", "invoices", "list", *words))
    return list(told["invoices"])


def kept(shop: House) -> dict[str, int]:
    """The accounts that money on account goes through."""
    balances = shop.balances()
    return {name: balances[name] for name in KEPT if name in balances}


def tied(shop: House, name: str) -> tuple[int, int]:
    """A line of `reconcile status`: the books, and the other side."""
    told = json.loads(shop.verb("--json", "reconcile", "status"))["tie_outs"]
    (found,) = [one for one in told if one["name"] == name]
    return found["books"], found["theirs"]


def one_comes_back(shop: House) -> None:
    """The shop credits one piece; no money moves, for none was paid."""
    back = {
        "id": 5,
        "line_item_id": 1,
        "line_item": GOODS,
        "quantity": 1,
        "subtotal": "10.00",
        "total_tax": "0.80",
        "restock_type": "return",
        "location_id": 5501,
    }
    told = refund(7, 1001, [back], "0.00", transactions=[])
    shop.web(
        "orders/updated", on_thirty_days(refunds=[told], updated_at="2026-03-05T10:00:00-05:00")
    )
    shop.drain()


def test_goods_on_account_are_owed_until_they_are_paid(shop: House) -> None:
    shop.web("orders/create", on_thirty_days())
    shop.drain()
    assert shop.documents()["order/web/1001/sales_order"] == "accepted", "before it is paid"
    assert kept(shop) == {}

    shop.web("fulfillments/create", shipment(1, 1001, {1: 3}))
    shop.web("fulfillments/create", shipment(2, 1001, {1: 2}))
    shop.drain()
    assert kept(shop) == {"receivables": 5400}
    papers = owed(shop, "--order", "1001")
    assert [(one["key"], one["total"], one["open"]) for one in papers] == [
        (FIRST, 3240, 3240),
        (SECOND, 2160, 2160),
    ]
    assert {one["state"] for one in papers} == {"accepted"}
    assert papers[0]["taxes"] == {"us-ny": 240}
    number = str(papers[0]["number"])
    assert number != "1001-1", "the ERP has numbers of its own"
    assert "open 32.40" in shop.verb("invoices", "show", number)
    assert tied(shop, "receivables") == (5400, 5400)

    one_comes_back(shop)
    assert kept(shop) == {"receivables": 4320}
    assert shop.documents()["order/web/1001/credit_note/1"] == "accepted"

    # short by 1.60, and it names the invoice
    first = ("20.00", "2026-04-10", f"SEPA CREDIT CANARY LTD INVOICE {number} THANK YOU")
    shop.file("house-bank", statement("S-1", "0.00", "20.00", [first]), "s1.xml")
    shop.settle()
    assert kept(shop) == {"receivables": 2320, "bank/house-bank": 2000}
    aged = json.loads(shop.verb("--json", "invoices", "list", "--open", "--as-of", "2026-04-20"))
    left = {one["key"]: one["open"] for one in aged["invoices"]}
    assert left == {FIRST: 160, SECOND: 2160}
    assert aged["sums"]["USD"]["1-30"] == 2320, "due on the second of April"
    before = json.loads(shop.verb("--json", "invoices", "list", "--open", "--as-of", "2026-04-02"))
    assert before["sums"]["USD"]["not due"] == 4320
    assert "invoice_overdue" in shop.cases()
    now = datetime.now(UTC)  # when cases are opened, whatever the day of the story
    found = blockers(shop.connection, scope_of(shop.hub, "us", f"{now:%Y-%m}", now))
    assert [one for one in found if "were due" in one.words] == [], "owed, and booked as owed"

    # the rest and 5.00 too much, by the order's number; then the shop marks it as paid
    rest = ("28.20", "2026-04-15", "ORDER #1001")
    shop.file("house-bank", statement("S-2", "20.00", "48.20", [rest]), "s2.xml")
    shop.settle()
    assert kept(shop) == {"customer-deposits": -500, "bank/house-bank": 4820}
    assert owed(shop, "--open") == []
    assert shop.settle().endswith("0 cases opened")
    assert "invoice_overdue" not in shop.cases()
    assert tied(shop, "receivables") == (0, 0)
    assert tied(shop, "bank/house-bank") == (4820, 4820)
    assert tied(shop, "clearing/bank-transfer") == (0, 0)

    story = shop.verb("story", "1001")
    for words in ("on account", "BankPaymentMatched", "open 0.00"):
        assert words in story
    assert shop.lies() == []


def test_the_same_money_told_by_the_shop_and_by_the_bank_counts_once(shop: House) -> None:
    shop.names([("web", "tender", "manual", "bank-transfer")])
    shop.web("orders/create", on_thirty_days())
    shop.web("fulfillments/create", shipment(1, 1001, {1: 5}))
    paid = on_thirty_days(
        financial_status="paid",
        payment_gateway_names=["manual"],
        updated_at="2026-04-09T10:00:00-05:00",
    )
    shop.web("orders/paid", paid)
    assert kept(shop) == {"clearing/bank-transfer": 5400}
    came = ("54.00", "2026-04-10", "INVOICE 1001-1")
    shop.file("house-bank", statement("S-1", "0.00", "54.00", [came]), "s1.xml")
    shop.settle()
    assert kept(shop) == {"bank/house-bank": 5400}
    assert shop.lies() == []


def test_one_transfer_pays_several_invoices_the_oldest_first(shop: House) -> None:
    shop.web("orders/create", on_thirty_days())
    shop.web("fulfillments/create", shipment(1, 1001, {1: 3}))
    shop.web("fulfillments/create", shipment(2, 1001, {1: 2}))
    shop.drain()
    numbers = {one["key"]: one["number"] for one in owed(shop)}
    text = f"INVOICES {numbers[SECOND]}, {numbers[FIRST]}"
    shop.file(
        "house-bank", statement("S-1", "0", "40.00", [("40.00", "2026-04-10", text)]), "s.xml"
    )
    shop.settle()
    shop.settle()
    assert {one["key"]: one["open"] for one in owed(shop)} == {FIRST: 0, SECOND: 1400}
    assert kept(shop) == {"receivables": 1400, "bank/house-bank": 4000}
    assert shop.lies() == []
