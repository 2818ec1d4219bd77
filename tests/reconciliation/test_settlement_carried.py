"""Payouts below zero: left for the next one to take, or debited from our bank, never both and never
believed without the sums.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from psycopg import Connection

from tests.reconciliation.provider import Provider, head, line
from tillbridge.app import registry
from tillbridge.canonical.settlement import BankLine, SettlementLine, StatementTold
from tillbridge.reconciliation.blocking import Scope
from tillbridge.reconciliation.settlement.blocking import payouts
from tillbridge.reconciliation.settlement.report import payout, tie_outs
from tillbridge.reconciliation.settlement.rules import SettleRules, carries_forward

LATER = datetime(2026, 3, 31, 12, tzinfo=UTC)
FIRST, SECOND, THIRD = date(2026, 3, 5), date(2026, 3, 12), date(2026, 3, 19)


@pytest.fixture
def psp(connection: Connection[Any]) -> Provider:
    """A provider that carries forward, with a bank."""
    found = Provider(connection, carries_forward=True, bank="bank", bank_texts=["PSP"])
    found.captured("c1", 1000)
    return found


def ads(amount: int, of: str) -> SettlementLine:
    """What advertising cost."""
    return line(f"ads-{of}", -amount, type="advertising", payout=of)


def below_zero(psp: Provider) -> None:
    """The first payout: advertising for 5.00 and no sale."""
    psp.file([ads(500, "p1"), head(-500, paid_on=FIRST)])


def taken(psp: Provider, total: int = 500, *more: SettlementLine) -> None:
    """The second one: a sale of 10.00."""
    psp.file([line("c1", 1000, payout="p2"), *more, head(total, "p2", paid_on=SECOND)])


def standing(psp: Provider) -> int:
    """What is carried forward, in the status."""
    found = [one for one in tie_outs(psp.connection, [psp.account]) if one.name == "clearing/psp"]
    return sum(p.amount for p in found[0].open if p.what == "carried forward to the next payout")


def at_bank(psp: Provider, amount: int, day: date, closing: int) -> None:
    """A statement with one line."""
    psp.file(
        [
            StatementTold(
                statement=f"s{day}", account="1", currency="USD", opening=closing - amount,
                closing=closing, first_day=day, last_day=day,
            ),
            BankLine(
                line="b1", statement=f"s{day}", amount=amount, currency="USD", booked_on=day, n=1,
                text="PSP",
            ),
        ],
        name="bank",
    )  # fmt: skip


def test_a_total_below_zero_is_not_sent_and_not_expected_at_the_bank(psp: Provider) -> None:
    below_zero(psp)
    for _ in range(2):
        psp.look(LATER)
        assert (psp.told(), psp.cases()) == ({"advertising": 500}, {})
    assert standing(psp) == -500
    found = payout(psp.connection, "payout/psp/p1")
    assert (found.tied, found.carried, found.brought) == (True, True, 0)
    month = Scope(entity="us", period="2026-03", now=LATER)
    assert list(payouts(psp.connection, month)) == []
    (transit,) = [
        one for one in tie_outs(psp.connection, [psp.account]) if one.name == "payouts-in-transit"
    ]
    assert (transit.theirs, transit.open) == (0, ())


def test_the_next_payout_takes_it_in_its_total(psp: Provider) -> None:
    below_zero(psp)
    psp.look()
    taken(psp)
    psp.look()
    assert psp.cases() == {}
    assert psp.told() == {"advertising": 500, "paid": 500}
    assert (standing(psp), payout(psp.connection, "payout/psp/p2").brought) == (0, -500)
    (sums,) = [one for one in tie_outs(psp.connection, [psp.account]) if "payouts/" in one.name]
    assert (sums.books, sums.theirs) == (0, 0)


def test_the_next_payout_takes_it_in_a_line(psp: Provider) -> None:
    below_zero(psp)
    psp.look()
    taken(psp, 500, line("back", -500, type="carried", payout="p2"))
    psp.look()
    assert (psp.cases(), psp.told()) == ({}, {"advertising": 500, "paid": 500})
    assert (standing(psp), payout(psp.connection, "payout/psp/p2").brought) == (0, 0)


def test_a_charge_of_our_card_and_its_repayment_cancel_out(psp: Provider) -> None:
    below_zero(psp)
    card = line("card", 500, type="topup", payout="p2")
    taken(psp, 1000, line("back", -500, type="carried", payout="p2"), card)
    psp.look()
    assert psp.told() == {"advertising": 500, "paid": 1000, "topup": -500}
    assert (psp.cases(), standing(psp)) == ({}, 0)


def test_files_in_any_order_come_to_the_same(psp: Provider) -> None:
    taken(psp)
    psp.look()
    assert psp.cases() == {"payout_does_not_tie": 500}, "nobody knows yet what it is"
    assert psp.told() == {}
    below_zero(psp)
    psp.look()
    assert (psp.cases(), psp.told()) == ({}, {"advertising": 500, "paid": 500})
    assert standing(psp) == 0


def test_only_what_stands_to_the_cent_is_taken(psp: Provider) -> None:
    below_zero(psp)
    taken(psp, 501)
    psp.look()
    assert psp.cases() == {"payout_does_not_tie": 499}
    assert (psp.told(), standing(psp)) == ({"advertising": 500}, -500)


def test_several_below_zero_add_up_and_are_taken_once(psp: Provider) -> None:
    below_zero(psp)
    psp.file([ads(200, "p2"), head(-700, "p2", paid_on=SECOND)])
    psp.look()
    assert (psp.cases(), standing(psp)) == ({}, -700)
    psp.file([line("c1", 1000, payout="p3"), head(300, "p3", paid_on=THIRD)])
    psp.look()
    assert (psp.cases(), standing(psp)) == ({}, 0)
    assert psp.told() == {"advertising": 700, "paid": 300}
    psp.captured("c2", 900)
    psp.file([line("c2", 900, payout="p4"), head(200, "p4", paid_on=date(2026, 3, 26))])
    psp.look()
    assert psp.cases() == {"payout_does_not_tie": 700}, "it was taken already"


def test_a_debit_that_does_come_is_the_payout(psp: Provider) -> None:
    below_zero(psp)
    psp.look()
    at_bank(psp, -500, date(2026, 3, 7), 9500)
    psp.look()
    assert psp.told() == {"advertising": 500, "paid": -500, "banked": -500}
    assert (psp.cases(), standing(psp)) == ({}, 0)
    assert not payout(psp.connection, "payout/psp/p1").carried
    taken(psp, 1000)
    psp.look()
    assert psp.cases() == {}, "nothing is left to take"


def test_without_the_rule_a_debit_is_expected(connection: Connection[Any]) -> None:
    psp = Provider(connection, carries_forward=False, bank="bank", bank_texts=["PSP"])
    psp.captured("c1", 1000)
    below_zero(psp)
    taken(psp)
    psp.look(LATER)
    psp.look(LATER)
    assert psp.told() == {"advertising": 500, "paid": -500}
    assert set(psp.cases()) == {"payout_not_at_bank", "payout_does_not_tie"}


def test_the_workspace_decides_and_else_the_provider() -> None:
    amazon, stripe = registry.connector("amazon"), registry.connector("stripe")
    assert carries_forward(amazon, SettleRules())
    assert not carries_forward(stripe, SettleRules())
    assert carries_forward(stripe, SettleRules(carries_forward=True))
    assert not carries_forward(amazon, SettleRules(carries_forward=False))
