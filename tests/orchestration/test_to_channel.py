"""What the channel is told of goods: each step once, and never what it said itself."""

from __future__ import annotations

from typing import Any

import msgspec

from tests.orchestration.trade import POLICIES, Model, about, capture, line, order, parcel, placed
from tests.orchestration.trade import version as told_at
from tillbridge.canonical.channel_documents import FulfilmentDocument
from tillbridge.canonical.documents import DocumentAccepted
from tillbridge.canonical.shipments import PickupExpired, PickupReady, ShippedLine
from tillbridge.orchestration.orders.channel_state import Told
from tillbridge.orchestration.orders.to_channel import reference_of
from tillbridge.orchestration.policies import ChannelPolicy

GOODS = (line("a", quantity=3000, list=3000), line("b", quantity=2000, list=500))
ORDER = order(GOODS)
PAID = [placed(ORDER), capture(ORDER.total)]
TELLING = msgspec.structs.replace(
    POLICIES,
    channels={
        "web": ChannelPolicy(channel="web", entity="us", fulfil_from=("wh",), tells_channel=True)
    },
)
WHOLE = {"a": 3, "b": 2}


def papers(model: Model) -> list[FulfilmentDocument]:
    """What the channel was sent."""
    return [one.fulfilment for one in model.documents("fulfilment")]


def took(model: Model, theirs: str, at: int = 30) -> DocumentAccepted:
    """The channel took the newest document."""
    answer: dict[str, Any] = {**about(at), "id": f"took-{at}"}
    operation = model.documents("fulfilment")[-1].id
    named: dict[str, Any] = {"remote_id": theirs, "number": theirs, "destination": "web"}
    return DocumentAccepted(**answer, operation=operation, kind="fulfilment", **named)


def test_a_channel_that_is_not_to_be_told_hears_nothing() -> None:
    model = Model().tell([*PAID, parcel("wms/P1", WHOLE)])
    assert papers(model) == []
    assert model.state.told is None


def test_each_step_is_told_once() -> None:
    model = Model(TELLING).tell([*PAID, parcel("wms/P1", WHOLE), parcel("wms/P1", WHOLE)])
    assert [(one.fulfilment, one.state, one.reference) for one in papers(model)] == [
        ("wms/P1", "shipped", "1")
    ]
    model.tell([took(model, "5001"), parcel("5001", WHOLE, at=9)])
    assert len(papers(model)) == 1
    assert model.state.told == {"wms/P1": Told("shipped", "", "5001", 1, 1)}
    assert reference_of(model.state) == "1"


def test_the_echo_before_the_answer_is_no_parcel_of_its_own() -> None:
    """Two parcels alike: each echo is taken for one of them, and nothing is told back."""
    both = [parcel("wms/P1", {"a": 1}), parcel("wms/P2", {"a": 1}, at=3)]
    model = Model(TELLING).tell([*PAID, *both])
    model.tell([parcel("5001", {"a": 1}, at=9), parcel("5002", {"a": 1}, at=10)])
    assert sum(model.movements().values()) == -2000
    assert len(papers(model)) == 2
    assert model.notices == []


def test_its_own_fulfilments_it_is_not_told_of() -> None:
    model = Model(TELLING).tell([*PAID, parcel("5001", WHOLE), parcel("wms/P1", WHOLE, at=9)])
    assert papers(model) == []
    assert sum(model.movements().values()) == -5000


def test_what_comes_back_before_the_buyer_has_it_is_taken_back() -> None:
    model = Model(TELLING).tell([*PAID, parcel("wms/P1", WHOLE)])
    model.tell([took(model, "5001"), parcel("wms/P1", WHOLE, at=12, state="cancelled")])
    assert [one.state for one in papers(model)] == ["shipped", "cancelled"]
    assert papers(model)[1].theirs == "5001"


def test_a_pick_up_nobody_came_for_is_cancelled_in_the_shop() -> None:
    unpaid = placed(order(GOODS, collect_at="store"))
    lines = tuple(ShippedLine(name, much * 1000) for name, much in WHOLE.items())
    told: dict[str, Any] = {"shipment": "pos/B1", "version": told_at(5), "lines": lines}
    ready = PickupReady(**about(5), **told, location="store")
    model = Model(TELLING).tell([unpaid, ready])
    assert [one.state for one in papers(model)] == ["ready"]
    model.tell([PickupExpired(**about(6), **told)])
    (command,) = model.documents("order_cancel")
    assert command.order_cancel.reference == "1"
    model.tell([PickupExpired(**about(7), **told)])
    assert len(model.documents("order_cancel")) == 1
