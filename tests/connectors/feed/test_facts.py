"""What rows of a feed say: sums must meet, signs must agree, nothing is plugged."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.feed.feeding import SALE, SALE_HEADER, STOCK, facts, items
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.payments import PaymentRefunded
from tillbridge.canonical.sales import SaleRung
from tillbridge.canonical.stock import StockCounted

PAYMENT = """
kind = "payment"
[file]
format = "csv"
[row]
reference = "txn"
tender = { constant = "card" }
amount = "amount"
at = "at"
kind = "kind"
"""


def rung(*rows: str, mapping: str = SALE, cash_rounding: int = 0) -> SaleRung:
    (item,) = items(mapping, SALE_HEADER + "".join(f"17,2,2026-01-15,9,{row}\n" for row in rows))
    (fact,) = facts(item, mapping, cash_rounding=cash_rounding)
    assert isinstance(fact, SaleRung)
    return fact


def refusal(*rows: str, mapping: str = SALE) -> NeedsDecision:
    with pytest.raises(NeedsDecision) as caught:
        rung(*rows, mapping=mapping)
    return caught.value


def test_a_sale_meets_its_total() -> None:
    sale = rung("A,1,10.00,1.00,33.00", "B,2,20.00,2.00,33.00")
    assert (sale.total, sum(line.net for line in sale.lines)) == (3300, 3000)
    assert sale.tenders[0].amount == 3300
    assert sale.occurred_at.isoformat() == "2026-01-15T05:00:00+00:00"


def test_sums_that_do_not_meet_are_a_case_with_both_figures() -> None:
    case = refusal("A,1,10.00,1.00,12.00")
    assert (case.reason, case.owner, case.amount, case.currency) == (
        "totals_differ",
        "stores",
        100,
        "USD",
    )
    assert case.words == (
        "day.csv:2:9: lines and taxes are 11.00, the total says 12.00 USD (difference 1.00)"
    )


def test_tenders_may_miss_the_total_only_by_cash_rounding() -> None:
    mapping = SALE.replace('total = "total"\n', "", 1)
    assert rung("A,1,10.01,1.00,11.00", mapping=mapping, cash_rounding=2).total == 1101
    assert "its tenders are 11.00 USD" in refusal("A,1,10.01,1.00,11.00", mapping=mapping).words


def test_a_return_is_negative_however_it_is_told() -> None:
    by_sign = rung("A,-1,-10.00,-1.00,-11.00")
    by_word = rung(
        "A,1,10.00,1.00,-11.00",
        mapping=SALE.replace("[[tender]]", 'direction = { constant = "return" }\n[[tender]]'),
    )
    assert by_sign.lines == by_word.lines
    assert by_sign.lines[0].direction == "return"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("A,-1,10.00,1.00,11.00", "disagree in sign"),
        ("A,,10.00,1.00,11.00", "quantity is empty"),
        ("A,1,,1.00,11.00", "net is empty"),
        ("A,1,10.005,1.00,11.00", "more than 2 decimals"),
        ("A,1.0001,10.00,1.00,11.00", "finer than a thousandth"),
        ("A,one,10.00,1.00,11.00", "quantity: 'one' is no number"),
        ("A,1,1_0.00,1.00,11.00", "net: '1_0.00' is no number"),
        ("A,1,\uff11\uff10.00,1.00,11.00", "is no number"),
        ("A,1,1e1,1.00,11.00", "is no number"),
    ],
)
def test_a_value_that_cannot_be_believed_is_a_case(row: str, words: str) -> None:
    assert words in refusal(row).words


def test_a_day_that_is_none_is_a_case() -> None:
    (item,) = items(SALE, SALE_HEADER + "17,2,2026-02-30,9,A,1,10.00,1.00,11.00\n")
    with pytest.raises(NeedsDecision, match=r"day\.csv:2:3: day: '2026-02-30' is no day"):
        facts(item, SALE)


def test_a_count_without_time_is_of_the_moment_it_came() -> None:
    (item,) = items(STOCK, "product,location,quantity\nA,wh,2.5\n")
    (fact,) = facts(item, STOCK)
    assert isinstance(fact, StockCounted)
    assert (fact.quantity, fact.counted_at.isoformat()) == (2500, "2026-01-15T12:00:00+00:00")


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        ("T1,5.00,2026-01-15T10:00:00,refunded", 500),
        ("T1,-5.00,2026-01-15T10:00:00,refunded", "negative"),
        ("T1,5.00,2026-01-15T10:00:00,paid", "is none of captured"),
        ("T1,5.00,,captured", "at is empty"),
    ],
)
def test_payments_are_positive_and_of_a_known_kind(row: str, outcome: Any) -> None:
    (item,) = items(PAYMENT, "txn,amount,at,kind\n" + row + "\n")
    if isinstance(outcome, int):
        (fact,) = facts(item, PAYMENT)
        assert isinstance(fact, PaymentRefunded)
        assert (fact.amount, fact.occurred_at.hour) == (outcome, 15)
        return
    with pytest.raises(NeedsDecision, match=outcome):
        facts(item, PAYMENT)


AISLE = SALE.replace(
    'product = "sku"',
    """product = "sku"
fulfil = { from = "sku", do = [{ map = { B = "ship", C = "ship", "*" = "" } }] }
original = { from = "sku", do = [{ map = { C = "17/2/2026-01-14/4", "*" = "" } }] }
original_line = { from = "sku", do = [{ map = { C = "2", "*" = "" } }] }""",
)


def test_a_column_tells_what_is_shipped_and_which_line_is_given_up() -> None:
    sale = rung("A,1,10.00,1.00,33.00", "B,2,20.00,2.00,33.00", mapping=AISLE)
    assert [(line.fulfil, line.order) for line in sale.lines] == [("", ""), ("ship", "")]
    back = rung("C,-2,-20.00,-2.00,-22.00", mapping=AISLE)
    (line,) = back.lines
    assert (line.order, line.order_line) == ("order/stores/17/2/2026-01-14/4", "2")
    assert back.links == ("sale/feed/17/2/2026-01-14/4",)
