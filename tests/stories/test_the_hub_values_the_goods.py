"""An ERP that knows no stock: the hub values what leaves and what comes back by a list of costs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.shop import NAMES, House, house, line, paid_order, refund, shipment, tax
from tests.stories.till_files import goods, poslog, post_void, receipt, tender
from tillbridge.app.worker import chores

COSTS = b"""item,cost,from
P1,12.00,2026-01-01
"""
MAPPING = """
kind = "cost"
identity = ["item", "from"]
[file]
format = "csv"
[row]
product = "item"
cost = "cost"
since = "from"
"""
CONNECTION = """
[connection.costs]
connector = "feed"
entity = "us"
channel = "stores"
timezone = "America/New_York"
settings = { mapping = "feeds/costs.toml" }
"""
POLICY = """
[[policy]]
channel = "web"
return_rates = { "*" = "10" }
return_reserve_days = 31
"""
NAMED = (*NAMES, ("costs", "product", "P1", "P1"), ("costs", "product", "P2", "P2"))
LINES = (
    line(1, quantity=2, price="30.00", tax_lines=[tax("4.80", 0.08)]),
    line(2, sku="SKU-2", quantity=1, price="20.00", tax_lines=[tax("1.60", 0.08)]),
)
ORDER = paid_order(1, LINES, "86.40")


def furnish(folder: Path) -> None:
    file = folder / "tillbridge.toml"
    text = file.read_text(encoding="utf-8")
    entity = 'name = "Tillbridge Outfitters Inc."\n'
    text = text.replace(entity, f'{entity}cost = "hub"\n', 1)
    file.write_text(text + CONNECTION, encoding="utf-8")
    (folder / "feeds" / "costs.toml").write_text(MAPPING, encoding="utf-8")
    (folder / "rules" / "policies.toml").write_text(POLICY, encoding="utf-8")


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url, furnish=furnish) as found:
        found.names(NAMED)
        yield found


def value(shop: House) -> str:
    """What the schedule does every minute, and what follows from it."""
    told = chores(shop.hub)["costs"](shop.connection, shop.hub.clock.now())
    shop.connection.commit()
    shop.flow()
    return told


def goods_books(shop: House) -> dict[str, int]:
    """Balances of what goods are worth."""
    heads = ("inventory", "cost-of", "damaged", "shrinkage", "stock-", "opening", "goods-", "cost-")
    return {name: amount for name, amount in shop.balances().items() if name.startswith(heads)}


def test_what_leaves_costs_and_what_comes_back_does_not(shop: House) -> None:
    shop.file("costs", COSTS, "costs.csv")
    shop.web("orders/create", ORDER)
    shop.web("fulfillments/create", shipment(1, 1, {1: 2, 2: 1}))
    value(shop)
    # nobody told what P2 costs: neither what stood there nor what left has a worth
    assert sorted(shop.cases()) == ["cost_missing"]
    assert goods_books(shop) == {
        "inventory/wh-east": 18 * 1200,
        "inventory/store-nyc": 5 * 1200,
        "opening-stock": -25 * 1200,
        "cost-of-goods/unassigned": 2 * 1200,
    }
    words = shop.verb(
        *("costs", "set", "P2", "--entity", "us", "--cost", "5.50", "--since", "2026-01-01"),
        *("--reason", "as invoiced"),
    )
    assert words.startswith("P2 costs us 5.50 USD from 2026-01-01 on")
    value(shop)
    assert shop.cases() == []
    books = goods_books(shop)
    assert books["cost-of-goods/unassigned"] == 2 * 1200 + 550
    assert books["inventory/wh-east"] == 18 * 1200 + 9 * 550
    margin = json.loads(
        shop.verb("--json", "ledger", "margin", "--since", "2026-01-01", "--through", "2026-12-31")
    )
    web = [row for row in margin["margins"] if row["channel"] == "web"]
    assert [(row["sales"], row["cost"], row["margin"]) for row in web] == [
        ("80.00", "-29.50", "50.50")
    ]
    # one pair comes back: its cost goes with its sale
    back = [
        {"id": 1, "line_item_id": 1, "quantity": 2, "subtotal": "60.00", "total_tax": "4.80",
         "restock_type": "return", "location_id": 5501, "line_item": LINES[0]}
    ]  # fmt: skip
    shop.web("refunds/create", refund(7, 1, back, "64.80"))
    value(shop)
    assert goods_books(shop)["cost-of-goods/unassigned"] == 550
    assert shop.stock("P1") == (20, 0)
    assert goods_books(shop)["inventory/wh-east"] == 20 * 1200 + 9 * 550
    assert value(shop).startswith("0 costs and 0 movements read, 0 facts")
    # the ERP books sales by its documents, and is told what goods cost in journals
    assert not shop.drain().moving
    erp = shop.erp_balances()
    assert {name: erp.get(name, 0) for name in goods_books(shop)} == goods_books(shop)
    assert shop.lies() == []


def test_a_store_day_with_a_void_a_damage_and_a_count(shop: House) -> None:
    shop.file("costs", COSTS + b"P2,5.50,2026-01-01\n", "costs.csv")
    sale = receipt(1, [goods("A1", "20.00", "1.60"), tender("21.60")], "21.60", "1.60")
    other = receipt(2, [goods("A2", "10.00", "0.80"), tender("10.80")], "10.80", "0.80")
    shop.file("stores", poslog(sale, other), "morning.xml")
    value(shop)
    assert goods_books(shop)["cost-of-goods/unassigned"] == 1200 + 550
    shop.file("stores", poslog(sale, other, post_void(3, 2)), "evening.xml")
    shop.verb(
        *("stock", "move", "P1", "1", "store-nyc", "store-nyc:damaged"),
        *("--reason", "fell"),
    )
    shop.flow()
    counted = b"product,location,quantity,counted\nP2,store-nyc,4,2026-03-20T20:00:00Z\n"
    shop.file("feed", counted, "count.csv")
    value(shop)
    assert shop.cases() == []
    assert goods_books(shop) == {
        "inventory/wh-east": 20 * 1200 + 10 * 550,
        "inventory/store-nyc": 3 * 1200 + 4 * 550,
        "opening-stock": -25 * 1200 - 15 * 550,
        "cost-of-goods/unassigned": 1200,
        "damaged-goods": 1200,
        "shrinkage/store-nyc": 550,
    }
    told = json.loads(shop.verb("--json", "costs", "show"))
    stands = {(row["product"], row["location"]): row["worth"] for row in told["worth"]}
    assert stands["P1", "store-nyc"] == 3600
    assert shop.lies(quiesced=False) == []


def test_a_corrected_cost_and_a_new_one_leave_the_shelf_at_the_list(shop: House) -> None:
    shop.file("costs", COSTS + b"P2,5.50,2026-01-01\n", "costs.csv")
    shop.web("orders/create", ORDER)
    shop.web("fulfillments/create", shipment(1, 1, {1: 2, 2: 1}))
    value(shop)
    # what was told wrong is corrected from its day on, as if it had been told so from the start
    shop.verb(
        *("costs", "set", "P1", "--entity", "us", "--cost", "13", "--since", "2026-01-01"),
        *("--reason", "typed wrong"),
    )
    value(shop)
    books = goods_books(shop)
    assert books["cost-of-goods/unassigned"] == 2 * 1300 + 550
    assert books["opening-stock"] == -25 * 1300 - 15 * 550
    # from March on it costs more: what stood there is worth more, what leaves costs more
    shop.verb(
        *("costs", "set", "P1", "--entity", "us", "--cost", "15", "--since", "2026-03-01"),
        *("--reason", "new year's price"),
    )
    value(shop)
    books = goods_books(shop)
    assert books["inventory/wh-east"] == 18 * 1500 + 9 * 550
    assert books["cost-of-goods/unassigned"] == 2 * 1500 + 550
    assert books["cost-variance"] == -25 * 200
    assert shop.lies(quiesced=False) == []


def test_at_the_end_of_the_month_a_tenth_is_expected_back(shop: House) -> None:
    shop.file("costs", COSTS + b"P2,5.50,2026-01-01\n", "costs.csv")
    shop.web("orders/create", ORDER)
    shop.web("fulfillments/create", shipment(1, 1, {1: 2, 2: 1}))
    value(shop)
    shop.verb("ledger", "reserve", "us", "2026-03")
    shop.flow()
    reserved = {
        "returns-expected/unassigned": 800,
        "refund-liability": -800,
        "right-of-return": 295,
        "cost-of-returns/unassigned": -295,
    }
    books = shop.balances()
    assert {name: books[name] for name in reserved} == reserved
    assert "no news" in shop.verb("ledger", "reserve", "us", "2026-03")
    margin = json.loads(
        shop.verb("--json", "ledger", "margin", "--since", "2026-03-01", "--through", "2026-03-31")
    )
    (web,) = (row for row in margin["margins"] if row["channel"] == "web")
    assert (web["sales"], web["cost"], web["margin"]) == ("72.00", "-26.55", "45.45")
    assert "* 10 %" in shop.verb("policies", "show")
    assert "* 10 %" in shop.verb("policies", "show", "1")
    told = shop.verb("story", "1")
    assert "CostMoved -29.50 USD in the inventory" in told
    assert "cost-of-goods/unassigned" in told
    # a month later nothing of it can come back any more
    shop.verb("ledger", "reserve", "us", "2026-04")
    shop.flow()
    assert not reserved.keys() & shop.balances().keys()
    assert not shop.drain().moving
    assert {name: shop.erp_balances().get(name, 0) for name in reserved} == dict.fromkeys(
        reserved, 0
    )
    assert shop.lies() == []
