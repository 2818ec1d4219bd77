"""ShipBob by its rules: one order per reference, cancelled until picked, 150 calls a minute."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec
import pytest

from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.canonical.documents import (
    CANCELLED,
    TOO_LATE,
    FulfilmentCancelDocument,
    FulfilmentRequestDocument,
    GoodsLine,
    SubmitDocument,
)
from tillbridge.canonical.registry import Body, name_of
from tillbridge.canonical.shipments import FulfilmentTold
from tillbridge.canonical.stock import PickFailed
from tillbridge.connectors.sandbox.erp_faults import Fault
from tillbridge.connectors.sandbox.shipbob_simulator import CHANNEL, ShipbobSimulator
from tillbridge.connectors.shipbob import connector
from tillbridge.connectors.shipbob.config import ShipbobSettings
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.conformance.outgoing import NoDirectory
from tillbridge.contract.conformance.samples import RECEIVED_AT
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.contract.names import Proposals
from tillbridge.contract.promises import Assignment, Connection, Message, Receipt

KEY = "order/web/1001"
ASK = f"{KEY}/fulfilment_request/1"
BUYER = PartyDetails("p1", name="Ada", street="1 Main St", city="Albany", country="US")


class Desk:
    """The connector in front of the simulator."""

    def __init__(self, simulator: ShipbobSimulator, url: str, transport: HttpTransport) -> None:
        self.simulator = simulator
        self._transport = transport
        settings = ShipbobSettings(url=url, channel_id=CHANNEL, page_size=2)
        self.connection = Connection(
            name="bob", entity="us", channel="", currency="USD", settings=settings
        )

    @property
    def way(self) -> tuple[Connection, dict[str, str], HttpTransport]:
        return self.connection, {"access_token": "token"}, self._transport

    def deliver(self, *commands: SubmitDocument, **words: Any) -> list[Receipt]:
        tasks = [Assignment(document=c, parties={"p1": BUYER}, **words) for c in commands]
        connection, secrets, transport = self.way
        return connector.deliver(tasks, connection, secrets, NoDirectory(), transport)

    def facts(self) -> list[Body]:
        """What the order over there tells."""
        item = connector.reread("order", "4001", *self.way)
        message = Message(
            connection="bob", topic=item.topic, delivery=item.delivery, body=item.body,
            received_at=RECEIVED_AT,
        )  # fmt: skip
        found = connector.translate(message, self.connection, Proposals("bob"))
        assert all(body.key == KEY == item.key for body in found.facts)
        return list(found.facts)


@pytest.fixture
def desk() -> Iterator[Desk]:
    simulator = ShipbobSimulator("token")
    transport = HttpTransport(LOOPBACK)
    try:
        yield Desk(simulator, simulator.start(), transport)
    finally:
        transport.close()
        simulator.stop()


def asked(operation: str = ASK, *lines: GoodsLine, **words: Any) -> SubmitDocument:
    body = FulfilmentRequestDocument(
        number="#1001",
        channel="web",
        currency="USD",
        request_date=date(2026, 3, 3),
        location="21",
        lines=lines or (GoodsLine(line="l-1", product="P1", quantity=2000),),
        **{"party": "p1", **words},
    )
    return SubmitDocument(
        key=KEY, id=operation, kind="fulfilment_request", entity="us", fulfilment_request=body
    )


def called_off(request: str = ASK) -> SubmitDocument:
    body = FulfilmentCancelDocument(
        request=request,
        number="#1001",
        channel="web",
        currency="USD",
        cancel_date=date(2026, 3, 3),
        location="21",
        lines=(),
    )
    return SubmitDocument(
        key=KEY,
        id=f"{KEY}/fulfilment_cancel/1",
        kind="fulfilment_cancel",
        entity="us",
        fulfilment_cancel=body,
    )


def test_a_request_is_an_order_once_whatever_became_of_the_answer(desk: Desk) -> None:
    desk.simulator.faults.add(Fault(do="lost"))
    with pytest.raises(RetryLater) as lost:
        desk.deliver(asked())
    assert lost.value.unknown
    (again,) = desk.deliver(asked(), unknown=True)
    (twice,) = desk.deliver(asked())
    assert (again.outcome, again.remote_id) == ("accepted", "4001")
    assert twice == again
    (order,) = desk.simulator.orders.values()
    assert order["center"] == 21
    assert order["recipient"]["address"]["city"] == "Albany"


def test_calling_off_is_answered_by_how_far_the_floor_is(desk: Desk) -> None:
    desk.deliver(asked())
    (off,) = desk.deliver(called_off())
    (again,) = desk.deliver(called_off())
    assert (off.outcome, off.answer, again.answer) == ("accepted", CANCELLED, CANCELLED)
    other = f"{KEY}/fulfilment_request/2"
    desk.deliver(asked(other))
    desk.simulator.pick(other)
    (late,) = desk.deliver(called_off(other))
    assert (late.answer, late.words) == (
        TOO_LATE,
        "shipment 40020: The shipment is already being worked on",
    )


def test_what_had_left_does_not_keep_the_rest_from_being_called_off(desk: Desk) -> None:
    desk.deliver(asked())
    desk.simulator.split(ASK, 1)
    desk.simulator.ship(ASK, parcels=1)
    (off,) = desk.deliver(called_off())
    assert off.answer == CANCELLED
    (late,) = desk.deliver(called_off())
    assert late.answer == CANCELLED
    assert [one["status"] for one in desk.simulator.of(ASK)["shipments"]] == [
        "Completed", "Cancelled",
    ]  # fmt: skip


def test_what_shipbob_never_got_is_called_off_by_that(desk: Desk) -> None:
    (off,) = desk.deliver(called_off())
    assert (off.outcome, off.answer) == ("accepted", CANCELLED)


def test_every_step_of_the_floor_is_told_of_the_right_lines(desk: Desk) -> None:
    lines = [GoodsLine(line=f"l-{n}", product="P1", quantity=n * 1000) for n in (1, 2)]
    desk.deliver(asked(ASK, *lines))
    told = []
    for step in (None, desk.simulator.pick, desk.simulator.pack, desk.simulator.ship,
                 desk.simulator.deliver):  # fmt: skip
        if step is not None:
            step(ASK)
        (fact,) = desk.facts()
        assert isinstance(fact, FulfilmentTold)
        assert (fact.shipment, fact.location) == ("bob-40010", "21")
        assert [(one.line, one.quantity) for one in fact.lines] == [("l-1", 1000), ("l-2", 2000)]
        told.append((name_of(fact), fact.version))
    assert [name for name, _ in told] == [
        "GoodsAllocated", "GoodsPicked", "GoodsPacked", "GoodsShipped", "GoodsDelivered",
    ]  # fmt: skip
    assert [version for _, version in told] == sorted({version for _, version in told})


def test_an_order_that_was_split_shares_its_lines_out(desk: Desk) -> None:
    lines = [GoodsLine(line=f"l-{n}", product="P1", quantity=2000) for n in (1, 2)]
    desk.deliver(asked(ASK, *lines))
    shipment = desk.simulator.of(ASK)["shipments"][0]
    shipment["products"] = [{"reference_id": "P1", "inventory_items": [{"quantity": 4}]}]
    desk.simulator.split(ASK, 3)
    found = [fact for fact in desk.facts() if isinstance(fact, FulfilmentTold)]
    assert [[(o.line, o.quantity) for o in fact.lines] for fact in found] == [
        [("l-1", 2000), ("l-2", 1000)],
        [("l-2", 1000)],
    ]


def test_nothing_on_the_shelf_is_a_failed_pick(desk: Desk) -> None:
    desk.deliver(asked())
    desk.simulator.run_out(ASK)
    (failed,) = desk.facts()
    assert isinstance(failed, PickFailed)
    assert (failed.failure, failed.reason) == ("bob-40010", "no_pick")
    assert [(one.line, one.quantity) for one in failed.lines] == [("l-1", 2000)]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (asked(ASK, GoodsLine(line="1", product="P1", quantity=500)), "whole pieces"),
        (asked(collect=True), "nobody can collect"),
        (asked(party=""), "no name and address"),
    ],
)
def test_what_shipbob_cannot_send_is_refused_with_words(
    desk: Desk, command: SubmitDocument, words: str
) -> None:
    (receipt,) = desk.deliver(command)
    assert receipt.outcome == "refused"
    assert words in receipt.words
    assert desk.simulator.orders == {}


def test_one_order_that_is_refused_does_not_hold_up_the_others(desk: Desk) -> None:
    desk.simulator.faults.add(Fault(do="refuse", words="no such product"))
    second = f"{KEY}/fulfilment_request/2"
    first, other = desk.deliver(asked(), asked(second))
    assert (first.outcome, "no such product" in first.words) == ("refused", True)
    assert other.outcome == "accepted"


def test_150_calls_a_minute_and_then_patience() -> None:
    simulator = ShipbobSimulator("token", calls_a_minute=1)
    transport = HttpTransport(LOOPBACK)
    desk = Desk(simulator, simulator.start(), transport)
    try:
        assert "channel Tillbridge" in connector.check(*desk.way)
        with pytest.raises(RetryLater) as wait:
            desk.deliver(asked())
        assert 50 <= (wait.value.after_seconds or 0) <= 61
    finally:
        transport.close()
        simulator.stop()


def test_a_poll_pages_and_begins_again_before_the_newest(desk: Desk) -> None:
    desk.deliver(*(asked(f"{KEY}/fulfilment_request/{n}") for n in range(1, 4)))
    first = connector.poll("orders", "", *desk.way)
    second = connector.poll("orders", first.cursor, *desk.way)
    assert (len(first.items), first.more, len(second.items), second.more) == (2, True, 1, False)
    after = connector.poll("orders", second.cursor, *desk.way)
    assert len(after.items) == 2
    assert msgspec.json.decode(second.cursor)["since"].endswith("Z")


def test_a_wrong_token_or_channel_is_told(desk: Desk) -> None:
    connection, _, transport = desk.way
    with pytest.raises(RetryLater, match="does not accept the token"):
        connector.check(connection, {"access_token": "other"}, transport)
    settings = msgspec.structs.replace(connection.settings, channel_id=1)
    with pytest.raises(Refused, match="no channel 1"):
        connector.check(msgspec.structs.replace(connection, settings=settings), *desk.way[1:])
