"""The examples beside the rules and the worked scenarios of finance come out as written."""

from __future__ import annotations

import pytest

from tests.posting.money_facts import EURO, default_book
from tillbridge.canonical.valued import TransferPriced
from tillbridge.posting.money.book import default_text, make_book
from tillbridge.posting.money.chart import BookRefused
from tillbridge.posting.money.engine import post
from tillbridge.posting.money.examples import (
    ExampleResult,
    fact_of,
    run_examples,
    run_scenarios,
)
from tillbridge.posting.money.shapes import SHAPES, Collection, shape_of

RESULTS = [*run_examples(default_book()), *run_scenarios(default_book())]


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: result.words[:50])
def test_an_example_comes_out_as_written(result: ExampleResult) -> None:
    assert result.passed, result.problems


def test_every_shipped_rule_has_an_example_and_finance_its_eight_scenarios() -> None:
    assert all(rule.examples for rule in default_book().rules)
    assert sum(result.place.startswith("examples.toml") for result in RESULTS) >= 5


def test_an_example_with_another_amount_or_account_fails_with_both_figures() -> None:
    text = default_text("rules.toml").replace(
        "DE  clearing/stripe      138.99", "DE  safe/9  138.98"
    )
    book = make_book(default_text("chart.toml"), text)
    failed = [result for result in run_examples(book) if not result.passed]
    assert [result.problems for result in failed] == [
        ("DE clearing/stripe: 138.99, not 0.00", "DE safe/9: 0.00, not 138.98")
    ]


def test_an_example_of_a_rule_that_does_not_win_fails() -> None:
    text = default_text("rules.toml")
    start = text.index('[[rule]]\nfact = "CashMoved"')
    end = text.find("\n[[rule]]\n", start)
    copied = text[start:end].replace('purpose = "cash"', 'purpose = "cash"\nwhere = { till = "5" }')
    book = make_book(default_text("chart.toml"), text + "\n" + copied)
    failed = [result for result in run_examples(book) if not result.passed]
    assert len(failed) == 4
    assert failed[0].problems[0] == "another rule wins: CashMoved/cash"


def test_a_scenario_with_an_open_item_nobody_wrote_down_fails() -> None:
    text = default_text("examples.toml")
    cut = (
        text[: text.index('open = """')]
        + text[text.index("[[scenario.fact]]", text.index("open =")) :]
    )
    failed = [result for result in run_scenarios(default_book(), cut) if not result.passed]
    assert [result.problems for result in failed] == [
        ("CH store-credit-liability card/S-9: -10.00, not 0.00",)
    ]


def test_a_fact_that_is_none_says_so() -> None:
    with pytest.raises(BookRefused, match="unknown fact 'Gift'"):
        fact_of("Gift", {})
    with pytest.raises(BookRefused, match="more than 2 decimals"):
        fact_of("CashMoved", {"currency": "EUR", "amount": "1.005"})


# -- Settlements: the format carries FINANCE 4 and 5 before canonical has their facts --------------


class Settled(TransferPriced, frozen=True, kw_only=True, omit_defaults=True):
    """Rows of a payout of one provider: positive is what the provider owes us."""

    provider: str


KINDS = ("sale", "commission", "fulfilment", "chargeback", "chargeback_fee", "won", "payout")
ROWS = Collection(
    "rows", lambda fact: fact.rows, {"amount": "amount"}, {"kind": KINDS}, frozenset({"item"})
)
SETTLED = shape_of("Settled", (ROWS,), {}, frozenset({"provider", "order"}))
SETTLED_RULE = """
[[rule]]
fact = "Settled"
purpose = "settlement"
from = 2026-01-01
legs = [
  { credit = "clearing/{provider}", amount = "amount", where = { kind = "sale" } },
  { debit = "payouts-in-transit", amount = "amount" },
  { credit = "fees/commission", amount = "amount", where = { kind = "commission" } },
  { credit = "fees/fulfilment", amount = "amount", where = { kind = "fulfilment" } },
  { credit = "fees/chargeback", amount = "amount", where = { kind = "chargeback_fee" } },
  { credit = "disputes", amount = "amount", item = "{item}", where = { kind = "chargeback" } },
  { credit = "disputes", amount = "amount", item = "{item}", where = { kind = "won" } },
  { credit = "bank", amount = "amount", where = { kind = "payout" } },
]
"""
MORE_ACCOUNTS = """
[[account]]
account = "bank"
type = "asset"
beancount = "Assets:Bank"
"""
SETTLED_SCENARIOS = """
[[scenario]]
words = "FINANCE 4"
functional = { US = "USD" }
balances = '''
US  payouts-in-transit   86.00
US  sales/toys         -100.00
US  shipping-income      -5.00
US  fees/commission      15.00
US  fees/fulfilment       4.00
'''
[[scenario.fact]]
type = "DepositReceived"
entity = "US"
currency = "USD"
order = "order/amazon/4"
tenders = [{ tender = "amazon", kind = "other", amount = "105.00" }]
[[scenario.fact]]
type = "SaleRecognised"
entity = "US"
currency = "USD"
order = "order/amazon/4"
lines = [
  { kind = "goods", list = "100.00", department = "toys" },
  { kind = "shipping", list = "5.00" },
]
taxes = [{ jurisdiction = "us-ca", tax = "8.25", collector = "marketplace" }]
[[scenario.fact]]
type = "Settled"
entity = "US"
currency = "USD"
provider = "amazon"
rows = [
  { kind = "sale", amount = "105.00" },
  { kind = "commission", amount = "-15.00" },
  { kind = "fulfilment", amount = "-4.00" },
]

[[scenario]]
words = "FINANCE 5"
functional = { US = "USD" }
balances = '''
US  payouts-in-transit  -15.00
US  fees/chargeback      15.00
'''
[[scenario.fact]]
type = "Settled"
entity = "US"
currency = "USD"
provider = "stripe"
rows = [
  { kind = "chargeback", amount = "-100.00", item = "dispute/1" },
  { kind = "chargeback_fee", amount = "-15.00" },
]
[[scenario.fact]]
type = "Settled"
entity = "US"
currency = "USD"
provider = "stripe"
rows = [{ kind = "won", amount = "100.00", item = "dispute/1" }]
"""


def test_the_format_carries_marketplace_settlements_and_disputes() -> None:
    book = make_book(
        default_text("chart.toml") + MORE_ACCOUNTS,
        default_text("rules.toml") + SETTLED_RULE,
        scenarios=SETTLED_SCENARIOS,
        shapes={**SHAPES, SETTLED[0]: SETTLED[1]},
    )
    results = run_scenarios(book, types={"Settled": Settled})
    assert [result.problems for result in results] == [(), ()]


def test_rows_of_a_transfer_may_be_of_any_kind() -> None:
    rows = [{"kind": "anything", "amount": "1.00"}]
    fact = fact_of(
        "TransferPriced", {"entity": "DE", "fulfilling": "AT", "currency": "EUR", "rows": rows}
    )
    assert isinstance(fact, TransferPriced)
    assert len(post(default_book(), fact, EURO)) == 2
