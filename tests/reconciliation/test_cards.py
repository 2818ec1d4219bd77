"""A card of which more was spent than was on it is a case, and none as soon as it is covered."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from psycopg import Connection

from tests.posting.money_facts import NOW, deposit, take
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.registry import decode
from tillbridge.orchestration.terms import parse_terms
from tillbridge.posting.money.cards import movements, tie_out
from tillbridge.posting.money.examples import fact_of
from tillbridge.reconciliation.cards import look_at_cards, tell_overdrawn

SPENT = {"tender": "gift-card", "kind": "gift_card", "amount": 3000, "card": "GC-12345678"}


def issued(amount: int, kind: str = "GiftCardIssued", card: str = "GC-12345678") -> Fact:
    told = {"card": card, "reason": "given", "reference": "t1", "amount": amount}
    words = {"entity": "DE", "currency": "EUR", "key": f"card/{card}", "id": f"card/t1/{card}"}
    return fact_of(kind, {**words, **told})


def test_a_card_is_a_case_while_more_is_spent_than_was_on_it(connection: Connection) -> None:
    take(connection, [deposit(tenders=[SPENT])])
    told = tell_overdrawn(connection, NOW)
    assert (told.opened, told.closed) == (1, 0)
    (case,) = connection.execute("select reason, owner, amount, words from exception_case")
    assert case[:3] == ("card_overdrawn", "finance", 3000)
    assert case[3].startswith("card *******5678: 30.00 EUR more")
    take(connection, [issued(5000)])
    told = tell_overdrawn(connection, NOW)
    assert (told.opened, told.closed) == (0, 1)
    assert [one.amount for one in movements(connection, ["GC-12345678"])] in (
        [-3000, 5000],
        [5000, -3000],
    )
    (row,) = tie_out(connection)
    assert (row.cards, row.named, row.unnamed, row.liability) == (1, 2000, 0, 2000)


TERMS = """
[[policy]]
gift_card_days = 1095

[[policy]]
from = 2026-01-01
entity = "DE"
store_credit_days = 30
"""


def expired(connection: Connection) -> list[tuple[str, dict[str, object]]]:
    rows = connection.execute("select type, body from record order by id").fetchall()
    return [(name, msgspec.json.decode(body)) for name, body in rows]


def test_credit_is_over_after_the_days_of_its_policy_and_told_once(connection: Connection) -> None:
    sale = parse_terms(TERMS)
    take(connection, [issued(5000), issued(900, "StoreCreditIssued", "S-99887766")])
    last = NOW.replace(day=2) + timedelta(days=30)  # filled on DAY, the second
    assert look_at_cards(sale, connection, last).startswith("0 cards expired")
    told = look_at_cards(sale, connection, last + timedelta(days=1))
    assert told.startswith("1 cards expired")
    look_at_cards(sale, connection, last + timedelta(days=1))
    (name, body), (_, again) = expired(connection)
    assert name == "StoreCreditExpired"
    assert (body["card"], body["amount"], body["policy"]) == ("S-99887766", 900, "policies.toml:5")
    assert body["business_date"] == "2026-02-02"
    assert "S-99887766" not in str(body["id"])
    assert again["id"] == body["id"]
    fact = decode("StoreCreditExpired", 1, msgspec.json.encode(body))
    assert isinstance(fact, Fact)
    take(connection, [fact])
    assert look_at_cards(sale, connection, last + timedelta(days=2)).startswith("0 cards expired")
    held = {row.account: row.liability for row in tie_out(connection)}
    assert held == {"gift-card-liability": 5000, "store-credit-liability": 0}


@pytest.mark.parametrize("terms", ["", "[[policy]]\ngift_card_days = 0\n"])
def test_without_such_a_term_a_card_lasts_for_ever(connection: Connection, terms: str) -> None:
    take(connection, [issued(5000)])
    assert look_at_cards(parse_terms(terms), connection, NOW + timedelta(days=9999)) == (
        "0 cards expired, 0 overdrawn, 0 not any more"
    )
