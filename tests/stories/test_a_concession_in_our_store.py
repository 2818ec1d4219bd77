"""A perfumer sells in our store, a franchisee sells our shoes in his: whose sale, whose money.

Perfume is rung at our till: no sale and no tax of ours, a quarter of the net is our commission, the
rest is the perfumer's. Shoes of the franchise store are our sale in full; he keeps his till, and
owes it less his commission. What comes back in pieces comes back to the cent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.shop import House, house
from tests.stories.till_files import goods, poslog, post_void, receipt, tender

POLICIES = """
[[partner]]
from = 2026-01-01
partner = "lumiere"
as = "agent"
commission = "0.25"
collects = "us"
location = "store-nyc"
department = "beauty"

[[partner]]
from = 2026-01-01
partner = "north"
as = "principal"
commission = "0.30"
collects = "partner"
location = "store-bos"
"""
LINK = (
    "<TransactionLink><RetailStoreID>12</RetailStoreID><WorkstationID>4</WorkstationID>"
    "<BusinessDayDate>2026-03-02</BusinessDayDate><SequenceNumber>{of}</SequenceNumber>"
    "</TransactionLink></Return>"
)


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    """A house with a concession in one store and a franchisee in another."""

    def furnish(folder: Path) -> None:
        (folder / "rules" / "policies.toml").write_text(POLICIES)

    with house(tmp_path / "shop", database_url, furnish=furnish) as found:
        found.names([("stores", "location", "15", "store-bos"),
                     ("stores", "department", "BEAUTY", "beauty")])  # fmt: skip
        yield found


def perfume(price: str, tax: str, *, back_of: int = 0) -> str:
    """A bottle; back_of: the receipt that it comes back of."""
    element = "Return" if back_of else "Sale"
    line = goods("A1", price, tax, element=element)
    level = '<MerchandiseHierarchy Level="Department">BEAUTY</MerchandiseHierarchy>'
    line = line.replace("<ExtendedAmount>", f"{level}<ExtendedAmount>", 1)
    return line.replace("</Return>", LINK.format(of=back_of)) if back_of else line


def shoes(price: str, tax: str) -> str:
    """A pair of ours."""
    return goods("A2", price, tax)


def statement(shop: House, partner: str) -> dict[str, dict[str, int]]:
    """A partner's month: how his accounts moved, and what against."""
    told = json.loads(
        shop.verb("--json", "partners", "statement", partner, "2026-03", "--entity", "us")
    )
    assert told["difference"] == 0
    against: dict[str, int] = {}
    for row in told["rows"]:
        against[row["account"]] = against.get(row["account"], 0) + row["amount"]
    return {
        "accounts": {one["account"]: one["opening"] + one["moved"] for one in told["balances"]},
        "against": {account: amount for account, amount in against.items() if amount},
    }


def test_a_partners_goods_in_our_store_are_his_sale(shop: House) -> None:
    both = [perfume("33.33", "2.67"), perfume("33.33", "2.67"), shoes("50.00", "4.00")]
    shop.file("stores", poslog(receipt(1, [*both, tender("126.00")], "126.00", "9.34")))
    assert shop.cases() == []
    assert shop.balances() == {
        "till/store-nyc/cash": 12_600,
        "sales/unassigned": -5_000,
        "sales-tax/us-ny": -400,
        "commission-income/lumiere": -1_667,
        "partner-payable/lumiere": -(7_200 - 1_667),
    }
    told = statement(shop, "lumiere")
    assert told["accounts"] == {"partner-payable/lumiere": -5_533}
    assert told["against"] == {
        "sales/beauty": 6_666,
        "sales-tax/us-ny": 534,
        "commission-income/lumiere": -1_667,
    }
    assert "SaleShared" in shop.verb("story", "sale/stores/12/4/2026-03-02/1")

    for number in (2, 3):  # one bottle after the other: 8.33 and then the rest, 8.34
        lines = [perfume("33.33", "2.67", back_of=1), tender("36.00", code="Refund")]
        shop.file("stores", poslog(receipt(number, lines, "-36.00", "-2.67")))
    assert shop.balances() == {
        "till/store-nyc/cash": 5_400,
        "sales/unassigned": -5_000,
        "sales-tax/us-ny": -400,
    }
    rung = receipt(4, [perfume("10.00", "0.80"), tender("10.80")], "10.80", "0.80")
    shop.file("stores", poslog(rung, post_void(5, 4)))
    assert "partner-payable/lumiere" not in shop.balances(), "voided, so nothing is due"
    assert shop.cases() == []
    assert shop.lies() == []
    shop.drain()
    assert shop.lies() == []


def test_a_franchisee_keeps_his_till_and_owes_it_less_his_commission(shop: House) -> None:
    lines = [shoes("100.00", "8.00"), tender("108.00")]
    sold = receipt(1, lines, "108.00", "8.00").replace(">12<", ">15<", 1)
    shop.file("stores", poslog(sold))
    assert shop.cases() == []
    assert shop.balances() == {
        "sales/unassigned": -10_000,
        "sales-tax/us-ny": -800,
        "partner-commissions/north": 3_000,
        "partner-receivable/north": 7_800,
    }
    assert statement(shop, "north")["accounts"] == {"partner-receivable/north": 7_800}
    assert shop.lies() == []
