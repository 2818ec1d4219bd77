"""What a buyer is owed is what stands open on his order once nothing more of it can be earned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings

from tests.orchestration.trade import (
    KEY,
    NOON,
    Model,
    Trade,
    about,
    capture,
    changed,
    line,
    order,
    parcel,
    placed,
    trades,
)
from tillbridge.canonical.orders import OrderCancelled
from tillbridge.canonical.payments import PaymentRefunded
from tillbridge.canonical.returns import RefundAdjustment, RefundIssued, RefundPayment
from tillbridge.orchestration.orders.owed import owed, refund_due_at, unexplained
from tillbridge.orchestration.orders.pickup import ready_since

DEPOSIT = ("customer-deposits", KEY)


def open_(model: Model) -> int:
    """What the books hold for the buyer."""
    return -model.items.get(DEPOSIT, 0)


@settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
@given(trades())
def test_it_is_the_open_deposit_of_every_order_that_is_over(trade: Trade) -> None:
    model = Model().tell(trade.facts)
    assert owed(model.state) == max(open_(model), 0)


def test_a_cancelled_order_owes_all_that_was_paid_until_it_is_given_back() -> None:
    sold = order([line("1"), line("2")])
    model = Model().tell([placed(sold), capture(2200)])
    assert (owed(model.state), refund_due_at(model.state)) == (0, None)
    at = NOON + timedelta(days=1)
    gone = msgspec.structs.replace(sold, version="2026-03-03T12:00:00Z", cancelled_at=at)
    model.tell([OrderCancelled(order=gone, **about(5))])
    assert owed(model.state) == open_(model) == 2200
    assert refund_due_at(model.state) == at + timedelta(days=3)
    model.tell([_paid_back(2200)])
    assert (owed(model.state), refund_due_at(model.state)) == (0, None)


def test_what_is_paid_beyond_the_total_stays_on_the_order() -> None:
    model = Model().tell([placed(order([line("1")])), capture(1100), capture(300, 2)])
    assert owed(model.state) == 300
    model.tell([parcel("p", {"1": 1})])
    assert owed(model.state) == open_(model) == 300
    assert refund_due_at(model.state) == NOON + timedelta(days=3)


def test_an_order_that_became_cheaper_after_it_was_paid_owes_the_difference() -> None:
    model = Model().tell([placed(order([line("1"), line("2")])), capture(2200)])
    model.tell([changed(order([line("1")], at=9), 9)])
    assert owed(model.state) == 1100
    assert refund_due_at(model.state) == datetime(2026, 3, 5, 12, 9, tzinfo=UTC)


def test_only_what_lies_ready_waits_for_its_buyer() -> None:
    model = Model().tell([placed(order([line("1"), line("2")])), capture(2200)])
    assert ready_since(model.state) is None
    model.tell([parcel("a", {"1": 1}, 3, "ready"), parcel("b", {"2": 1}, 2, "ready")])
    assert ready_since(model.state) == NOON + timedelta(minutes=2)
    model.tell([parcel("b", {"2": 1}, 4, "collected")])
    assert ready_since(model.state) == NOON + timedelta(minutes=3)


def _paid_back(amount: int) -> PaymentRefunded:
    told: dict[str, Any] = {
        "reference": "back",
        "tender": "visa",
        "amount": amount,
        "currency": "USD",
    }
    return PaymentRefunded(**told, **about(8))


def test_a_refund_that_names_nothing_is_asked_about_until_something_accounts_for_it() -> None:
    told = [placed(order([line("1"), line("2")])), capture(2200), _given(500)]
    model = Model().tell([*told, parcel("p", {"1": 1, "2": 1})])
    assert unexplained(model.state) == 500
    assert model.notices == ["refund_unexplained"]
    model.tell([_given(500, RefundAdjustment("discrepancy", 500))])
    assert (unexplained(model.state), model.state.noticed) == (0, ())
    assert model.items[DEPOSIT] == 0


def test_a_cheaper_order_accounts_for_a_refund_that_names_nothing() -> None:
    sold = [placed(order([line("1"), line("2")])), capture(2200), _given(1100)]
    model = Model().tell(sold)
    assert unexplained(model.state) == 1100
    model.tell([changed(order([line("1")], at=9), 9)])
    assert (unexplained(model.state), model.state.noticed) == (0, ())


def _given(amount: int, *adjustments: RefundAdjustment) -> RefundIssued:
    return RefundIssued(
        refund="r1",
        version=f"2026-03-02T13:0{len(adjustments)}:00Z",
        currency="USD",
        adjustments=adjustments,
        payments=(RefundPayment("x1", "visa", amount),),
        **about(20 + len(adjustments)),
    )
