"""What channels earn adds up to the books, whatever is shared out."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.stories.shop import House, house, line, paid_order, refund, shipment
from tests.stories.till_files import goods, poslog, receipt, tender
from tillbridge.watch.margin import NOT_ALLOCATED, Line, Margin, allocated, margins

FIRST, LAST = date(2026, 3, 1), date(2026, 3, 31)


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def one(account: str, amount: int, key: str = "order/web/1", day: int = 2) -> Line:
    sold = max(-amount, 0)
    return Line("us", key, "USD", "web", date(2026, 3, day), account, amount, sold)


def shares(group: list[Line]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for row, category, amount in allocated(group, FIRST, LAST):
        found[row.account, category] = found.get((row.account, category), 0) + amount
    return found


def test_what_is_no_sale_is_shared_out_by_what_was_sold() -> None:
    group = [one("sales/hats", -100), one("sales/shoes", -200), one("fees/stripe", 100)]
    assert shares(group) == {
        ("sales/hats", "hats"): -100,
        ("sales/shoes", "shoes"): -200,
        ("fees/stripe", "hats"): 33,
        ("fees/stripe", "shoes"): 67,
    }


def test_a_later_fee_goes_where_the_sale_went_and_other_days_are_left_out() -> None:
    sale = one("sales/hats", -100, day=2)
    group = [sale, one("fees/stripe", 3, day=20)]
    late = list(allocated(group, date(2026, 3, 10), LAST))
    assert [(row.account, category, amount) for row, category, amount in late] == [
        ("fees/stripe", "hats", 3)
    ]
    given_back = [*group, one("sales/hats", 100, day=21)]  # all of it came back
    assert shares(given_back)["fees/stripe", "hats"] == 3


def test_what_belongs_to_no_sale_is_shown_as_such() -> None:
    group = [one("fees/stripe", 250, key="payout/stripe/7")]
    assert shares(group) == {("fees/stripe", NOT_ALLOCATED): 250}


def test_no_cent_is_lost_whatever_is_shared_out() -> None:
    dice = random.Random("margin")  # noqa: S311 - a seed, no secret
    for _ in range(300):
        kinds = ["sales/a", "sales/b", "sales/c", "discounts/x", "shipping-income", "fees/y"]
        group = [
            one(dice.choice(kinds), dice.randrange(-9999, 9999))
            for _ in range(dice.randrange(1, 9))
        ]
        assert sum(shares(group).values()) == sum(row.amount for row in group)


def test_the_sum_of_all_margins_is_the_profit_in_the_books(shop: House, tmp_path: Path) -> None:
    shop.web("orders/create", paid_order(1, [line(1), line(2, sku="SKU-2")], "20.00"))
    shop.web("fulfillments/create", shipment(1, 1, {1: 1, 2: 1}))
    shop.web("refunds/create", refund(3, 1, [], "5.00"))
    sale = receipt(1, [goods("A1", "20.00", "1.60"), tender("21.60")], "21.60", "1.60")
    shop.file("stores", poslog(sale))
    chart = shop.hub.book.chart
    found = margins(shop.connection, chart, FIRST, LAST)
    profit = sum(
        -amount
        for account, amount in shop.balances().items()
        if (row := chart.find(account)) and row.type in ("income", "expense")
    )
    assert sum(row.total for row in found) == profit != 0
    assert {row.channel for row in found} >= {"web"}
    whole = margins(shop.connection, chart, FIRST, LAST, by=())
    shop.connection.rollback()
    assert [row.total for row in whole] == [profit]
    assert isinstance(found[0], Margin)
    days = ("--since", "2026-03-01", "--through", "2026-03-31")
    out = tmp_path / "margin.csv"
    told = json.loads(shop.verb("--json", "ledger", "margin", *days, "--out", str(out)))
    assert len(told["margins"]) == len(found)
    assert out.read_text().splitlines()[0].startswith("entity,day,channel,category,currency,sales")
    assert "--by takes" in shop.verb("ledger", "margin", *days, "--by", "moon", code=2)


def test_a_category_that_looks_like_a_formula_is_written_as_text(
    shop: House, tmp_path: Path
) -> None:
    shop.web("orders/create", paid_order(1, [line(1)], "10.00"))
    shop.web("fulfillments/create", shipment(1, 1, {1: 1}))
    shop.connection.execute("set session_replication_role = replica")
    shop.connection.execute(
        "update entry_line set account = 'sales/=1+1' where account like 'sales/%'"
    )
    shop.connection.commit()
    out = tmp_path / "margin.csv"
    shop.verb(
        "ledger", "margin", "--since", "2026-03-01", "--through", "2026-03-31", "--out", str(out)
    )
    assert ",'=1+1,USD," in out.read_text()
