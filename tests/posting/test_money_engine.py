"""The engine: entries balance per entity, lose no cent, and guess nothing."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.posting.money_facts import CHART, EURO, default_book, deposit, refund, rung, sale
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import split
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.orders import LINE_KINDS
from tillbridge.canonical.payments import TENDER_KINDS
from tillbridge.canonical.sales import DIRECTIONS, ISSUERS
from tillbridge.posting.money.book import default_text, make_book
from tillbridge.posting.money.chart import BookRefused
from tillbridge.posting.money.engine import post
from tillbridge.posting.money.examples import Journal, journal_of
from tillbridge.posting.money.policy import Policy, Rates, parse_rates

FACTORS = st.integers(min_value=0, max_value=10**7)
SIGNED = st.integers(min_value=-(10**7), max_value=10**7)


def journal(*facts: Fact, policy: Policy = EURO) -> Journal:
    total: Journal = {}
    for fact in facts:
        for place, amount in journal_of(post(default_book(), fact, policy)).items():
            total[place] = total.get(place, 0) + amount
    return {place: amount for place, amount in total.items() if amount}


def reason(fact: Fact, policy: Policy = EURO) -> NeedsDecision:
    with pytest.raises(NeedsDecision) as case:
        post(default_book(), fact, policy)
    return case.value


def test_a_sale_its_full_reversal_and_the_refund_leave_nothing_anywhere() -> None:
    assert journal(deposit(), sale(), sale(name="SaleReversed"), refund()) == {}


def test_an_entry_names_its_rule_and_version() -> None:
    (entry,) = post(default_book(), deposit(), EURO)
    assert (entry.rule, entry.rule_version) == ("DepositReceived/deposit", "2000-01-01")
    assert len(entry.rule_hash) == 16


def test_a_negative_amount_flips_the_side_and_zero_writes_nothing() -> None:
    assert journal(deposit(amount=-100))["DE", "clearing/stripe", ""] == -100
    assert post(default_book(), deposit(amount=0), EURO) == ()


def test_an_empty_field_is_unassigned_in_an_account_and_no_item() -> None:
    tender = {"tender": "", "kind": "gift_card", "amount": 5, "card": ""}
    lines = [{"kind": "goods", "list": 5, "department": "men / shoes "}]
    found = journal(deposit(tenders=[tender]), sale(lines=lines, taxes=[]))
    assert found["DE", "gift-card-liability", ""] == 5
    assert found["DE", "sales/men _ shoes", ""] == -5
    other = journal(sale(lines=[{"kind": "goods", "list": 5}], taxes=[]))
    assert other["DE", "sales/unassigned", ""] == -5


def test_a_value_outside_its_closed_list_is_a_case_because_nothing_was_proven_for_it() -> None:
    case = reason(deposit(tenders=[{"tender": "x", "kind": "shells", "amount": 1}]))
    assert (case.reason, case.owner) == ("value_unproven", "finance")
    assert "kind 'shells', issuer 'own'" in case.words


@pytest.mark.parametrize("words", [{}, {"liability": "DE"}])
def test_the_entity_that_issued_a_card_is_never_guessed(words: dict[str, Any]) -> None:
    card = {"tender": "g", "kind": "gift_card", "amount": 5, "issuer": "other", "card": "1"}
    assert reason(deposit(tenders=[card], **words)).reason == "entity_missing"


def test_an_entity_without_a_currency_is_a_case() -> None:
    assert reason(deposit(entity="XX")).reason == "entity_unknown"


def test_several_purposes_make_one_entry_that_names_them_all() -> None:
    rule = """
