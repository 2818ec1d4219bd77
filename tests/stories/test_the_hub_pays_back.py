"""Goods come back to the warehouse, and the hub has the shop pay the buyer: once, by the tender it
came by, and above a limit only when two people say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.shop_that_is_told import Told, bought, told_house
from tillbridge.connectors.sandbox.erp_faults import Fault

POLICIES = """
[[policy]]
refund_by = "hub"
refund_approval = { USD = "40.00" }
"""
ALL = ((11, 2), (12, 1))


@pytest.fixture
def hub(tmp_path: Path, database_url: str) -> Iterator[Told]:
    with told_house(tmp_path / "house", database_url, POLICIES) as found:
        found.sells(bought())
        found.bag("P1", "shipped", ALL, "T-1")
        found.drain()
        found.echo()
        yield found


def given_back(hub: Told) -> list[int]:
    """What the shop gave back, cents."""
    ((_, state),) = hub.shop.standing()
    return [one.amount for one in state.refunds]


def refunded(hub: Told) -> int:
    """What the hub booked as given back."""
    rows = hub.rows(
        "select coalesce(sum((t ->> 'amount')::bigint), 0) from record r,"
        " json_array_elements(convert_from(r.body, 'UTF8')::json -> 'tenders') t"
        " where r.type = 'RefundPaid'"
    )
    return int(rows[0][0])


def test_a_return_is_paid_back_once_whoever_tells_of_it(hub: Told) -> None:
    hub.returned("R1", [(11, 1)])
    hub.shop.faults.add(Fault(do="lost", on="read", skip=1))  # the answer is lost on its way
    hub.drain(3)
    assert given_back(hub) == [2160]
    assert hub.echo() == ["refunds/create", "orders/updated"]
    hub.drain()
    assert given_back(hub) == [2160]
    assert refunded(hub) == 2160
    assert [state for _, state, _ in hub.sent("refund")] == ["accepted"]


def test_two_people_say_yes_to_what_is_above_the_limit(hub: Told) -> None:
    hub.returned("R1", ALL)
    hub.drain()
    assert given_back(hub) == []
    assert hub.cases() == ["refund_approval"]
    said = hub.verb("orders", "refund", "4711")
    assert "54.00 USD back to the buyer" in said
    hub.flow()
    hub.drain()
    if "proposal" in said:
        assert given_back(hub) == []
        return
    assert given_back(hub) == [5400]
    hub.echo()
    assert refunded(hub) == 5400
    assert hub.cases() == []
    assert hub.lies() == []


def test_the_shop_refuses_and_a_person_is_told(hub: Told) -> None:
    hub.shop.faults.add(Fault(do="refuse", on="read", skip=1, words="no access"))
    hub.returned("R1", [(12, 1)])
    hub.drain()
    assert (given_back(hub), hub.cases()) == ([], ["document_refused"])
