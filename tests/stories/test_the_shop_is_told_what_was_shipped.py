"""The warehouse ships, the store hands over: the web shop is told, once, and its own word for the
same goods changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.shop_that_is_told import Told, bought, told_house
from tillbridge.connectors.sandbox.erp_faults import Fault

ALL = ((11, 2), (12, 1))


@pytest.fixture
def hub(tmp_path: Path, database_url: str) -> Iterator[Told]:
    with told_house(tmp_path / "house", database_url) as found:
        found.sells(bought())
        yield found


def shown(hub: Told) -> list[tuple[str, str, str, dict[int, int]]]:
    """Fulfilments as the shop has them: status, tracking, what it shows, lines."""
    ((_, state),) = hub.shop.standing()
    return [(one.status, one.tracking, one.display, dict(one.lines)) for one in state.shipped]


def status(hub: Told) -> str:
    """How the order stands."""
    return str(hub.rows("select status from order_state where number = '#4711'")[0][0])


def sales(hub: Told) -> int:
    """What was sold of goods, minor units (credit)."""
    return sum(much for name, much in hub.balances().items() if name.split("/")[0] == "sales")


def quiet(hub: Told) -> None:
    """Everything is said, nothing is wrong."""
    assert not hub.drain().moving
    assert hub.cases() == []
    assert hub.lies() == []


def test_a_parcel_of_the_warehouse_reaches_the_shop_with_its_tracking(hub: Told) -> None:
    hub.bag("P1", "packed", ALL)
    hub.drain()
    assert hub.sent("fulfilment") == []
    hub.bag("P1", "shipped", ALL, "T-1", minute=5)
    hub.drain()
    assert shown(hub) == [("SUCCESS", "T-1", "FULFILLED", {11: 2, 12: 1})]
    ((operation, state, number),) = hub.sent("fulfilment")
    assert (operation, state) == ("4711/fulfilment/wms/P1/1", "accepted")
    assert hub.echo() == ["fulfillments/create", "orders/updated"]
    assert (hub.moved("P1"), hub.moved("P2")) == (2, 1)
    assert number in hub.shop.dealings.echoes[0][1]["admin_graphql_api_id"]
    hub.bag("P1", "delivered", minute=90)
    hub.drain()
    assert shown(hub) == [("SUCCESS", "T-1", "DELIVERED", {11: 2, 12: 1})]
    hub.echo()
    assert status(hub) == "delivered"
    assert len(hub.shop.dealings.echoes) == 4
    assert sales(hub) == -5000
    quiet(hub)


def test_the_echo_comes_before_the_answer(hub: Told) -> None:
    """The answer is lost: the shop's webhook is the first to tell of what it was made to do."""
    hub.bag("P1", "shipped", ALL)
    hub.shop.faults.add(Fault(do="lost", on="read", skip=1))
    hub.drain(3)
    assert len(shown(hub)) == 1
    hub.echo()
    assert (hub.moved("P1"), hub.moved("P2")) == (2, 1)
    hub.drain()
    assert len(shown(hub)) == 1
    assert [state for _, state, _ in hub.sent("fulfilment")] == ["accepted"]
    quiet(hub)


def test_what_the_shop_tells_itself_it_is_not_told_back(hub: Told) -> None:
    hub.shop.fulfil_by_hand(4711, {11: 2, 12: 1})
    hub.echo()
    hub.bag("P1", "shipped", ALL)
    hub.drain()
    assert hub.sent("fulfilment") == []
    assert (hub.moved("P1"), hub.moved("P2")) == (2, 1)
    assert sales(hub) == -5000
    quiet(hub)


def test_a_split_order_is_told_parcel_by_parcel_from_where_it_left(hub: Told) -> None:
    hub.bag("S1", "shipped", [(12, 1)], by="pos")
    hub.bag("P1", "shipped", [(11, 2)], "T-1", minute=5)
    hub.drain()
    ((_, state),) = hub.shop.standing()
    assert [(one.location, dict(one.lines)) for one in state.shipped] == [
        ("5502", {12: 1}),
        ("5501", {11: 2}),
    ]
    hub.echo()
    assert (hub.stock("P2", "store-nyc"), hub.stock("P1")) == ((4, 0), (18, 0))
    assert status(hub) == "shipped"
    quiet(hub)


def test_a_tracking_number_that_comes_later_and_a_parcel_that_came_back(hub: Told) -> None:
    hub.bag("P1", "shipped", ALL)
    hub.drain()
    hub.echo()
    hub.bag("P1", "shipped", ALL, "T-9", minute=5)
    hub.drain()
    assert shown(hub) == [("SUCCESS", "T-9", "FULFILLED", {11: 2, 12: 1})]
    hub.bag("P1", "cancelled", ALL, minute=10)
    hub.drain()
    hub.echo()
    assert shown(hub) == [("CANCELLED", "T-9", "CANCELED", {11: 2, 12: 1})]
    assert (hub.moved("P1"), sales(hub)) == (0, 0)
    hub.bag("P2", "shipped", ALL, "T-10", minute=30)
    hub.drain()
    hub.echo()
    assert [one[:2] for one in shown(hub)] == [("CANCELLED", "T-9"), ("SUCCESS", "T-10")]
    assert (hub.moved("P1"), sales(hub)) == (2, -5000)
    quiet(hub)


def test_a_shop_that_refuses_is_a_case_that_is_sent_again(hub: Told) -> None:
    """Somebody cancelled the goods in the shop; the hub was not told."""
    hub.shop.fulfil_by_hand(4711, {11: 2})
    hub.bag("P1", "shipped", [(11, 1)])
    hub.drain()
    assert hub.cases() == ["document_refused"]
    hub.echo()
    assert hub.moved("P1") == 2
