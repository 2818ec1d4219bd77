"""A card of which more was spent than was on it is a case, and none as soon as it is covered."""

from __future__ import annotations

from psycopg import Connection

from tests.posting.money_facts import NOW, deposit, take
from tillbridge.canonical.fact import Fact
from tillbridge.posting.money.cards import movements, tie_out
from tillbridge.posting.money.examples import fact_of
from tillbridge.reconciliation.cards import tell_overdrawn

SPENT = {"tender": "gift-card", "kind": "gift_card", "amount": 3000, "card": "GC-12345678"}


def issued(amount: int) -> Fact:
    told = {"card": "GC-12345678", "reason": "given", "reference": "t1", "amount": amount}
    words = {"entity": "DE", "currency": "EUR", "key": "card/GC-12345678", "id": "card/t1"}
    return fact_of("GiftCardIssued", {**words, **told})


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
