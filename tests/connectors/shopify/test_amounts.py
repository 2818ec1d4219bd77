"""Amounts of an order: without tax, summing to the header's total, or a case that shows why not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.connectors.shopify.payloads import bag, line, order, tax, told, with_settings
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import split
from tillbridge.canonical.orders import Order

CENTS = st.integers(min_value=0, max_value=500_00)
RATES = st.sampled_from((0.0, 0.06, 0.0725, 0.0825, 0.19, 0.2, 0.25, 0.5))


def text(cents: int) -> str:
    return str(Decimal(cents) / 100)


def by_line(found: Order) -> dict[str, tuple[str, int, int, int]]:
    """Line -> (kind, list, discount, tax)."""
    return {one.line: (one.kind, one.list, one.discount, one.tax) for one in found.lines}


@st.composite
def baskets(draw: st.DrawFn) -> dict[str, Any]:
    """An order whose header is right, with taxes as a shop would round them, line by line."""
    inclusive = draw(st.booleans())
    count = draw(st.integers(min_value=1, max_value=6))
    lines = []
    total = 0
    for number in range(1, count + 1):
        price, quantity = draw(CENTS), draw(st.integers(min_value=0, max_value=7))
        listed = price * quantity
        discounts = draw(st.lists(st.integers(min_value=1, max_value=9), max_size=2))
        shares = split(draw(st.integers(0, listed)), discounts) if discounts else []
        paid = listed - sum(shares)
        rates = draw(st.lists(RATES, max_size=2))
        under = 1 + sum(rates) if inclusive else 1
        taxes = [tax(text(int(paid * rate / under)), rate, f"T{rate}") for rate in rates]
        lines.append(
            line(
                number,
                price=text(price),
                quantity=quantity,
                discount_allocations=[{"amount": text(share)} for share in shares],
                tax_lines=taxes,
                gift_card=draw(st.booleans()),
                requires_shipping=draw(st.booleans()),
            )
        )
        added = 0 if inclusive else sum(int(Decimal(one["price"]) * 100) for one in taxes)
        total += paid + added
    tip, shipping = draw(CENTS), draw(CENTS)
    off = max(draw(st.integers(-count, count)), -total - tip - shipping)
    return order(
        *lines,
        total=text(total + tip + shipping + off),  # off: what the shop's roundings may leave
        taxes_included=inclusive,
        total_tip_received=text(tip),
        shipping_lines=[{"id": 9, "price": text(shipping), "title": "Ground"}],
        financial_status=draw(st.sampled_from(("paid", "pending"))),
        total_cash_rounding_payment_adjustment_set=bag(text(draw(st.integers(-4, 4)))),
    )


@settings(max_examples=300, deadline=None)
@given(baskets())
def test_whatever_was_bought_the_lines_sum_to_what_is_owed(basket: dict[str, Any]) -> None:
    found = told(basket)
    assert sum(one.gross for one in found.lines) == found.total
    header = int(Decimal(basket["total_price"]) * 100)
    cash = Decimal(basket["total_cash_rounding_payment_adjustment_set"]["shop_money"]["amount"])
    assert found.total - header in (0, int(cash * 100))
    for one in found.lines:
        assert one.discount >= 0
        assert one.kind == "rounding" or one.list >= one.discount
        assert all(part.amount >= 0 for part in one.taxes)


def test_the_european_example_comes_out_to_the_cent() -> None:
    found = told(
        order(
            line(
                1,
                price="59.50",
                quantity=2,
                tax_lines=[tax("17.10", 0.19)],
                discount_allocations=[{"amount": "11.90"}],
            ),
            line(
                2,
                price="29.99",
                tax_lines=[tax("1.77", 0.07)],
                discount_allocations=[{"amount": "3.00"}],
            ),
            total="138.99",
            taxes_included=True,
            shipping_lines=[{"id": 3, "price": "4.90", "tax_lines": [tax("0.78", 0.19)]}],
        )
    )
    assert by_line(found) == {
        "1": ("goods", 10000, 1000, 1710),
        "2": ("goods", 2803, 281, 177),
        "shipping-3": ("shipping", 412, 0, 78),
    }
    assert found.tax_inclusive
    assert found.total == 13899


def test_without_a_discount_a_price_with_tax_has_nothing_to_round() -> None:
    # 9.99 / 1.19 would be 8.39; the shop's own tax of 1.59 says 8.40, and that is law.
    lines = line(price="9.99", tax_lines=[tax("1.59", 0.19)])
    found = told(order(lines, total="9.99", taxes_included=True))
    assert by_line(found) == {"1": ("goods", 840, 0, 159)}


def test_a_tax_lower_than_its_rate_never_makes_a_negative_discount() -> None:
    lines = line(
        price="1.00", tax_lines=[tax("0.10", 0.19)], discount_allocations=[{"amount": "0.01"}]
    )
    found = told(order(lines, total="0.99", taxes_included=True))
    assert by_line(found) == {"1": ("goods", 89, 0, 10)}


def test_a_tax_without_a_rate_is_taken_out_in_proportion() -> None:
    lines = line(price="12.00", tax_lines=[tax("1.00")], discount_allocations=[{"amount": "6.00"}])
    found = told(order(lines, total="6.00", taxes_included=True))
    assert by_line(found) == {"1": ("goods", 1000, 500, 100)}
    free = line(price="12.00", tax_lines=[tax("0.00")], discount_allocations=[{"amount": "12.00"}])
    assert by_line(told(order(free, total="0.00", taxes_included=True))) == {
        "1": ("goods", 1200, 1200, 0)
    }


def test_allocations_win_over_a_total_discount_of_nothing() -> None:
    lines = line(total_discount="0.00", discount_allocations=[{"amount": "3.34"}])
    assert by_line(told(order(lines, total="6.66")))["1"] == ("goods", 1000, 334, 0)
    older = line(total_discount="3.34")
    assert by_line(told(order(older, total="6.66")))["1"] == ("goods", 1000, 334, 0)


def test_a_small_difference_is_a_visible_line_and_a_large_one_a_case() -> None:
    lines = line(tax_lines=[tax("0.60", 0.06)])
    found = told(order(lines, total="10.62"))
    assert by_line(found)["rounding"] == ("rounding", 2, 0, 0)
    assert found.lines[-1].title == "header less lines: 0.02"
    with pytest.raises(NeedsDecision) as caught:
        told(order(lines, total="10.63"))
    case = caught.value
    assert (case.reason, case.owner, case.amount, case.currency) == (
        "totals_differ",
        "ecommerce",
        3,
        "USD",
    )
    assert case.words == (
        "order #1001: lines 10.00 + tax 0.60 + shipping 0.00 = 10.60, header says 10.63: "
        "0.03 USD missing from the lines"
    )
    with pytest.raises(NeedsDecision, match=r"0\.10 USD too much in the lines"):
        told(order(lines, total="10.50"))
    with pytest.raises(NeedsDecision, match=r"0\.02 USD missing"):
        told(order(lines, total="10.62"), with_settings(rounding_tolerance=0))


def test_every_figure_of_a_difference_is_in_its_words() -> None:
    lines = line(discount_allocations=[{"amount": "1.00"}])
    with pytest.raises(NeedsDecision) as caught:
        told(
            order(
                lines,
                total="20.00",
                total_tip_received="2.00",
                shipping_lines=[{"id": 1, "price": "4.00"}],
            )
        )
    assert "lines 10.00 - discounts 1.00 + tax 0.00 + shipping 4.00 + tip 2.00 = 15.00" in str(
        caught.value
    )
    assert caught.value.details == {
        "sum": 1500,
        "header": 2000,
        "lines": 1000,
        "discounts": -100,
        "tax": 0,
        "shipping": 400,
        "tip": 200,
    }


def test_old_headers_are_shared_over_the_lines_and_lose_no_cent() -> None:
    found = told(
        order(
            line(1),
            line(2),
            line(3, taxable=False),
            total="26.01",
            total_discounts="5.00",
            total_tax="1.01",
            discount_codes=[{"type": "fixed_amount"}],
            tax_lines=[tax("1.01", 0.06)],
        )
    )
    assert by_line(found) == {
        "1": ("goods", 1000, 167, 51),
        "2": ("goods", 1000, 167, 50),
        "3": ("goods", 1000, 166, 0),
    }


def test_an_old_free_shipping_code_is_taken_off_the_shipping() -> None:
    found = told(
        order(
            line(),
            total="10.00",
            total_discounts="5.00",
            discount_codes=[{"type": "shipping"}],
            shipping_lines=[{"id": 2, "price": "5.00"}],
        )
    )
    assert by_line(found)["shipping-2"] == ("shipping", 500, 500, 0)


def test_header_tax_without_tax_lines_is_never_dropped() -> None:
    found = told(order(line(), total="10.60", total_tax="0.60"))
    assert by_line(found)["1"] == ("goods", 1000, 0, 60)
    assert found.lines[0].taxes[0].code == "tax"


def test_shipping_keeps_its_own_discounts_and_a_removed_one_is_not_charged() -> None:
    found = told(
        order(
            line(),
            total="13.00",
            shipping_lines=[
                {"id": 1, "price": "5.00", "discounted_price": "3.00"},
                {"id": 2, "price": "7.00", "is_removed": True},
            ],
        )
    )
    assert by_line(found)["shipping-1"] == ("shipping", 500, 200, 0)
    assert "shipping-2" not in by_line(found)


@pytest.mark.parametrize(
    ("fields", "kind", "product", "ships"),
    [
        ({}, "goods", "SKU-1", True),
        ({"requires_shipping": False}, "service", "SKU-1", False),
        ({"gift_card": True}, "gift_card", "", False),
        ({"tip": {"payment_gateway": "cash"}}, "tip", "", False),
        ({"sku": " "}, "goods", "title:Thing 1", True),
        ({"sku": None, "variant_id": 77}, "goods", "variant:77", True),
        ({"sku": "", "variant_id": "gid://shopify/ProductVariant/77"}, "goods", "variant:77", True),
    ],
)
def test_a_line_is_of_its_kind_and_names_its_product(
    fields: dict[str, Any], kind: str, product: str, ships: bool
) -> None:
    found = told(order(line(**fields), total="10.00")).lines[0]
    assert (found.kind, found.product, found.ships) == (kind, product, ships)


def test_a_tip_is_counted_once_wherever_it_stands() -> None:
    beside = told(order(line(), total="12.00", total_tip_received="2.00"))
    assert by_line(beside)["tip"] == ("tip", 200, 0, 0)
    tip = line(2, price="2.00", tip={"payment_gateway": None})
    inside = told(order(line(), tip, total="12.00", total_tip_received="2.00"))
    assert [one.kind for one in inside.lines] == ["goods", "tip"]
    plain = told(order(line(), line(2, price="2.00"), total="12.00", total_tip_received="2.00"))
    assert [one.kind for one in plain.lines] == ["goods", "goods"]


def test_duties_and_fees_are_lines_of_their_own_unless_the_prices_hold_them() -> None:
    duty = {"id": 5, "shop_money": {"amount": "4.00", "currency_code": "USD"}}
    fields = {"original_total_additional_fees_set": bag("1.00")}
    found = told(order(line(duties=[duty]), total="15.00", **fields))
    assert by_line(found)["duty-5"] == ("duty", 400, 0, 0)
    assert by_line(found)["fee"] == ("fee", 100, 0, 0)
    held = order(line(duties=[duty]), total="10.00", duties_included=True)
    assert list(by_line(told(held))) == ["1"]
    header = order(line(), total="14.00", original_total_duties_set=bag("4.00"))
    assert by_line(told(header))["duty"] == ("duty", 400, 0, 0)


def test_cash_rounding_is_owed_on_top_unless_the_header_holds_it() -> None:
    rounding = {"total_cash_rounding_payment_adjustment_set": bag("-0.02")}
    before = told(order(line(price="10.02"), total="10.02", financial_status="paid", **rounding))
    assert (before.total, before.paid_stated) == (1000, 1000)
    after = told(order(line(price="10.02"), total="10.00", **rounding))
    assert after.total == 1000
    assert by_line(after)["cash-rounding"] == ("rounding", -2, 0, 0)
    assert "rounding" not in by_line(after)


@pytest.mark.parametrize(
    "fields",
    [
        {"price": "-1.00"},
        {"price": "10.001"},
        {"price": "1_0.00"},
        {"price": None},
        {"price": True},
        {"quantity": -1},
        {"quantity": 1.5},
        {"quantity": "1"},
        {"price_set": bag("10.00", "EUR")},
        {"tax_lines": [tax("-0.60")]},
        {"discount_allocations": [{"amount": "11.00"}]},
        {"requires_shipping": None},
        {"id": "abc"},
    ],
)
def test_a_line_that_cannot_be_is_a_case(fields: dict[str, Any]) -> None:
    with pytest.raises(NeedsDecision):
        told(order(line(**fields), total="10.00"))


def test_amounts_are_text_or_numbers_and_the_shop_money_of_a_set_wins() -> None:
    assert told(order(line(price=10), total="10.00")).total == 1000
    assert told(order(line(price=10.1), total=10.1)).total == 1010  # type: ignore[arg-type]
    assert told(order(line(price="7.00", price_set=bag("10.00")), total="10.00")).total == 1000


def test_a_currency_without_decimals_stays_whole() -> None:
    found = told(order(line(price="1500.00"), total="1500", currency="JPY"))
    assert (found.total, found.currency) == (1500, "JPY")
    with pytest.raises(NeedsDecision, match="JPY"):
        told(order(line(price="1500.50"), total="1500", currency="JPY"))
    with pytest.raises(NeedsDecision, match="XYZ"):
        told(order(line(), total="10.00", currency="XYZ"))


def test_a_tax_that_a_marketplace_remits_says_so() -> None:
    liable = {**tax("0.60", "0.06"), "channel_liable": True}
    found = told(order(line(tax_lines=[liable]), total="10.60")).lines[0].taxes[0]
    assert (found.collector, found.rate_ppm, found.base) == ("marketplace", 60_000, 1000)
