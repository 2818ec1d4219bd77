"""Goods that several systems tell of under ids of their own: they leave once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.orchestration.trade import Model, about, capture, line, order, parcel, placed, version
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.shipments import GoodsDelivered, GoodsShipped, ShippedLine
from tillbridge.orchestration.orders.same_goods import TOLD_TWICE, road_of

GOODS = (line("a", quantity=3000, list=3000), line("b", quantity=2000, list=500))
ORDER = order(GOODS)
PAID = [placed(ORDER), capture(ORDER.total)]


def left(model: Model) -> dict[str, int]:
    """Whole pieces that left for the buyer, by product."""
    sums: dict[str, int] = {}
    for (_, product), much in model.movements().items():
        sums[product] = sums.get(product, 0) - much // 1000
    return sums


def tracked(fact: GoodsShipped, number: str) -> GoodsShipped:
    """The same parcel with its tracking number."""
    return msgspec.structs.replace(fact, tracking=number)


def test_ids_say_who_tells() -> None:
    key = "order/web/1"
    assert [road_of(name, key) for name in ("5001", "web/7", "wms/P/1")] == ["", "", "wms"]


def test_the_warehouse_and_the_shop_tell_the_same_parcel() -> None:
    both = [parcel("wms/P1", {"a": 3, "b": 2}), parcel("5001", {"a": 3, "b": 2}, at=9)]
    model = Model().tell([*PAID, *both])
    assert left(model) == {"sku-a": 3, "sku-b": 2}
    assert model.state.recognised["a"].quantity == 3000
    assert model.notices == []
    assert list(model.state.shipments) == ["wms/P1"]


def test_one_system_tells_two_parcels_of_the_same_lines() -> None:
    model = Model().tell([*PAID, parcel("wms/P1", {"a": 1}), parcel("wms/P2", {"a": 1}, at=3)])
    assert left(model) == {"sku-a": 2}


def test_one_tracking_number_is_one_parcel_whatever_the_lines() -> None:
    whole = tracked(parcel("wms/P1", {"a": 2, "b": 1}), "T1")
    parts = [tracked(parcel("1", {"a": 2}, at=8), "T1"), tracked(parcel("2", {"b": 1}, at=9), "T1")]
    model = Model().tell([*PAID, *parts, whole])
    assert left(model) == {"sku-a": 2, "sku-b": 1}


def test_two_tracking_numbers_are_two_parcels() -> None:
    model = Model().tell(
        [*PAID, tracked(parcel("wms/P1", {"a": 1}), "T1"), tracked(parcel("1", {"a": 1}), "T2")]
    )
    assert left(model) == {"sku-a": 2}
    assert model.notices == []


def test_where_both_may_have_left_they_count_once_and_a_person_is_asked() -> None:
    model = Model().tell([*PAID, parcel("wms/P1", {"a": 1}), parcel("5001", {"a": 1}, at=9)])
    assert left(model) == {"sku-a": 1}
    assert model.notices == [TOLD_TWICE]
    apart = [
        tracked(parcel("wms/P1", {"a": 1}, at=10), "T1"),
        tracked(parcel("5001", {"a": 1}, at=11), "T2"),
    ]
    model.tell(apart)
    assert left(model) == {"sku-a": 2}
    assert model.settled == [TOLD_TWICE]


def test_what_one_of_them_takes_back_the_other_may_still_have_sent() -> None:
    model = Model().tell([*PAID, parcel("wms/P1", {"a": 1}), parcel("5001", {"a": 1}, at=9)])
    model.tell([parcel("wms/P1", {"a": 1}, at=12, state="cancelled")])
    assert left(model) == {"sku-a": 1}
    assert list(model.state.shipments) == ["5001", "wms/P1"]


def test_beyond_what_there_is_to_send_nothing_left() -> None:
    """The shop shows another place than the store says: once, and a person is asked."""
    told = [parcel("pos/S1", {"a": 3}, place="store"), parcel("5001", {"a": 3}, at=9)]
    model = Model().tell([*PAID, *told])
    assert left(model) == {"sku-a": 3}
    assert model.movements()[("store", "sku-a")] == -3000
    assert model.notices == [TOLD_TWICE]


def test_a_carrier_tells_the_delivery_of_the_warehouses_parcel() -> None:
    delivered = GoodsDelivered(shipment="dhl/T1", version=version(20), tracking="T1", **about(20))
    model = Model().tell([*PAID, tracked(parcel("wms/P1", {"a": 3, "b": 2}), "T1"), delivered])
    assert [one.state for one in model.state.shipments.values()] == ["delivered"]
    assert left(model) == {"sku-a": 3, "sku-b": 2}


_NAMES = ("5001", "5002", "wms/P1", "wms/P2", "pos/S1")


@st.composite
def tellings(draw: st.DrawFn) -> list[Fact]:
    """An order that is paid, and parcels that three systems tell."""
    facts: list[Fact] = list(PAID)
    for number in range(draw(st.integers(2, 8))):
        name = draw(st.sampled_from(_NAMES))
        lines = draw(st.sampled_from(({"a": 1}, {"a": 3}, {"a": 1, "b": 1}, {"b": 2})))
        words: dict[str, Any] = {
            "at": draw(st.integers(2, 30)),
            "state": draw(st.sampled_from(("shipped", "shipped", "open", "cancelled"))),
            "place": draw(st.sampled_from(("wh", "store"))),
        }
        told = parcel(name, lines, **words)
        tracking = draw(st.sampled_from(("", "", "T1", "T2")))
        facts.append(msgspec.structs.replace(told, tracking=tracking, id=f"{told.id}/{number}"))
    return facts


@settings(max_examples=200, deadline=None, derandomize=True)
@given(facts=tellings(), data=st.data())
def test_the_end_does_not_depend_on_who_speaks_first(
    facts: list[Fact], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(facts), max_size=3))
    one = Model().tell(facts)
    other = Model()
    for fact in data.draw(st.permutations([*facts, *again])):
        other.tell([fact])
        stored = msgspec.json.encode(other.state)
        other.state = msgspec.json.decode(stored, type=type(other.state))
    assert other.end() == one.end()
    assert other.state.shipments == one.state.shipments


@settings(max_examples=100, deadline=None, derandomize=True)
@given(facts=tellings())
def test_several_never_send_more_than_there_is(facts: list[Fact]) -> None:
    """One alone may tell too much, which is his to answer for; together they never add to it."""
    model = Model().tell(facts)
    gone: dict[str, dict[str, int]] = {}
    for name, one in model.state.shipments.items():
        for row in one.lines if one.state == "shipped" else ():
            told = gone.setdefault(row.line, {})
            road = road_of(name, model.state.key)
            told[road] = told.get(road, 0) + row.quantity
    for name, by_road in gone.items():
        ordered = next(one.quantity for one in GOODS if one.line == name)
        assert sum(by_road.values()) <= max(ordered, *by_road.values())


@pytest.mark.parametrize("first", [True, False])
def test_lines_told_by_one_alone_are_its_own(first: bool) -> None:
    facts = [parcel("wms/P1", {"a": 3}), parcel("5001", {"b": 2}, at=9)]
    model = Model().tell([*PAID, *(facts if first else reversed(facts))])
    assert left(model) == {"sku-a": 3, "sku-b": 2}
    assert ShippedLine("b", 2000) in model.state.shipments["5001"].lines
