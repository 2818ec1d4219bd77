"""The shop edits an order by cancelling it and making another: one wish, one stock, one payment."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest

from tests.stories.click_and_collect import bag, furnish, names, ordered, status
from tests.stories.shop import House, house
from tillbridge.app.replay.whole_log import replay_log

OLD, NEW = "order/app/C-1", "order/app/C-1-1"
TWENTY = [("1", "P1", 20, "400.00")]
EDITED = [("1", "P1", 19, "380.00"), ("2", "P2", 2, "50.00")]
WAREHOUSE = {"collect": ""}


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url, furnish=furnish) as found:
        names(found)
        yield found


def cancel(shop: House) -> None:
    at = "2026-03-03T09:00:01-05:00"
    ordered(shop, "C-1", TWENTY, changed=at, cancelled=at, **WAREHOUSE)


def make_anew(shop: House) -> None:
    at = "2026-03-03T09:00:00-05:00"
    ordered(shop, "C-1-1", EDITED, placed=at, changed=at, replaces="C-1", **WAREHOUSE)


def held(shop: House) -> list[tuple[str, str, int]]:
    return shop.rows("select key, product, quantity / 1000 from reservation order by 1, 2")


def test_the_new_order_has_the_goods_and_the_money_of_the_old_one(shop: House) -> None:
    ordered(shop, "C-1", TWENTY, **WAREHOUSE)
    assert shop.stock("P1") == (20, 20)
    make_anew(shop)  # told before the cancellation: every piece of P1 is still held by the old one
    assert held(shop) == [(NEW, "P1", 19), (NEW, "P2", 2)]
    assert (status(shop, "C-1"), status(shop, "C-1-1"), shop.cases()) == ("replaced", "paid", [])
    cancel(shop)
    assert shop.balances() == {"clearing/card": 43000, "customer-deposits": -43000}
    open_items = "select item, sum(amount) from entry_line where item <> '' group by 1 order by 1"
    assert [row for row in shop.rows(open_items) if row[1]] == [(NEW, -43000)]

    ordered(shop, "C-2", [("1", "P1", 1, "20.00")], **WAREHOUSE)  # the piece that came free
    assert shop.stock("P1") == (20, 20)
    told = {"bag": "B1", "order": "C-1-1", "state": "shipped", "at": "2026-03-04T09:00:00-05:00"}
    lines = [("1", "19", ""), ("2", "2", "")]
    bag(shop, told["bag"], told["order"], told["state"], told["at"], *lines, place="wh-east")
    assert (status(shop, "C-1-1"), shop.stock("P1"), shop.stock("P2")) == (
        "shipped", (1, 1), (8, 0),
    )  # fmt: skip
    assert not shop.drain().moving
    documents = shop.documents()
    assert {op: state for op, state in documents.items() if "C-2" not in op} == {
        f"{OLD}/sales_order": "accepted",
        f"{OLD}/sales_order_cancel/1": "accepted",
        f"{NEW}/sales_order": "accepted",
        f"{NEW}/invoice/1": "accepted",
    }
    assert shop.lies() == []
    for number, other in (("C-1", NEW), ("C-1-1", OLD)):
        assert other in shop.verb("story", number)
    shop.connection.rollback()
    assert replay_log(shop.hub).same


@pytest.mark.parametrize("order", list(permutations((0, 1, 2))))
def test_whichever_is_told_first_the_end_is_the_same(shop: House, order: tuple[int, ...]) -> None:
    steps = (lambda: ordered(shop, "C-1", TWENTY, **WAREHOUSE), lambda: make_anew(shop),
             lambda: cancel(shop))  # fmt: skip
    for step in (*order, *order):  # and everything twice
        steps[step]()
    assert held(shop) == [(NEW, "P1", 19), (NEW, "P2", 2)]
    assert (status(shop, "C-1"), status(shop, "C-1-1"), shop.cases()) == ("replaced", "paid", [])
    assert shop.balances() == {"clearing/card": 43000, "customer-deposits": -43000}
    assert not shop.drain().moving
    assert shop.lies() == []
