"""A web order served from the warehouse and a store, one piece of it back in the other place.

What stands in the ERP: the order, each place's delivery before its invoice, the customer's return,
each under a number of its own, once and in order; its stock is the hub's, place by place.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.connectors.tryton.live import Live, running_erp
from tests.stories.shop import House, house, line, paid_order, refund, shipment, tax
from tillbridge.app.ledger_ties import tie_month
from tillbridge.reconciliation.ledger.tie import Loose, TieOut

KEY = "order/web/4711"
NAMES = (("web", "location", "5502", "store-nyc"),)
COUNTED = (
    b"product,location,quantity,counted\n"
    b"P2,wh-east,0,2026-03-01T01:00:00Z\nP1,store-nyc,0,2026-03-01T01:00:00Z\n"
)
LINES = (
    line(1, quantity=2, price="30.00", tax_lines=[tax("4.80", 0.08)]),
    line(2, quantity=2, price="20.00", tax_lines=[tax("3.20", 0.08)]),
)
ORDER = paid_order(4711, LINES, "108.00")
PAPERS = ["sales_order", "delivery", "invoice", "delivery", "invoice"]


def split(folder: Path) -> None:
    """The shop ships from two places, and the ERP keeps its stock by deliveries."""
    file = folder / "tillbridge.toml"
    text = file.read_text()
    text = text.replace('erp = "erp"\n', 'erp = "erp"\ntells_goods = true\n', 1)
    wanted = 'fulfil_from = ["wh-east", "store-nyc"]\nsplit_most = 2\n'
    file.write_text(text.replace('fulfil_from = ["wh-east"]\n', wanted, 1))


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url, furnish=split) as found:
        furnished(found)
        yield found


def furnished(found: House) -> None:
    found.names(NAMES)
    found.file("feed", COUNTED, "one-each.csv")


def bought_and_sent(shop: House) -> None:
    """Paid; the warehouse sends its part, then the store."""
    shop.web("orders/create", ORDER)
    assert shop.cases() == []
    assert (shop.stock("P1"), shop.stock("P2", "store-nyc")) == ((20, 2), (5, 2))
    shop.web("fulfillments/create", shipment(1, 4711, {1: 2}))
    shop.web("fulfillments/create", shipment(2, 4711, {2: 2}, location_id=5502))
    assert (shop.stock("P1"), shop.stock("P2", "store-nyc")) == ((18, 0), (3, 0))


def brought_back(shop: House) -> None:
    """One piece the store had sent comes back to the warehouse."""
    back = {"id": 5, "line_item_id": 2, "quantity": 1, "subtotal": "20.00", "total_tax": "1.60"}
    back |= {"restock_type": "return", "location_id": 5501, "line_item": LINES[1]}
    shop.web("refunds/create", refund(3, 4711, [back], "21.60"))


def in_the_erp(shop: House) -> list[dict[str, Any]]:
    """Bodies as the sandbox ERP got them, in its order."""
    return [
        {"number": one.number, **msgspec.json.decode(shop.erp.store.body(one.number))}
        for one in shop.erp.store.page(0, 100)
    ]


def test_each_place_delivers_its_part_and_the_return_goes_where_it_went(shop: House) -> None:
    shop.erp.store.set_stock(
        [("wh-east", "P1", 20_000), ("wh-east", "P2", 0), ("store-nyc", "P2", 5_000)]
    )
    bought_and_sent(shop)
    brought_back(shop)
    assert not shop.drain().moving
    papers = in_the_erp(shop)
    assert [one["kind"] for one in papers] == [*PAPERS, "customer_return", "credit_note"]
    goods = [
        (one["number"], one["location"], one["lines"][0]["product"], one["lines"][0]["quantity"])
        for one in papers
        if one["kind"] in ("delivery", "customer_return")
    ]
    assert goods == [
        ("DEL-000001", "wh-east", "P1", "2"),
        ("DEL-000002", "store-nyc", "P2", "2"),
        ("RET-000001", "wh-east", "P2", "1"),
    ]
    assert shop.erp.store.duplicates() == {}
    for place in ("wh-east", "store-nyc"):
        for product, quantity in dict(shop.erp.store.stock(place, "", 9)).items():
            assert quantity == shop.stock(product, place)[0] * 1000
    numbers = dict(shop.rows("select op, number from document"))
    assert numbers[f"{KEY}/delivery/2"] == "DEL-000002"
    assert shop.balances()["clearing/shop-pay"] == 10800 - 2160
    assert shop.lies() == []


def test_the_order_is_cancelled_at_the_erp_when_nothing_of_it_left(shop: House) -> None:
    shop.web("orders/create", ORDER)
    assert not shop.drain().moving
    gone = {
        **ORDER,
        "cancelled_at": "2026-03-02T22:20:00-05:00",
        "updated_at": "2026-03-02T22:20:00-05:00",
    }
    shop.web("orders/cancelled", gone)
    shop.web("orders/cancelled", gone, "told again")
    assert shop.stock("P1") == (20, 0)
    assert not shop.drain().moving
    assert [one["kind"] for one in in_the_erp(shop)] == ["sales_order", "sales_order_cancel"]
    assert shop.lies() == []


def test_what_the_erp_did_and_could_not_say_is_looked_up_and_not_done_again(shop: House) -> None:
    shop.fault("lost", count=3, skip=1)  # each paper is taken, no answer comes
    bought_and_sent(shop)
    shop.drain()
    while shop.drain(2.0).moving:
        continue
    assert [one["kind"] for one in in_the_erp(shop)] == PAPERS
    assert shop.erp.store.duplicates() == {}
    assert shop.lies() == []


def _sales(tied: TieOut) -> int:
    """What the ERP's account of sales holds, of whatever orders."""
    return {one.account: one.erp for one in tied.accounts}.get("sales", 0)


