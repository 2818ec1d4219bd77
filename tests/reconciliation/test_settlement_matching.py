"""Lines to money: exact references, the intent, all lines of an order; what differs says so."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from psycopg import Connection

from tests.reconciliation.provider import NOW, Provider, head, line
from tillbridge.canonical.settlement import FileTotal
from tillbridge.posting.money.entries import entry_id


@pytest.fixture
def psp(connection: Connection[Any]) -> Provider:
    """A provider with nothing told."""
    return Provider(connection, tolerance=5, orders=["web"])


def _how(psp: Provider) -> dict[str, tuple[str, str, int]]:
    rows = psp.connection.execute(
        "select l.line, m.how, m.key, m.difference from settlement_match m"
        " join settlement_line l on l.id = m.line"
    )
    return {name: (how, key, off) for name, how, key, off in rows}


def test_a_line_finds_its_money_by_reference_and_the_fee_is_told(psp: Provider) -> None:
    psp.captured("c1", 1000)
    psp.captured("r1", -300, key="order/web/c1")
    psp.file([line("c1", 1000, 30), line("r1", -300), head(670)])
    looked = psp.look()
    assert (looked.movements, looked.payouts, looked.booked) == (2, 1, 1)
    assert psp.told() == {"fee": 30, "paid": 670}
    assert _how(psp) == {
        "t-c1": ("reference", "order/web/c1", 0),
        "t-r1": ("reference", "order/web/c1", 0),
    }
    assert psp.cases() == {}
    assert psp.look().booked == 0


def test_head_and_lines_come_in_any_order_and_in_parts(psp: Provider) -> None:
    psp.captured("c1", 1000)
    psp.file([head(1500)])
    psp.look()
    psp.file([line("c1", 1000)])
    psp.look()
    assert psp.cases() == {"payout_does_not_tie": 500}
    assert psp.told() == {}
    psp.captured("c2", 500)
    psp.file([line("c2", 500)])
    psp.look()
    assert psp.cases() == {}
    assert psp.told() == {"paid": 1500}


def test_a_difference_that_changes_is_told_with_what_it_is_now(psp: Provider) -> None:
    psp.captured("c1", 1000)
    psp.file([head(1500), line("c1", 1000)])
    psp.look()
    assert psp.cases() == {"payout_does_not_tie": 500}
    psp.file([line("", -100, type="fee", line="f")])
    psp.look()
    assert psp.cases() == {"payout_does_not_tie": 600}


def test_a_line_that_changes_no_sum_is_in_the_entry_of_what_was_told_before(psp: Provider) -> None:
    psp.captured("c1", 1000)
    psp.file([head(1000, itemised=False)])
    psp.look()
    psp.file([line("c1", 1000)])
    psp.look()
    told = psp.connection.execute("select count(*) from record where type = 'SettlementMatched'")
    assert told.fetchall() == [(1,)]
    ((entry,),) = psp.connection.execute("select entry from settlement_match")
    assert entry == entry_id("payout/psp/p1/settled/1", "us")


def test_converted_money_that_is_told_late_is_found_as_well(psp: Provider) -> None:
    psp.file([line("c1", 1100, presented=1000, presented_currency="EUR"), head(1100)])
    psp.look()
    assert psp.cases() == {"settlement_line_unmatched": 1100}
    psp.captured("c1", 1000, currency="EUR")
    psp.look()
    assert psp.cases() == {}
    assert _how(psp) == {"t-c1": ("reference", "order/web/c1", 0)}


def test_lines_of_an_intent_and_of_an_order_find_their_money(psp: Provider) -> None:
    psp.captured("pay-1", 1000, intent="pi_1")
    psp.captured("web-7", 5000, key="order/web/7")
    psp.file(
        [
            line("ch_1", 1000, parent="pi_1"),
            line("", 3000, order="7", line="t-a"),
            line("", 2000, order="7", line="t-b2"),
            line("", -700, type="commission", line="t-c"),
            head(5300),
        ]
    )
    psp.look()
    assert psp.told() == {"commission": 700, "paid": 5300}
    assert _how(psp) == {
        "t-ch_1": ("intent", "order/web/pay-1", 0),
        "t-a": ("order", "order/web/7", 0),
        "t-b2": ("order", "order/web/7", 0),
        "t-c": ("own", "", 0),
    }


def test_a_difference_within_tolerance_is_a_proposal_and_books_nothing(psp: Provider) -> None:
    psp.captured("c1", 1000)
    psp.file([line("c1", 996), head(996)])
    psp.look()
    assert psp.cases() == {"settlement_line_differs": 4}
    ((remedy,),) = psp.connection.execute("select remedy from exception_case")
    assert remedy == "tillbridge reconcile accept payout/psp/p1 --as rounding"
    assert psp.told() == {"paid": 996}


def test_money_settled_twice_differs_by_all_of_it(psp: Provider) -> None:
    psp.captured("c1", 1000)
    psp.file([line("c1", 1000), head(1000)])
    psp.look()
    again = line("c1", 1000, line="t-other", payout="p2")
    psp.file([again, head(1000, "p2")])
    psp.look()
    assert psp.cases() == {"settlement_line_differs": 1000}


def test_a_capture_settled_in_two_parts_differs_only_in_between(psp: Provider) -> None:
    psp.captured("c1", 1000)
    psp.file([line("c1", 400), head(400)])
    psp.look()
    assert psp.cases() == {"settlement_line_differs": 600}
    psp.file([line("c1", 600, line="t-2", payout="p2"), head(600, "p2")])
    psp.look()
    assert sum(off for _, _, off in _how(psp).values()) == 0


def test_a_converted_line_is_held_against_what_the_buyer_paid(psp: Provider) -> None:
    psp.captured("c1", 1000, currency="EUR")
    psp.captured("c2", 1000, currency="EUR")
    psp.captured("c3", 1000, currency="EUR")
    psp.file(
        [
            line("c1", 1100, presented=1000, presented_currency="EUR"),
            line("c2", 1100, rate="1.1"),
            line("c3", 1100),
            head(3300),
        ]
    )
    psp.look()
    assert [how for how, _, _ in _how(psp).values()] == ["reference", "reference", "currency"]
    assert psp.cases() == {"settlement_line_currency": 1100}


def test_money_that_came_at_another_rate_than_it_is_booked_at_is_a_realised_difference(
    psp: Provider,
) -> None:
    psp.captured("c1", 10_000, currency="EUR", key="order/web/1")
    number = "00000000-0000-0000-0000-000000000001"
    psp.connection.execute(
        "insert into entry select %s, 'f', 'DepositReceived', 'x', 'order/web/1', 'us', 'r', 'v',"
        " 'x', '2026-03-01', '2026-03-01', 'USD', 'web', 'web', '', 'documents', null, 2, now()",
        (number,),
    )
    psp.connection.execute(
        "insert into entry_line values (%s, 1, 'clearing/psp', 11000, 10000, 'EUR', ''),"
        " (%s, 2, 'customer-deposits', -11000, -10000, 'EUR', 'order/web/1')",
        (number, number),
    )
    psp.file([line("c1", 11_100, presented=10_000, presented_currency="EUR"), head(11_100)])
    psp.look()
    assert psp.told() == {"fx_realised": -100, "paid": 11_100}
    assert psp.cases() == {}


def test_a_provider_that_is_paid_by_us_and_a_payout_of_nothing(psp: Provider) -> None:
    psp.captured("r1", -300)
    psp.file([line("r1", -300), head(-300), line("x", -5, payout="p2", type="fee"),
              line("y", 5, payout="p2", type="carried"), head(0, "p2")])  # fmt: skip
    psp.look()
    assert psp.told() == {"fee": 5, "paid": -300}
    assert psp.cases() == {}


def test_lines_without_a_total_and_heads_without_lines_are_told(psp: Provider) -> None:
    psp.file([line("c1", 1000)])
    psp.file([head(50, "p2")])
    psp.look()
    assert psp.cases() == {"payout_without_total": 1000}
    psp.connection.execute("update payout set heard_at = heard_at - interval '2 days'")
    psp.look()
    words = [w for (w,) in psp.connection.execute("select words from exception_case order by id")]
    assert "nothing says what psp paid out" in words[0]
    assert "its lines never came" in words[1]


def test_a_manual_payout_is_booked_without_lines(psp: Provider) -> None:
    psp.file([head(700, itemised=False)])
    psp.look()
    assert psp.told() == {"paid": 700}


def test_a_file_whose_own_totals_are_wrong_is_told(psp: Provider) -> None:
    psp.file([FileTotal(lines=2, net=900), line("c1", 1000)])
    ((words,),) = psp.connection.execute("select words from exception_case")
    assert "it says 2 rows and holds 1" in words
    assert psp.cases() == {"settlement_file_broken": 0}


def test_a_line_told_again_stands_as_it_was_told_first(psp: Provider) -> None:
    psp.file([line("c1", 1000)])
    psp.file([line("c1", 1000)])
    assert psp.cases() == {}
    psp.file([line("c1", 900)])
    assert psp.cases() == {"settlement_line_changed": 100}


def test_no_card_number_is_kept_of_what_a_file_says_besides(psp: Provider) -> None:
    psp.file([line("c1", 1000, extra='{"card":"4111111111111111"}')])
    ((kept,),) = psp.connection.execute("select extra from settlement_line")
    assert "4111111111111111" not in kept


def test_tenders_of_one_account_are_cleared_apart(connection: Connection[Any]) -> None:
    psp = Provider(connection, tenders=["visa", "mc"])
    psp.captured("c1", 1000, tender="visa")
    psp.captured("c2", 500, tender="mc")
    psp.file([line("c1", 1000, 10), line("c2", 500, 5), head(1485)])
    psp.look(NOW)
    ((body,),) = connection.execute("select body from record where type = 'SettlementMatched'")
    rows = msgspec.json.decode(body)["rows"]
    assert [(row["kind"], row["amount"], row["tender"]) for row in rows] == [
        ("fee", 5, "mc"),
        ("fee", 10, "visa"),
        ("paid", 495, "mc"),
        ("paid", 990, "visa"),
    ]
