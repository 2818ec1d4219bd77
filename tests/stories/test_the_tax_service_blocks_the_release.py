"""A custom channel hands in an order without tax while the tax service is away: the goods are held,
nothing goes to the ERP, everybody can see why, and it goes out by itself when the service is back.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stories.taxes import NAMES, TaxHouse, tax_house

KEY = "order/callcentre/CC-7"
ORDER: dict[str, Any] = {
    "number": "CC-7",
    "placed_at": "2026-03-02T15:00:00Z",
    "currency": "USD",
    "total": "65.00",
    "tax": "missing",
    "ship_to": {"country": "US", "region": "NY", "postcode": "12207", "city": "Albany"},
    "customer": {"id": "c-1", "name": "Canaria Featherstone"},
    "lines": [
        {"line": "1", "product": "P1", "quantity": "2", "list": "60.00"},
        {"line": "2", "kind": "shipping", "quantity": "1", "list": "5.00"},
    ],
}
PAID = {**ORDER, "updated_at": "2026-03-02T16:00:00Z", "paid": "70.20", "tender": "card"}


@pytest.fixture
def there(tmp_path: Path, database_url: str) -> Iterator[TaxHouse]:
    with tax_house(tmp_path / "house", database_url) as found:
        yield found


@pytest.fixture
def nameless(tmp_path: Path, database_url: str) -> Iterator[TaxHouse]:
    with tax_house(tmp_path / "house", database_url, names=NAMES[:1]) as found:
        yield found


def test_an_order_without_tax_waits_for_the_tax_service_and_goes_out_by_itself(
    there: TaxHouse,
) -> None:
    shop = there.shop
    there.avatax.stop()
    there.call(ORDER, "first")
    shop.drain(2.0)
    assert there.status(KEY) == ("untaxed", 6500)
    assert shop.stock("P1") == (20, 2)  # held: nobody else can buy it meanwhile
    assert shop.erp.store.counts() == {}
    assert there.papers() == {f"tax/{KEY}/order": "asked"}
    assert "CC-7" in shop.verb("taxes", "list")
    there.call(PAID, "paid meanwhile")
    assert there.status(KEY)[0] == "untaxed"
    assert shop.balances() == {"clearing/card": 7020, "customer-deposits": -7020}
    assert shop.cases() == []

    there.back()
    assert not shop.drain().moving
    assert shop.stock("P1") == (20, 2)
    assert shop.balances() == {"clearing/card": 7020, "customer-deposits": -7020}
    assert there.status(KEY) == ("paid", 7020)  # 65.00 and twice 4 % of it
    assert shop.erp.store.counts() == {"sales_order": 1}
    assert there.avatax.committed() == {}  # nothing is sold yet, so nothing is owed
    story = shop.verb("story", "CC-7")
    assert "TaxCalculated order: 5.20 USD" in story
    assert shop.lies() == []


def test_what_the_tax_service_refuses_is_a_case_of_finance_that_names_the_line(
    nameless: TaxHouse,
) -> None:
    there = nameless
    shop = there.shop
    there.call(PAID, "first")
    shop.drain(2.0)
    ((case, reason, owner, words, remedy),) = shop.rows(
        "select id, reason, owner, words, remedy from exception_case where state = 'open'"
    )
    assert (reason, owner) == ("tax_calculation_failed", "finance")
    assert "line 1: tax 'NY COUNTY TAX' (ALBANY) has no name of ours" in words
    assert remedy.startswith("tillbridge xref set avatax tax 'NY COUNTY TAX' OUR-NAME")
    assert there.status(KEY)[0] == "untaxed"
    assert shop.erp.store.counts() == {}
    shop.verb("xref", "set", "avatax", "tax", "NY COUNTY TAX", "us-ny-albany")
    shop.verb("cases", "replay", str(case), "--yes")
    assert not shop.drain().moving
    assert there.status(KEY) == ("paid", 7020)
    assert shop.erp.store.counts() == {"sales_order": 1}
    assert shop.cases() == []
    assert shop.lies() == []
