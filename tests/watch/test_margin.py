"""What channels earn adds up to the books, whatever is shared out."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from tests.stories.shop import House, house, line, paid_order, refund, shipment
from tests.stories.test_payout_down_to_the_bank_line import CONNECTIONS, lines, payouts, transaction
from tests.stories.till_files import goods, poslog, receipt, tender
from tillbridge.watch.margin import NOT_ALLOCATED, Line, Margin, allocated, by_line, margins

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
    assert out.read_text().splitlines()[0].startswith("entity,day,channel,category,order,line,")
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
    assert ",'=1+1,,,USD," in out.read_text()


def test_no_cent_of_a_line_is_lost_whatever_falls_on_it() -> None:
    dice = random.Random("lines")  # noqa: S311 - a seed, no secret
    for _ in range(200):
        weights = {str(n): dice.randrange(1, 9999) for n in range(dice.randrange(1, 7))}
        amount = dice.randrange(-9999, 9999)
        parts = by_line("order/web/1", "hats", amount, {("order/web/1", "hats"): weights})
        assert sum(parts.values()) == amount
        assert parts.keys() <= weights.keys()
    assert by_line("payout/p/1", "hats", 5, {}) == {NOT_ALLOCATED: 5}


def test_fees_of_a_payout_fall_on_the_lines_of_its_orders(
    tmp_path: Path, database_url: str
) -> None:
    def furnish(folder: Path) -> None:
        settings = folder / "tillbridge.toml"
        account = CONNECTIONS.replace('bank = "house-bank"\nbank_texts = ["SHOPIFY"]\n', "")
        settings.write_text(settings.read_text() + account)

    with house(tmp_path / "shop", database_url, furnish=furnish) as shop:
        paid = {"id": 100, "kind": "sale", "status": "success", "currency": "USD"}
        paid |= {"gateway": "shopify_payments", "created_at": "2026-03-03T09:00:00-05:00"}
        for number in (1, 2):
            goods_sold = [
                line(1, price="20.00"),
                line(2, sku="SKU-2", price="10.00"),
                line(3, sku="SKU-1", price="3.00"),
            ]
            body = paid_order(number, goods_sold, "33.00")
            body["transactions"] = [{**paid, "id": 100 * number, "amount": "33.00"}]
            shop.web("orders/create", body)
            shop.web("fulfillments/create", shipment(number, number, {1: 1, 2: 1, 3: 1}))
        rows = [
            transaction(801, "charge", "33.00", "1.00", 100),
            transaction(802, "charge", "33.00", "1.01", 200),
            transaction(803, "debit", "-0.75", "0.00", None),
        ]
        shop.file("shop-pay", lines(*rows))
        shop.file("shop-pay", payouts((91, "paid", "2026-03-05", "63.24")))
        shop.settle()
        assert shop.cases() == []
        chart = shop.hub.book.chart
        found = margins(shop.connection, chart, FIRST, LAST, by=("order", "line"))
        whole = margins(shop.connection, chart, FIRST, LAST, by=())
        shop.connection.rollback()
        told = {(one.order, one.line): (one.sales, one.fees) for one in found}
        assert {key: fees for key, (_, fees) in told.items() if key[0] != "payout/shop-pay/91"} == {
            ("order/web/1", "1"): -61,
            ("order/web/1", "2"): -30,
            ("order/web/1", "3"): -9,
            ("order/web/2", "1"): -61,
            ("order/web/2", "2"): -31,
            ("order/web/2", "3"): -9,
        }
        assert [sales for sales, _ in told.values() if sales] == [2000, 1000, 300] * 2
        # what is about no order stays with its payout, and all of it is the profit in the books
        ((key, rest),) = [
            ((one.order, one.line), one.total) for one in found if one.order.startswith("payout/")
        ]
        assert (key, rest) == (("payout/shop-pay/91", NOT_ALLOCATED), -75)
        profit = sum(
            -amount
            for account, amount in shop.balances().items()
            if (row := chart.find(account)) and row.type in ("income", "expense")
        )
        assert sum(one.total for one in found) == whole[0].total == profit
        days = ("--since", "2026-03-01", "--through", "2026-03-31")
        assert "order/web/1" in shop.verb("ledger", "margin", *days, "--by", "order,line")
