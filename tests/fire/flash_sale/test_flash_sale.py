"""A short flash sale on a real hub, and that each of its checks can see what it is there for."""

from __future__ import annotations

import pytest

from tests.fire.flash_sale.check import Sold, undersold
from tests.fire.flash_sale.figures import LIMITS_MS, RESERVED, Report, Sample, fill, page
from tests.fire.flash_sale.plan import HOT, PHASES, Plan, arrivals
from tests.fire.flash_sale.run import sell
from tests.fire.flash_sale.watch import Backlog, Look
from tests.fire.flash_sale.witness import Cart, Fate

SHORT = Plan(
    seconds=2.0,
    reads=5.0,
    carts=4.0,
    pieces=25,
    stores=30,
    shelves=10,
    soft_seconds=2,
    think_seconds=0.5,
    erp_seconds=0.5,
)


@pytest.mark.timeout(240)
def test_a_short_flash_sale_sells_every_piece_once_and_sends_nobody_away_for_nothing() -> None:
    report = sell(SHORT)
    sold = report.sold
    assert (report.wrong, sold.wrong, report.faults) == ([], [], [])
    assert sold.sent_away > 0
    assert sold.left == 0
    assert sold.held == sold.offered - sold.at_tills == 33
    assert sold.ordered == sold.held + sold.short
    assert report.erp_documents >= sold.held
    assert report.phases["flash"]["availability"].good > 60


def test_arrivals_come_from_the_seed_and_are_twelve_times_as_many_in_the_flash() -> None:
    plan = Plan(seconds=200.0, loads=1)
    found = arrivals(plan, 0)
    assert found == arrivals(plan, 0) != arrivals(plan, 1)
    counts = [sum(plan.phase(one.at) == phase for one in found) for phase in PHASES]
    assert counts[1] == pytest.approx(plan.factor * counts[0], rel=0.1)
    assert counts[2] == pytest.approx(counts[0], rel=0.1)
    hot = [one for one in found if one.product == HOT.code and plan.phase(one.at) == "flash"]
    assert len(hot) == pytest.approx(0.95 * counts[1], rel=0.02)


def cart(fate: Fate, at: float) -> Cart:
    return Cart(HOT.code, at, at + 0.02, fate)


def test_a_buyer_sent_away_while_a_piece_is_free_is_seen() -> None:
    free = [Look(number / 10, 1, 0) for number in range(50)]
    assert undersold([cart("sold out", 2.0)], free) == ["sent away at 2.0 s while 1 were free"]
    assert undersold([cart("held", 2.0)], free) == []


def test_a_piece_in_a_cart_whose_time_is_long_over_counts_as_free() -> None:
    stuck = [Look(number / 10, 0, 2) for number in range(50)]
    assert undersold([cart("sold out", 2.0)], stuck) == ["sent away at 2.0 s while 2 were free"]


def test_a_buyer_sent_away_the_moment_before_a_piece_came_back_is_no_fault() -> None:
    looks = [Look(number / 10, int(number > 21), 0) for number in range(50)]
    assert undersold([cart("sold out", 2.0)], looks) == []


def test_nothing_is_said_of_a_refusal_that_nobody_watched() -> None:
    rare = [Look(number * 1.0, 1, 0) for number in range(5)]
    assert undersold([cart("sold out", 2.0)], rare) == []


def filled(reserved_ms: float, reads_ms: float = 20.0) -> Report:
    plan = Plan(seconds=10.0)
    rows = [Sample(route, 15.0, reads_ms, 200) for route in LIMITS_MS if route != RESERVED]
    rows += [Sample(RESERVED, 15.0, reserved_ms, 200)] * 99
    report = Report(plan=plan, sold=Sold(wrong=[]))
    fill(report, rows, [Look(1.0, 7, 0)], [Backlog(2.0, 3, 4)])
    return report


def test_a_latency_beyond_what_is_promised_is_missed_and_one_within_is_not() -> None:
    assert filled(1_999.0).missed == []
    late = filled(2_500.0).missed
    assert late == ["order reserved: p99 2500 ms in the flash, promised 2000"]
    assert len(filled(10.0, reads_ms=150.0).missed) == 3


def test_seconds_tell_what_was_there_at_their_end() -> None:
    second = filled(10.0).seconds[15]
    assert (second.arrivals, second.left, second.erp_backlog, second.flow_backlog) == (3, 7, 4, 3)
    assert "availability" in page(filled(10.0))