def _loose(tied: TieOut) -> list[Loose]:
    """Documents of this order that do not agree; the same Tryton keeps those of others too."""
    assert tied.accounts
    return [one for one in tied.loose if KEY in (one.key, one.operation.rsplit("/", 2)[0])]


@pytest.mark.timeout(900)  # the first run on a machine installs Tryton and fills its database
def test_the_same_with_a_real_tryton(tmp_path: Path, database_url: str) -> None:
    with running_erp() as erp:

        def furnish(folder: Path) -> None:
            split(folder)
            (folder / "secrets" / "tryton").write_text(erp.password)
            file = folder / "tillbridge.toml"
            sandbox = 'connector = "sandbox"\nentity = "us"\n'
            secret = 'secrets.password = { file = "secrets/tryton" }\n'
            there = sandbox.replace("sandbox", "tryton") + secret
            text = file.read_text().replace(sandbox, there, 1)
            file.write_text(text.replace('settings = { url = "auto" }\n', ""))

        reach = {"url": erp.url, "database": erp.database, "user": erp.user}
        live = Live(erp)
        with house(tmp_path / "house", database_url, furnish=furnish, reach={"erp": reach}) as shop:
            shop.names(
                [
                    ("erp", "product", "sku-1", "P1"),
                    ("erp", "product", "sku-2", "P2"),
                    ("erp", "location", "wh-1", "wh-east"),
                    ("erp", "location", "store-1", "store-nyc"),
                ]
            )
            furnished(shop)
            before = _quantities(live)
            others = _sales(tie_month(shop.hub, shop.connection, "us", "2026-03"))
            bought_and_sent(shop)
            brought_back(shop)
            assert not shop.drain(120.0).moving
            assert shop.cases() == []
            _is_in_tryton(live, before)
            tied = tie_month(shop.hub, shop.connection, "us", "2026-03")
            assert _loose(tied) == []
            assert _sales(tied) - others == -8000
            shop.connection.rollback()
            assert shop.lies() == []


def _is_in_tryton(live: Live, before: dict[tuple[str, str], Decimal]) -> None:
    fields = ("reference", "state", "number")
    out = live.read("stock.shipment.out", [["reference", "like", f"{KEY}/%"]], *fields)
    back = live.read("stock.shipment.out.return", [["reference", "like", f"{KEY}/%"]], *fields)
    assert sorted((one["reference"], one["state"]) for one in [*out, *back]) == [
        (f"{KEY}/customer_return/1", "done"),
        (f"{KEY}/delivery/1", "done"),
        (f"{KEY}/delivery/2", "done"),
    ]
    assert all(one["number"] for one in [*out, *back])
    (sale,) = live.read(
        "sale.sale", [["web_id", "=", f"{KEY}/sales_order"]], "shipment_state", "invoice_state"
    )
    assert sale["shipment_state"] == "sent"
    invoices = live.read(
        "account.invoice", [["reference", "like", f"{KEY}/%"]], "state", "total_amount"
    )
    assert {one["state"] for one in invoices} == {"posted"}
    assert sum(one["total_amount"] for one in invoices) == Decimal("86.40")
    now = _quantities(live)
    moved = {place: now[place] - before[place] for place in now if now[place] != before[place]}
    assert moved == {
        ("wh-1", "sku-1"): Decimal(-2000),
        ("wh-1", "sku-2"): Decimal(1000),
        ("store-1", "sku-2"): Decimal(-2000),
    }


def _quantities(live: Live) -> dict[tuple[str, str], Decimal]:
    """Thousandths by warehouse and product."""
    found: dict[tuple[str, str], Decimal] = {}
    for place in ("wh-1", "store-1"):
        page = live.connector.stock(place, "", live.connection, live.secrets, live.transport)
        for held in page.held:
            found[place, held.products[0]] = Decimal(held.quantity)
    return found
