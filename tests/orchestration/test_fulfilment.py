"""Fulfilments from the shelf to the buyer's hand: the same end whatever order they are told in."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.orchestration.trade import (
    Model,
    about,
    capture,
    line,
    order,
    parcel,
    placed,
    refund,
    version,
)
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.returns import RefundLine
from tillbridge.canonical.shipments import (
    FulfilmentTold,
    GoodsAllocated,
    GoodsCollected,
    GoodsDelivered,
    GoodsPacked,
    GoodsPicked,
    GoodsShipped,
    PickupExpired,
    PickupReady,
    ShippedLine,
)
from tillbridge.canonical.stock import ReserveStock
from tillbridge.orchestration.orders.fulfilment import FULFILMENT_STATES
from tillbridge.orchestration.orders.state import OrderState
from tillbridge.orchestration.orders.status import STATUSES, status_of

GOODS = (line("a", quantity=3000, list=3000), line("b", quantity=2000, list=500))
ORDER = order(GOODS)
WHOLE = {"a": 3, "b": 2}


def told(
    kind: type[FulfilmentTold],
    at: int,
    lines: dict[str, int] | None = None,
    name: str = "f1",
    **words: Any,
) -> FulfilmentTold:
    """One telling of a fulfilment; lines: name -> whole pieces."""
    full: dict[str, Any] = {
        "shipment": name,
        "version": version(at),
        "location": "store" if lines else "",
        "lines": tuple(ShippedLine(one, much * 1000) for one, much in (lines or {}).items()),
        **about(at),
        **words,
    }
    return kind(**full)


_KINDS: list[type[FulfilmentTold]] = [*FULFILMENT_STATES, GoodsShipped]


@st.composite
def lives(draw: st.DrawFn) -> list[Fact]:
    """An order that is paid, and tellings of some fulfilments that contradict each other."""
    facts: list[Fact] = [placed(ORDER), capture(ORDER.total)]
    for number in range(draw(st.integers(1, 10))):
        kind = draw(st.sampled_from(_KINDS))
        lines = draw(st.sampled_from((None, {"a": 1}, {"a": 1, "b": 1}, {"b": 2})))
        words: dict[str, Any] = {"id": f"told-{number}"}
        if kind is GoodsShipped:
            words["state"] = draw(st.sampled_from(("open", "shipped", "failed", "cancelled")))
        name = draw(st.sampled_from(("f1", "f2")))
        tracking = draw(st.sampled_from(("", "T1", "T2")))
        words |= {"location": draw(st.sampled_from(("", "store", "wh"))), "tracking": tracking}
        facts.append(told(kind, draw(st.integers(2, 6)), lines, name, **words))
    return facts


_SETTINGS = settings(max_examples=200, deadline=None, derandomize=True)


@_SETTINGS
@given(facts=lives(), data=st.data())
def test_any_order_any_duplication_and_any_cut_of_the_history_end_the_same(
    facts: list[Fact], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations([*facts, *data.draw(st.lists(st.sampled_from(facts)))]))
    cut = data.draw(st.integers(0, len(shuffled)))
    model = Model().tell(shuffled[:cut])
    stored = msgspec.json.encode(model.state)  # the hub went away here, and tells some again
    model.state = msgspec.json.decode(stored, type=OrderState)
    model.tell(shuffled[data.draw(st.integers(0, cut)) :])
    whole = Model().tell(facts)
    assert model.end() == whole.end()
    assert model.state.shipments == whole.state.shipments
    assert status_of(model.state) in STATUSES


@_SETTINGS
@given(facts=lives())
def test_nothing_is_earned_or_held_beyond_what_was_ordered(facts: list[Fact]) -> None:
    model = Model().tell(facts)
    for one in GOODS:
        value = model.state.recognised.get(one.line)
        assert value is None or value.quantity <= one.quantity
        assert 0 <= model.state.wanted.get(one.line, 0) <= one.quantity


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (GoodsAllocated, "allocated"),
        (GoodsPicked, "picking"),
        (GoodsPacked, "picking"),
        (PickupReady, "ready"),
        (GoodsCollected, "collected"),
        (GoodsDelivered, "delivered"),
        (PickupExpired, "expired"),
    ],
)
def test_each_step_has_its_word(kind: type[FulfilmentTold], word: str) -> None:
    model = Model().tell([placed(ORDER), capture(ORDER.total), told(kind, 3, WHOLE)])
    assert status_of(model.state) == word


def test_goods_stay_held_until_they_are_in_the_buyers_hand() -> None:
    model = Model().tell([placed(ORDER), told(PickupReady, 3, WHOLE)])
    assert model.state.wanted == {"a": 3000, "b": 2000}
    assert model.movements() == {}
    model.tell([told(GoodsCollected, 4)])  # names neither lines nor place: those told before
    assert model.state.wanted == {}
    assert model.movements() == {("store", "sku-a"): -3000, ("store", "sku-b"): -2000}
    assert {name: value.quantity for name, value in model.state.recognised.items()} == {
        "a": 3000,
        "b": 2000,
    }


def test_a_delivery_moves_nothing_a_second_time() -> None:
    shipped = [placed(ORDER), parcel("f1", WHOLE, 3)]
    model = Model().tell(shipped)
    moved, emitted = model.movements(), len(model.emitted)
    model.tell([told(GoodsDelivered, 4)])
    assert (model.movements(), len(model.emitted)) == (moved, emitted)
    assert model.state.shipments["f1"].location == "wh"
    assert status_of(model.state) == "delivered"


def test_a_parcel_on_its_way_makes_the_order_no_more_than_shipped() -> None:
    model = Model().tell([placed(ORDER), parcel("f1", {"a": 3}, 3), told(GoodsDelivered, 4)])
    assert status_of(model.state) == "part-shipped"
    model.tell([parcel("f2", {"b": 2}, 5)])
    assert status_of(model.state) == "shipped"


def test_a_pick_up_that_expires_frees_its_goods_and_says_who_must_refund() -> None:
    model = Model().tell([placed(ORDER), capture(ORDER.total), told(PickupReady, 3, WHOLE)])
    model.tell([told(PickupExpired, 3)])
    last = [body for body in model.emitted if isinstance(body, ReserveStock)][-1]
    assert (last.lines, model.state.wanted) == ((), {})
    assert model.notices == ["pickup_expired"]
    assert status_of(model.state) == "expired"


def test_what_was_collected_was_collected_although_its_time_was_over() -> None:
    facts = [placed(ORDER), told(PickupReady, 3, WHOLE)]
    late, expiry = told(GoodsCollected, 5), told(PickupExpired, 3)
    one, other = Model().tell([*facts, expiry, late]), Model().tell([*facts, late, expiry])
    assert one.end() == other.end()
    assert one.movements() == {("store", "sku-a"): -3000, ("store", "sku-b"): -2000}
    assert (one.notices, one.settled) == (["pickup_expired"], ["pickup_expired"])
    assert other.notices == []


def test_the_refund_of_a_pick_up_that_expired_is_not_counted_twice() -> None:
    ready = told(PickupReady, 3, {"a": 1})
    model = Model().tell([placed(ORDER), capture(ORDER.total), ready, told(PickupExpired, 3)])
    assert model.state.wanted == {"a": 2000, "b": 2000}
    back = RefundLine("a", 1000, 1000, (), "cancel")
    model.tell([refund("r1", [back], 6)])
    assert model.state.wanted == {"a": 2000, "b": 2000}
    assert model.settled == ["pickup_expired"]
