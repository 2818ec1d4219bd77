"""Terms of sale: which policy says what for which order, and what a file may not say."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from tests.orchestration.trade import line, order
from tillbridge.canonical.orders import Place
from tillbridge.orchestration.policies import ChannelPolicy, Policies
from tillbridge.orchestration.terms import (
    NO_WINDOW,
    OrderTerms,
    TermsRefused,
    Whom,
    needs_person,
    parse_terms,
)

TEXT = """\
[[policy]]
return_days = 30
refund_order = ["gift_card", "card"]

[[policy]]
from = 2026-11-01
country = ["DE", "AT"]
return_days = 60
refund_approval = { EUR = "300.00", JPY = "50000" }

[[policy]]
brand = "outlet"
entity = "us"
channel = "web"
return_days = 0
"""
NOVEMBER = date(2026, 11, 2)


def test_every_policy_that_fits_says_its_fields_and_a_later_one_wins_field_by_field() -> None:
    terms = parse_terms(TEXT)
    german = terms.of(Whom("web", "de", "DE", "", NOVEMBER))
    assert (german.return_days, german.refund_order) == (60, ("gift_card", "card"))
    assert german.refund_approval == {"EUR": 30_000, "JPY": 50_000}
    assert terms.of(Whom("web", "de", "FR", "", NOVEMBER)).return_days == 30
    assert terms.of(Whom("web", "us", "DE", "outlet", NOVEMBER)).return_days == 0
    assert terms.of(Whom("web", "us", "US", "outlet", NOVEMBER)).refund_approval is None
    assert terms.of(Whom("phone", "us", "US", "outlet", NOVEMBER)).return_days == 30


def test_an_order_keeps_the_terms_of_the_day_on_which_it_was_placed() -> None:
    terms = parse_terms(TEXT)
    assert terms.of(Whom("web", "de", "DE", "", date(2026, 10, 31))).return_days == 30
    assert terms.of(Whom("web", "de", "DE", "", date(2026, 11, 1))).return_days == 60


def test_without_a_file_the_programs_own_terms_count() -> None:
    told = order([line("1")])
    assert Policies().terms(told, "us") == OrderTerms()
    assert OrderTerms().return_days == NO_WINDOW


def test_the_country_is_where_it_is_sent_and_the_brand_that_of_the_channel() -> None:
    told = msgspec.structs.replace(order([line("1")]), ship_to=Place("US"))
    channel = ChannelPolicy(channel=told.channel, entity="us", brand="outlet")
    policies = Policies(channels={told.channel: channel}, sale=parse_terms(TEXT))
    assert policies.terms(told, "us").return_days == 0


def test_what_says_a_term_is_told_with_file_and_line() -> None:
    said = dict(parse_terms(TEXT).said(Whom("web", "de", "DE", "", NOVEMBER)))
    assert said["return_days"] == (60, "policies.toml:5")
    assert said["refund_order"] == (("gift_card", "card"), "policies.toml:1")


@pytest.mark.parametrize(
    ("limits", "amount", "currency", "asked"),
    [
        (None, 10**9, "USD", False),
        ({"USD": 25_000}, 24_999, "USD", False),
        ({"USD": 25_000}, 25_000, "USD", True),
        ({"USD": 25_000}, 1, "EUR", True),
    ],
)
def test_a_limit_and_a_currency_without_one_ask_for_a_person(
    limits: dict[str, int] | None, amount: int, currency: str, *, asked: bool
) -> None:
    assert needs_person(limits, amount, currency) is asked


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[policies]]\nreturn_days = 3", "unknown table 'policies'"),
        ("[[policy]]\nreturn_days = -2", "policies.toml:1: return_days: a whole number of days"),
        ("[[policy]]\nreturn_days = true", "a whole number of days"),
        ("\n[[policy]]\nreturns = 3", "policies.toml:2: unknown word 'returns'"),
        ('[[policy]]\nchannel = "web"', "it says nothing"),
        ('[[policy]]\nrevenue_event = "paid"', "one of shipped, delivered"),
        ('[[policy]]\nrefund_order = ["gold"]', "'gold' is none of card"),
        ('[[policy]]\nrefund_order = ["card", "card"]', "named twice"),
        ("[[policy]]\nrefund_approval = { USD = 2.5 }", 'USD: a text such as "250.00"'),
        ('[[policy]]\nrefund_approval = { USD = "2.505" }', "more than 2 decimals"),
        ('[[policy]]\nrefund_approval = { XXZ = "2" }', "is no ISO 4217"),
        ('[[policy]]\nrefund_approval = { USD = "-2" }', "not negative"),
        ("[[policy]]\ntransfer_price = 48", 'a percentage as a text, such as "48", or by entity'),
        ("[[policy]]\ntransfer_price = {}", "or by entity"),
        ('[[policy]]\ntransfer_price = { AT = "120" }', "from 0 to 100"),
        ('[[policy]]\nfrom = "2026-01-01"\nreturn_days = 3', "a day such as 2026-01-31"),
        ("[[policy]]\nfrom = 2026-01-01T00:00:00\nreturn_days = 3", "a day such as"),
        ("return_days = [", "policies.toml: "),
        ("policy = 3", "policies are written as"),
    ],
)
def test_what_a_file_may_not_say_is_told_with_its_place(text: str, words: str) -> None:
    with pytest.raises(TermsRefused) as refused:
        parse_terms(text)
    assert any(words in problem for problem in refused.value.problems)


def test_names_the_workspace_has_not_are_told() -> None:
    assert parse_terms(TEXT).unknown({"shop"}, {"us"}) == ["policies.toml:11: no channel 'web'"]


def test_a_transfer_price_is_for_all_entities_or_by_entity() -> None:
    for said, price in (('"48"', {"*": 480_000}), ('{ AT = "54.83" }', {"AT": 548_300})):
        terms = parse_terms(f"[[policy]]\ntransfer_price = {said}")
        assert terms.of(Whom("web", "de", "DE", "", NOVEMBER)).transfer_price == price
    two = parse_terms('[[policy]]\ntransfer_price = { AT = "48", "*" = "50" }')
    assert two.unknown(set(), {"AT"}) == []
    assert two.unknown(set(), {"DE"}) == ["policies.toml:1: no entity 'AT'"]