[[rule]]
fact = "DepositReceived"
purpose = "statistics"
from = 2026-01-01
legs = [ { debit = "sales/a", amount = "amount" }, { credit = "sales/b", amount = "amount" } ]
[[rule]]
fact = "DepositReceived"
purpose = "deposit"
from = 2026-01-02
legs = [
  { debit = "clearing/{tender}", amount = "amount" },
  { credit = "deposits", amount = "amount" },
]
"""
    (entry,) = post(make_book(CHART, rule), deposit(), EURO)
    assert entry.rule == "DepositReceived/deposit + DepositReceived/statistics"
    assert (entry.rule_version, len(entry.rule_hash), len(entry.lines)) == ("2026-01-02", 32, 4)


# -- Other currencies ------------------------------------------------------------------------------

DAY = date(2026, 1, 2)


def test_a_missing_rate_is_a_case_that_names_pair_and_date() -> None:
    old = Policy({"DE": "USD"}, rates=Rates([("EUR", "USD", DAY - timedelta(8), Decimal("1.1"))]))
    for policy in (Policy({"DE": "USD"}), old):
        case = reason(deposit(), policy)
        assert (case.reason, case.amount, case.currency) == ("rate_missing", 5845, "EUR")
        assert "no rate EUR to USD for 2026-01-02" in case.words


def test_the_rate_of_the_day_or_the_last_before_it_converts() -> None:
    days = {-7: "3.0", -1: "1.1", 1: "2.0"}
    rates = Rates(("EUR", "USD", DAY + timedelta(d), Decimal(r)) for d, r in days.items())
    (entry,) = post(default_book(), deposit(amount=10000), Policy({"DE": "USD"}, rates=rates))
    assert [(x.amount, x.txn_amount, x.txn_currency) for x in entry.lines] == [
        (11000, 10000, "EUR"),
        (-11000, -10000, "EUR"),
    ]
    assert entry.currency == "USD"


def test_decimals_of_both_currencies_count() -> None:
    policy = Policy({"DE": "JPY"}, rates=Rates([("EUR", "JPY", DAY, Decimal("160.55"))]))
    assert journal(deposit(amount=101), policy=policy)["DE", "clearing/stripe", ""] == 162


@settings(max_examples=200, deadline=None)
@given(
    st.lists(SIGNED, min_size=1, max_size=6),
    st.decimals(min_value=Decimal("0.0001"), max_value=Decimal(500), places=6),
)
def test_conversion_loses_no_cent_and_keeps_every_side(parts: list[int], rate: Decimal) -> None:
    amounts = [*parts, -sum(parts)]
    policy = Policy({}, rates=Rates([("EUR", "JPY", DAY, rate)]))
    converted = policy.converted(amounts, "EUR", "JPY", DAY)
    assert sum(converted) == 0
    for amount, other in zip(amounts, converted, strict=True):
        assert other * amount >= 0
        # rounding the whole moves a line by at most a half, its share by less than one
        assert abs(other - Decimal(amount) * rate / 100) < Decimal("1.5")


def test_rates_are_read_from_a_file_and_refused_with_the_line() -> None:
    rates = parse_rates("from,to,day,rate\nEUR,USD,2026-01-02,1.0876\n", "rates.csv")
    assert rates.rate("EUR", "USD", DAY) == Decimal("1.0876")
    assert rates.rate("USD", "EUR", DAY) is None
    for row, said in {
        "EUR,USD,2026-01-02": "rates.csv:2: the columns are",
        "EUR,USX,2026-01-02,1": "'USX' is no ISO 4217 currency",
        "EUR,USD,yesterday,1": "rates.csv:2: Invalid isoformat",
        "EUR,USD,2026-01-02,one": "rates.csv:2: 'one' is no rate",
        "EUR,USD,2026-01-02,0": "rates.csv:2: a rate is greater",
        "EUR,USD,2026-01-02,NaN": "rates.csv:2: a rate is greater",
    }.items():
        with pytest.raises(BookRefused) as refused:
            parse_rates(f"from,to,day,rate\n{row}\n", "rates.csv")
        assert said in str(refused.value)


def test_a_ledger_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="gl of DE: web"):
        Policy({"DE": "EUR"}, {("DE", "web"): "paper"})


# -- Any fact there can be -------------------------------------------------------------------------

LINES = st.lists(
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(LINE_KINDS),
            "direction": st.sampled_from(DIRECTIONS),
            "list": SIGNED,
            "discount": SIGNED,
            "department": st.sampled_from(["", "a", "b"]),
            "card": st.sampled_from(["", "1"]),
        }
    ),
    max_size=5,
)
TENDERS = st.lists(
    st.fixed_dictionaries(
        {
            "tender": st.sampled_from(["x", "y"]),
            "kind": st.sampled_from(TENDER_KINDS),
            "issuer": st.sampled_from(ISSUERS),
            "amount": SIGNED,
            "card": st.sampled_from(["", "1"]),
        }
    ),
    max_size=4,
)
TAXES = st.lists(
    st.fixed_dictionaries(
        {
            "jurisdiction": st.sampled_from(["p", "q"]),
            "tax": SIGNED,
            "collector": st.sampled_from(["seller", "marketplace"]),
        }
    ),
    max_size=3,
)


@settings(max_examples=150, deadline=None)
@given(LINES, TAXES, TENDERS)
def test_whatever_the_fact_every_entity_balances(
    lines: list[dict[str, Any]], taxes: list[dict[str, Any]], tenders: list[dict[str, Any]]
) -> None:
    words: dict[str, Any] = {"liability": "AT", "tender_entity": "AT"}
    till_taxes = [
        {"code": "", "jurisdiction": t["jurisdiction"], "amount": t["tax"]} for t in taxes
    ]
    facts = [
        deposit(tenders=tenders, **words),
        sale(lines=lines, taxes=taxes, **words),
        rung(lines=lines, taxes=till_taxes, tenders=tenders, **words),
        refund(tenders=tenders, **words),
    ]
    for fact in facts:
        for entry in post(default_book(), fact, EURO):
            assert sum(line.amount for line in entry.lines) == 0
            assert all(line.amount for line in entry.lines)
    back = sale(name="SaleReversed", lines=lines, taxes=taxes, **words)
    assert journal(facts[1], back) == {}
    assert journal(facts[0], facts[3]) == {}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(FACTORS, FACTORS, FACTORS), min_size=1, max_size=6), st.randoms())
def test_any_order_of_facts_gives_the_same_balances(
    steps: list[tuple[int, int, int]], chance: Any
) -> None:
    facts: list[Fact] = []
    for number, (listed, discount, tax) in enumerate(steps):
        lines = [{"kind": "goods", "list": listed, "discount": discount, "department": "a"}]
        facts.append(
            sale(f"order/web/{number % 2}", lines=lines, taxes=[{"jurisdiction": "p", "tax": tax}])
        )
        facts.append(deposit(f"order/web/{number % 2}", listed - discount + tax))
    mixed = list(facts)
    chance.shuffle(mixed)
    assert journal(*mixed) == journal(*facts)
    assert not any(place[2] for place in journal(*facts))


@settings(max_examples=60, deadline=None)
@given(FACTORS, FACTORS, FACTORS, st.lists(FACTORS, min_size=1, max_size=7))
def test_a_sale_recognised_in_parts_is_the_sale_to_the_cent(
    listed: int, discount: int, tax: int, weights: list[int]
) -> None:
    def part(value: int, off: int, vat: int) -> Fact:
        lines = [{"kind": "goods", "list": value, "discount": off, "department": "a"}]
        return sale(lines=lines, taxes=[{"jurisdiction": "p", "tax": vat}])

    parts = zip(split(listed, weights), split(discount, weights), split(tax, weights), strict=True)
    assert journal(*(part(*amounts) for amounts in parts)) == journal(part(listed, discount, tax))


# -- Mutated rules ---------------------------------------------------------------------------------

RULES = default_text("rules.toml").splitlines()
LEGS = [n for n, line in enumerate(RULES) if line.startswith(("  { debit", "  { credit"))]


@pytest.mark.parametrize("number", LEGS)
def test_a_shipped_rule_that_lost_any_leg_is_refused(number: int) -> None:
    text = "\n".join(RULES[:number] + RULES[number + 1 :])
    with pytest.raises(BookRefused, match="does not balance"):
        make_book(default_text("chart.toml"), text)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(LEGS), st.sampled_from(["side", "where", "entity", "amount"]))
def test_a_shipped_rule_with_an_unbalanced_leg_is_refused(number: int, what: str) -> None:
    leg = RULES[number]
    if what == "side":
        side, other = ("debit", "credit") if "{ debit" in leg else ("credit", "debit")
        leg = leg.replace(side, other, 1)
    elif what == "where":
        leg = (
            leg.split(", where")[0].rstrip(" },")
            + ' }, { debit = "till-income", amount = "amount" },'
        )
    elif what == "entity":
        leg = leg.replace('amount = "', 'entity = "fulfilling", amount = "', 1)
    else:
        leg = leg.replace(' amount = "', ' amount = "no-', 1)
    text = "\n".join([*RULES[:number], leg, *RULES[number + 1 :]])
    with pytest.raises(BookRefused):
        make_book(default_text("chart.toml"), text)
