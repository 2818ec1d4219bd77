"""What of cards is never spent: by policy, once, taken back when a card is used."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import Connection

from tests.posting.money_facts import deposit, take
from tillbridge.canonical.cards import BreakageRecognised
from tillbridge.canonical.fact import Fact
from tillbridge.orchestration.terms import PARTS, TermsRefused, parse_terms
from tillbridge.posting.money.examples import fact_of
from tillbridge.reconciliation.breakage import (
    Card,
    Target,
    Terms,
    look_at_breakage,
    targets,
    terms_of,
)

FIRST = date(2026, 1, 2)
REMOTE = """
[[policy]]
gift_card_breakage = "remote"
gift_card_breakage_days = 365
gift_card_escheat = "60"
"""
PROPORTIONAL = """
[[policy]]
gift_card_breakage = "proportional"
gift_card_breakage_rate = "10"
"""
LATER = datetime(2027, 1, 3, 9, tzinfo=UTC)


def card(name: str, filled: int, redeemed: int = 0, expired: int = 0, days: int = 0) -> Card:
    return Card("DE", "EUR", name, filled, redeemed, expired, FIRST, FIRST + timedelta(days=days))


def issued(amount: int, name: str = "G-77889900") -> Fact:
    told = {"card": name, "reason": "given", "reference": "t1", "amount": amount}
    words = {"entity": "DE", "currency": "EUR", "key": f"card/{name}", "id": f"card/t1/{name}"}
    return fact_of("GiftCardIssued", {**words, **told})


def used(amount: int, order: str, day: date, name: str = "G-77889900") -> Fact:
    tender = {"tender": "gc", "kind": "gift_card", "amount": amount, "card": name}
    return deposit(order, tenders=[tender], business_date=day)


def look(connection: Connection, text: str, now: datetime) -> list[BreakageRecognised]:
    """One run of the schedule, and what it told booked."""
    look_at_breakage(parse_terms(text), connection, now)
    connection.commit()
    rows = connection.execute(
        "select body from record where type = 'BreakageRecognised' order by id"
    ).fetchall()
    facts = [msgspec.json.decode(body, type=BreakageRecognised) for (body,) in rows]
    take(connection, facts)
    return facts


def balances(connection: Connection) -> dict[tuple[str, str], int]:
    rows = connection.execute(
        "select account, item, sum(amount)::bigint from entry_line"
        " where account like 'card-%' or account like '%property' or account like 'gift%'"
        " group by account, item having sum(amount) <> 0"
    )
    return {(account, item): amount for account, item, amount in rows}


def test_a_forgotten_card_is_earned_once_less_what_the_state_gets(connection: Connection) -> None:
    take(connection, [issued(5000)])
    assert look(connection, REMOTE, LATER - timedelta(days=1)) == []
    (fact,) = look(connection, REMOTE, LATER)
    assert (fact.method, fact.version) == ("remote", "breakage/1")
    assert fact.policy == "policies.toml:2"
    assert "G-77889900" not in fact.id
    assert balances(connection) == {
        ("card-promotions", ""): 5000,
        ("gift-card-liability", "card/G-77889900"): -5000,
        ("card-breakage-allowance", "card/G-77889900"): 5000,
        ("card-breakage", ""): -2000,
        ("unclaimed-property", ""): -3000,
    }
    assert len(look(connection, REMOTE, LATER + timedelta(days=40))) == 1


def test_a_card_that_is_used_after_all_takes_its_breakage_back(connection: Connection) -> None:
    take(connection, [issued(5000)])
    look(connection, REMOTE, LATER)
    take(connection, [used(2000, "order/web/9", LATER.date())])
    assert len(look(connection, REMOTE, LATER + timedelta(days=1))) == 2
    found = balances(connection)
    assert ("card-breakage", "") not in found
    assert ("unclaimed-property", "") not in found
    assert ("card-breakage-allowance", "card/G-77889900") not in found
    # forgotten again, with what is left
    look(connection, REMOTE, LATER + timedelta(days=400))
    assert balances(connection)["card-breakage-allowance", "card/G-77889900"] == 3000
    assert balances(connection)["unclaimed-property", ""] == -1800


def test_without_the_policy_everything_is_taken_back(connection: Connection) -> None:
    assert look_at_breakage(parse_terms(""), connection, LATER).startswith("no policy")
    take(connection, [issued(5000)])
    look(connection, REMOTE, LATER)
    look(connection, "", LATER + timedelta(days=1))
    assert set(balances(connection)) == {
        ("card-promotions", ""),
        ("gift-card-liability", "card/G-77889900"),
    }


def test_what_expired_is_not_earned_where_the_state_gets_it(connection: Connection) -> None:
    take(connection, [issued(5000)])
    look(connection, REMOTE, LATER)
    over = {"card": "G-77889900", "reference": "t5", "amount": 5000, "key": "card/G-77889900"}
    take(connection, [fact_of("GiftCardExpired", {"entity": "DE", "currency": "EUR", **over})])
    look(connection, REMOTE, LATER + timedelta(days=1))
    assert balances(connection) == {
        ("card-promotions", ""): 5000,
        ("card-breakage", ""): -2000,
        ("unclaimed-property", ""): -3000,
    }


def test_a_months_cards_are_earned_as_the_others_are_used(connection: Connection) -> None:
    take(connection, [issued(9000, "G-1"), issued(1000, "G-2")])
    assert look(connection, PROPORTIONAL, LATER) == []
    take(connection, [used(4500, "order/web/9", FIRST, "G-1")])
    (fact,) = look(connection, PROPORTIONAL, LATER)
    assert (fact.item, fact.key, fact.card) == ("breakage/2026-01", "breakage/2026-01/DE", "")
    assert [row.amount for row in fact.rows] == [500]  # 10 of 90 for every 90 that are used
    take(connection, [used(4500, "order/web/8", FIRST, "G-1")])
    look(connection, PROPORTIONAL, LATER)
    assert balances(connection)["card-breakage", ""] == -1000
    # the forgotten one is used after all: nothing is left that could have been forgotten
    take(connection, [used(1000, "order/web/7", FIRST, "G-2")])
    look(connection, PROPORTIONAL, LATER)
    assert ("card-breakage", "") not in balances(connection)


_CARDS = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(0, 12_000), st.integers(0, 3_000)), max_size=6
)


@given(
    st.sampled_from(["remote", "proportional"]),
    _CARDS,
    st.integers(0, PARTS),
    st.integers(0, PARTS),
    st.randoms(),
)
def test_never_more_than_is_on_the_cards_in_any_order(
    method: str,
    told: list[tuple[int, int, int]],
    rate: int,
    escheat: int,
    chance: random.Random,
) -> None:
    terms, today = Terms(method, 10, rate, escheat, "x:1"), date(2027, 1, 1)
    cards = [card(str(n), *amounts) for n, amounts in enumerate(told)]
    found = targets(cards, lambda _: terms, today)
    chance.shuffle(cards)
    assert targets(cards, lambda _: terms, today) == found
    on_cards = sum(max(one.balance, 0) for one in cards)
    assert 0 <= sum(one.income + one.escheat for one in found.values()) <= on_cards
    state = sum(one.escheat for one in found.values())
    expired = sum(one.expired for one in cards)
    assert state <= on_cards + expired
    if escheat == PARTS:  # all belongs to the state: nothing of it is left as earned
        assert sum(one.income for one in found.values()) == -expired


def test_a_card_on_which_something_happens_is_not_forgotten() -> None:
    terms = Terms("remote", 365, 0, 0, "x:1")
    slot = ("DE", "EUR", "card/a")
    kept = targets([card("a", 500, days=30)], lambda _: terms, FIRST + timedelta(days=366))
    assert kept == {}
    gone = targets([card("a", 500)], lambda _: terms, FIRST + timedelta(days=366))
    assert gone == {slot: Target(500, 0)}


def test_the_policy_is_that_of_the_entity_on_the_day_it_is_worked_out() -> None:
    text = REMOTE + '\n[[policy]]\nfrom = 2027-01-01\nentity = "AT"\ngift_card_escheat = "0"\n'
    sale = parse_terms(text)
    assert terms_of(sale, FIRST, "AT").escheat == 600_000
    assert terms_of(sale, LATER.date(), "AT").escheat == 0
    assert terms_of(sale, LATER.date(), "DE").place == "policies.toml:2"


@pytest.mark.parametrize(
    "line",
    [
        'gift_card_breakage = "soon"',
        "gift_card_breakage_rate = 7.5",
        'gift_card_breakage_rate = "101"',
        'gift_card_escheat = "0.00001"',
        'gift_card_escheat = "much"',
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused(line: Any) -> None:
    with pytest.raises(TermsRefused):
        parse_terms(f"[[policy]]\n{line}\n")
