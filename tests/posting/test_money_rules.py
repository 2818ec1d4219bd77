"""Rules and charts are read word by word, and refused with file and line."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.posting.money_facts import CHART, default_book, deposit
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.payments import TENDER_KINDS
from tillbridge.posting.money.book import default_text, make_book
from tillbridge.posting.money.chart import BookRefused, parse_chart
from tillbridge.posting.money.proof import coefficients, combinations
from tillbridge.posting.money.shapes import SHAPES

RULE = """
[[rule]]
fact = "DepositReceived"
purpose = "deposit"
entity = "*"
from = 2026-01-01
legs = [
  { debit = "clearing/{tender}", amount = "amount" },
  { credit = "deposits", amount = "tendered", item = "{order}" },
]
"""


def refusal(rules: str, chart: str = CHART) -> str:
    with pytest.raises(BookRefused) as refused:
        make_book(chart, rules)
    return str(refused.value)


def test_the_small_book_is_accepted() -> None:
    assert [rule.name for rule in make_book(CHART, RULE).rules] == ["DepositReceived/deposit"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('fact = "DepositReceived"', 'fact = "Deposit"', "rules.toml:2: unknown fact 'Deposit'"),
        ('amount = "amount"', 'amount = "fee"', "rules.toml:8: unknown amount 'fee'"),
        ("clearing/{tender}", "bank/{tender}", "rules.toml:8: account 'bank/{tender}' is not in"),
        ("clearing/{tender}", "clearing/{colour}", "rules.toml:8: account 'clearing/{colour}':"),
        ("clearing/{tender}", "clearing/x-{tender}", "a field fills a whole part"),
        ("{order}", "{promise}", "rules.toml:9: item '{promise}': unknown field {promise}"),
        ('"amount" }', '"amount", where = { kind = "gold" } }', "8: where: kind is never 'gold'"),
        ('"amount" }', '"amount", where = { colour = "red" } }', "8: where: unknown name 'colour'"),
        ('"amount" }', '"amount", entity = "buyer" }', "8: unknown entity role 'buyer'"),
        ('"amount" }', '"amount", rate = "2" }', "8: a leg has debit or credit"),
        ("{ debit", '{ credit = "deposits", debit', "8: a leg has debit or credit"),
        ('entity = "*"', 'shop = "x"', "rules.toml:2: unknown word 'shop'"),
        ('entity = "*"', 'where = { buyer = "x" }', "rules.toml:2: where: unknown name 'buyer'"),
        ('entity = "*"', 'where = { paid_to = "us" }', "rules.toml:2: where: paid_to is never"),
        ("from = 2026-01-01", 'from = "today"', "rules.toml:2: from is missing or no date"),
        ("[[rule]]", "[[rulez]]", "rules.toml: unknown table 'rulez'"),
        ("[[rule]]", "[[rule", "rules.toml: "),
    ],
)
def test_a_wrong_word_is_refused_with_its_line(old: str, new: str, said: str) -> None:
    assert old in RULE
    assert said in refusal(RULE.replace(old, new, 1))


def test_a_rule_that_does_not_balance_is_refused_with_the_leaf_that_is_left() -> None:
    half = RULE.replace('"amount" }', '"amount", where = { kind = ["card", "wallet"] } }', 1)
    assert refusal(half) == (
        "rules.toml:2: DepositReceived/deposit does not balance in the books of the selling entity:"
        " amount of kind cash, issuer own is credited but not debited (and 11 more like it)"
    )


def test_a_forgotten_card_of_another_entity_is_found_when_the_rule_is_read() -> None:
    text = default_text("rules.toml")
    forgotten = '  { debit = "due-from/{liability}", amount = "amount", where'
    lines = [line for line in text.splitlines() if not line.startswith(forgotten)]
    said = refusal("\n".join(lines), default_text("chart.toml"))
    assert "amount of kind gift_card, issuer other is credited but not debited" in said
    assert said.splitlines()[0].startswith("rules.toml:18: ")


REVENUE = """
[[rule]]
fact    = "SaleRecognised"
purpose = "revenue"            # one rule wins per (fact, entity, purpose)
entity  = "*"
from    = 2026-01-01
where   = { channel = "web-us" }
legs = [
  { debit  = "customer-deposits",        amount = "net",      item = "{order}" },
  { debit  = "customer-deposits",        amount = "tax",      item = "{order}", where = { collector = "seller" } },
  { credit = "sales/{department}",       amount = "list",     where = { kind = ["goods", "tip"] } },
  { credit = "shipping-income",          amount = "list",     where = { kind = ["shipping"] } },
  { debit  = "discounts/{promotion}",    amount = "discount" },
  { credit = "gift-card-liability",      amount = "list",     item = "{card}", where = { kind = "gift_card" } },
  { credit = "sales-tax/{jurisdiction}", amount = "tax",      where = { collector = "seller" } },
]
"""  # noqa: E501 - as an accountant writes it


def test_a_rule_that_forgets_kinds_of_lines_is_refused_until_it_has_them_all() -> None:
    chart = default_text("chart.toml")
    assert "rules.toml:2: SaleRecognised/revenue[channel=web-us] does not balance" in (
        said := refusal(REVENUE, chart)
    )
    assert "list of kind service, direction sale is debited but not credited (and 7 more" in said
    whole = REVENUE.replace(
        '["goods", "tip"]', '["goods", "tip", "service", "fee", "duty", "rounding"]'
    )
    assert len(make_book(chart, whole).rules) == 1


def test_a_where_over_an_amount_of_several_lists_is_refused() -> None:
    rule = """
