"""Failures of places count when they are newer than what allowed the place, in any order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.orchestration.test_orders_sourced import failed
from tests.orchestration.trade import KEY, Model, about, line, order, placed
from tillbridge.canonical.stock import ReserveStock, SourcingAsked
from tillbridge.orchestration.orders.failures import ALLOWED, NO_PICK, recount, standing
from tillbridge.orchestration.orders.state import Failure, OrderState

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
TIMES = st.integers(0, 9).map(lambda hour: NOON + timedelta(hours=hour))
FAILURES = st.builds(
    Failure,
    location=st.sampled_from(("wh", "store")),
    reason=st.sampled_from((NO_PICK, "rejected", ALLOWED)),
    at=TIMES,
)


def _state(found: list[Failure]) -> OrderState:
    return OrderState(KEY, failures={str(n): one for n, one in enumerate(found)})


@given(st.lists(FAILURES, max_size=6))
def test_a_failure_counts_when_it_is_newer_than_every_allowance(found: list[Failure]) -> None:
    counts = standing(_state(found))
    for one in found:
        allowed = [o.at for o in found if o.reason == ALLOWED and o.location == one.location]
        newer = one.at is not None and all(at is not None and one.at > at for at in allowed)
        assert (one in counts) == (one.reason != ALLOWED and newer)
    backwards = standing(_state(found[::-1]))
    assert sorted(map(repr, counts)) == sorted(map(repr, backwards))


@given(st.lists(FAILURES, max_size=6))
def test_only_a_place_that_refused_nothing_is_opened_by_a_count(found: list[Failure]) -> None:
    told = recount(standing(_state(found)))
    refused = {one.location for one in standing(_state(found)) if one.reason == "rejected"}
    assert refused.isdisjoint(told.places)
    assert bool(told.places) == (told.failed_at is not None)


def test_an_allowed_place_is_asked_again() -> None:
    model = Model().tell([placed(order((line("a", product="p"),))), failed("f1", "wh")])
    asked = [body for body in model.emitted if isinstance(body, ReserveStock)]
    assert (asked[-1].barred, asked[-1].recount) == (("wh",), ("wh",))
    model.tell([SourcingAsked(allows=("wh",), **about(11))])
    asked = [body for body in model.emitted if isinstance(body, ReserveStock)]
    assert (asked[-1].barred, asked[-1].recount) == ((), ())
    model.tell([failed("f2", "wh", at=12)])
    asked = [body for body in model.emitted if isinstance(body, ReserveStock)]
    assert asked[-1].barred == ("wh",)
