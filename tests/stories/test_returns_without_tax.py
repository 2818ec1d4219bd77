"""Returns that name no tax: the goods come back at once, the tax service works the tax out, every
full refund is committed there, and whatever is told twice counts once.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.stories.shop import line, paid_order, refund, shipment, tax
from tests.stories.taxes import TaxHouse, tax_house
from tillbridge.connectors.sandbox.erp_faults import Fault

KEY = "order/web/4711"
LINES = (
    line(1, quantity=2, price="33.33", tax_lines=[tax("5.33", 0.08)]),
    line(2, quantity=1, price="20.00", tax_lines=[tax("1.60", 0.08)]),
)
ORDER = paid_order(4711, LINES, "93.59")
SOLD = {
    "clearing/shop-pay": 9359,
    "sales/unassigned": -(6666 + 2000),
    "sales-tax/us-ny": -(533 + 160),
}


def returned(item: int, pieces: int, subtotal: str, **words: Any) -> dict[str, Any]:
    """A line of a refund that a returns program made: it names no tax."""
    back = {"id": item, "line_item_id": item, "quantity": pieces, "subtotal": subtotal}
    return {**back, "restock_type": "return", "location_id": 5501,
            "line_item": LINES[item - 1], **words}  # fmt: skip


def sold(there: TaxHouse) -> None:
    shop = there.shop
    shop.web("orders/create", ORDER)
    shop.web("fulfillments/create", shipment(1, 4711, {1: 2, 2: 1}))
    assert not shop.drain().moving
    assert shop.balances() == SOLD


@pytest.fixture
def there(tmp_path: Path, database_url: str) -> Iterator[TaxHouse]:
    with tax_house(tmp_path / "house", database_url) as found:
        yield found


@pytest.fixture
def hurried(tmp_path: Path, database_url: str) -> Iterator[TaxHouse]:
    with tax_house(tmp_path / "house", database_url, tax_needed='"as_sold"') as found:
        yield found


WHOLE = refund(3, 4711, [returned(1, 2, "66.66"), returned(2, 1, "20.00")], "93.59")


def test_the_sale_is_committed_with_the_tax_that_was_charged(there: TaxHouse) -> None:
    sold(there)
    assert there.avatax.committed() == {f"tax/{KEY}/sale-1": Decimal("6.93")}
    assert there.papers() == {f"tax/{KEY}/sale-1": "committed"}
    assert there.shop.lies() == []


def test_a_full_refund_waits_for_its_tax_and_is_committed_once(there: TaxHouse) -> None:
    sold(there)
    shop = there.shop
    there.avatax.stop()
    shop.web("refunds/create", WHOLE)
    shop.web("refunds/create", WHOLE, "saved again by a queue")
    shop.drain(2.0)
    assert shop.stock("P1") == (20, 0)  # the goods are back
    assert shop.stock("P2") == (10, 0)
    assert shop.balances() == {  # and the money is out; only the reversal waits for its tax
        "customer-deposits": 9359,
        "sales/unassigned": SOLD["sales/unassigned"],
        "sales-tax/us-ny": SOLD["sales-tax/us-ny"],
    }
    assert f"tax/{KEY}/refund-3" in shop.verb("taxes", "list", "--returns")

    there.back()
    there.avatax.faults.add(Fault(do="lost", skip=1))  # the commit is applied, its answer is lost
    shop.web("refunds/create", WHOLE, "saved once more")
    assert not shop.drain().moving
    assert shop.balances() == {}
    assert there.papers()[f"tax/{KEY}/refund-3"] == "committed"
    assert there.avatax.committed("ReturnInvoice") == {f"tax/{KEY}/refund-3": Decimal("-6.93")}
    assert sum(there.avatax.committed().values()) == 0
    assert shop.erp.store.counts() == {"sales_order": 1, "invoice": 1, "credit_note": 1}
    assert set(shop.erp_balances().values()) <= {0}
    assert shop.cases() == []
    assert shop.lies() == []


def test_returns_that_failed_tax_recalculation_are_a_list(there: TaxHouse) -> None:
    sold(there)
    shop = there.shop
    assert "none" in shop.verb("returns", "tax-failed")
    there.avatax.faults.add(Fault(do="refuse", words="Jurisdiction is not available"))
    shop.web("refunds/create", WHOLE)
    shop.drain(2.0)
    ((case, owner, amount),) = shop.rows(
        "select id, owner, amount from exception_case where reason = 'tax_recalculation_failed'"
    )
    assert (owner, amount) == ("finance", 8666)
    told = shop.verb("returns", "tax-failed")
    assert "#4711" in told
    assert "refund-3" in told
    assert "Jurisdiction is not available" in told
    assert f"tillbridge cases replay {case}" in told
    assert shop.stock("P1") == (20, 0)
    assert shop.erp.store.counts() == {"sales_order": 1, "invoice": 1}

    shop.verb("cases", "replay", str(case), "--yes")
    assert not shop.drain().moving
    assert "none" in shop.verb("returns", "tax-failed")
    assert shop.cases() == []
    assert shop.balances() == {}
    assert sum(there.avatax.committed().values()) == 0
    assert shop.lies() == []


def test_as_sold_books_at_once_and_the_difference_when_the_answer_comes(hurried: TaxHouse) -> None:
    there = hurried
    sold(there)
    shop = there.shop
    there.avatax.stop()
    half = refund(3, 4711, [returned(1, 1, "33.33")], "36.00")
    shop.web("refunds/create", half)
    shop.drain(2.0)
    # its part of the tax of the sale: 5.33 of two pieces is 2.66 for the first one
    assert shop.balances() == {
        "clearing/shop-pay": 9359 - 3600,
        "sales/unassigned": -(3333 + 2000),
        "sales-tax/us-ny": -(533 + 160 - 266),
        "customer-deposits": 1,
    }
    there.back()
    assert not shop.drain().moving
    # the service says 1.33 and 1.33 of 33.33: the same to the cent, and nothing more is booked
    assert shop.balances()["sales-tax/us-ny"] == -(533 + 160 - 266)
    assert there.avatax.committed("ReturnInvoice") == {f"tax/{KEY}/refund-3": Decimal("-2.66")}
    assert shop.lies() == []


def test_a_partial_refund_and_then_the_rest_are_two_committed_returns(there: TaxHouse) -> None:
    sold(there)
    shop = there.shop
    shop.web(
        "refunds/create", refund(3, 4711, [returned(1, 1, "33.33", total_tax="2.67")], "36.00")
    )
    rest = [
        returned(1, 1, "33.33", total_tax="2.66"),
        returned(2, 1, "20.00", total_tax="1.60"),
    ]
    shop.web("refunds/create", refund(4, 4711, rest, "57.59"))
    assert not shop.drain().moving
    assert shop.balances() == {}
    assert there.avatax.committed("ReturnInvoice") == {
        f"tax/{KEY}/refund-3": Decimal("-2.67"),  # as the channel gave it back, not worked out
        f"tax/{KEY}/refund-4": Decimal("-4.26"),
    }
    assert sum(there.avatax.committed().values()) == 0
    assert shop.lies() == []