[[rule]]
fact = "SaleRung"
purpose = "sale"
from = 2026-01-01
legs = [ { debit = "deposits", amount = "rounding", where = { kind = "cash" } } ]
"""
    assert "the amount spans several lists" in refusal(rule)


def test_equally_specific_rules_that_can_meet_are_a_tie() -> None:
    said = refusal(RULE + RULE)
    assert said.startswith(
        "rules.toml:12: DepositReceived/deposit and the rule at rules.toml:2 are"
    )
    by_channel = RULE.replace('entity = "*"', 'where = { channel = "web-us" }')
    by_place = RULE.replace('entity = "*"', 'where = { location = "9" }')
    assert "equally specific" in refusal(by_channel + by_place)


def test_rules_that_never_meet_are_no_tie() -> None:
    us = RULE.replace('entity = "*"', 'where = { channel = "web-us" }')
    de = RULE.replace('entity = "*"', 'where = { channel = ["web-de", "web-at"] }')
    later = RULE.replace("2026-01-01", "2026-06-01")
    assert len(make_book(CHART, RULE + us + de + later).rules) == 4


def winner(rules: str, **words: Any) -> str:
    found = make_book(CHART, rules).winners(deposit(**words))
    assert len(found) == 1
    return f"{found[0].name} {found[0].version}"


def test_the_entity_then_the_conditions_then_the_later_date_win() -> None:
    later = RULE.replace("2026-01-01", "2026-01-02")
    channel = RULE.replace('entity = "*"', 'where = { channel = "web" }')
    entity = RULE.replace('entity = "*"', 'entity = "DE"')
    rules = RULE + later + channel + entity.replace("2026-01-01", "2027-01-01")
    assert winner(rules) == "DepositReceived/deposit 2026-01-02"
    assert winner(rules, channel="web") == "DepositReceived/deposit[channel=web] 2026-01-01"
    assert winner(rules + entity, channel="web").startswith("DepositReceived/deposit[entity=DE]")
    assert winner(rules + entity, entity="AT", channel="web").endswith("[channel=web] 2026-01-01")


def test_a_fact_without_a_rule_is_a_case_of_finance() -> None:
    future = RULE.replace("2026-01-01", "2026-02-01")
    with pytest.raises(NeedsDecision) as case:
        make_book(CHART, future).winners(deposit())
    assert (case.value.reason, case.value.owner) == ("posting_rule_missing", "finance")
    assert "DepositReceived order/web/1#deposit of entity DE on 2026-01-02" in case.value.words


def test_the_hash_of_a_rule_is_of_its_meaning() -> None:
    base = make_book(CHART, RULE).rules[0]
    same = make_book(CHART, "# words\n\n" + RULE.replace("purpose", 'words = "x"\npurpose', 1))
    other = make_book(CHART, RULE.replace(', item = "{order}"', ""))
    assert same.rules[0].hash == base.hash
    assert other.rules[0].hash != base.hash


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('type = "asset"', 'type = "money"', "chart.toml:2: type 'money': one of asset"),
        ("Assets:Clearing:*", "Income:Clearing:*", "chart.toml:2: beancount"),
        ("Assets:Clearing:*", "Assets:Clearing", "needs as many *"),
        ("Assets:Clearing:*", "Assets:clearing:*", "parts begin with a capital"),
        ('"clearing/*"', '"Clearing/*"', "parts are lower-case words or *"),
        ('account = "sales/*"', 'account = "clearing/*"', "chart.toml:10: account 'clearing/*' is"),
        ('type = "asset"', 'type = "asset"\nowner = "me"', "owner 'me': one of hub, erp"),
        ('type = "asset"', "", "an account has account, type, beancount"),
    ],
)
def test_a_wrong_chart_is_refused_with_its_line(old: str, new: str, said: str) -> None:
    with pytest.raises(BookRefused) as refused:
        parse_chart(CHART.replace(old, new, 1), "chart.toml")
    assert said in str(refused.value)


def test_the_more_exact_row_of_the_chart_speaks() -> None:
    shoes = '[[account]]\naccount = "sales/shoes"\ntype = "income"\nbeancount = "Income:Shoes"\n'
    chart = parse_chart(CHART + shoes, "chart.toml")
    found = [chart.find(name) for name in ("sales/shoes", "sales/hats", "sales", "sales/a/b")]
    assert [row.beancount if row else "" for row in found] == [
        "Income:Shoes",
        "Income:Sales:*",
        "",
        "",
    ]


def test_the_shipped_rules_leave_no_amount_out_but_the_tax_of_marketplaces() -> None:
    for rule in default_book().rules:
        shape = SHAPES[rule.fact]
        touched = {(measure, values) for _, measure, values in coefficients(rule, shape)}
        every = {
            (measure, values)
            for collection in shape.collections
            for measure in collection.measures
            for values in combinations(collection)
        }
        left = {re.sub(r"\W", "", str(leaf[1])) for leaf in every - touched}
        expected = {"marketplace"} if rule.fact in ("SaleRecognised", "SaleReversed") else set()
        if rule.fact == "SaleShared":  # it moves a part of what the sale booked, by design
            expected = left
        if rule.fact == "TillCounted":  # what is no cash in the drawer is not the drawer's to book
            expected = set(TENDER_KINDS) - {"cash"}
        assert left == expected, rule.name


def test_every_account_of_the_shipped_rules_has_one_owner() -> None:
    chart = default_book().chart
    accounts = {leg.account for rule in default_book().rules for leg in rule.legs}
    owners = {account: row.owner for account in accounts if (row := chart.find(account))}
    assert owners.keys() == accounts
    assert owners["clearing/{tender}"] == "hub"
    assert owners["sales/{department}"] == "erp"
