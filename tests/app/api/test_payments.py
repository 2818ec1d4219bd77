"""Payments handed in: judged at the door, stored before the answer, counted once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.app.api.caller import Caller, Told, client_key
from tests.stories.shop import House, house
from tillbridge.app.api.dispatch import Api
from tillbridge.app.api.resources import Resources
from tillbridge.inbox.group_commit import IntakeWriter

CAPTURE: dict[str, Any] = {
    "order": "81",
    "kind": "captured",
    "reference": "ch_1",
    "at": "2026-03-02T09:31:00+01:00",
    "currency": "USD",
    "amount": "65.00",
    "tender": "card",
    "intent": "pi_1",
}


class Door:
    """A house, and the channel that tells it of payments."""

    def __init__(self, shop: House, resources: Resources) -> None:
        self.shop, self.caller = shop, Caller(Api(resources))
        self.key = client_key(shop.connection, "payments:write", channel="phone")

    def tell(self, body: dict[str, Any], key: str = "k-1") -> Told:
        heads = {b"idempotency-key": key.encode()}
        return self.caller.ask("/v1/payments", self.key, body=body, heads=heads)

    def kept(self) -> list[tuple[Any, ...]]:
        self.shop.flow()
        return self.shop.rows(
            "select type, convert_from(body, 'UTF8')::json ->> 'reference',"
            " convert_from(body, 'UTF8')::json ->> 'amount' from record"
            " where type like 'Payment%' or type like 'Dispute%' or type = 'RefundFailed'"
            " order by id"
        )


@pytest.fixture
def door(tmp_path: Path, database_url: str) -> Iterator[Door]:
    with house(tmp_path / "house", database_url) as shop:
        writer = IntakeWriter(shop.hub.url)
        resources = Resources(shop.hub.url, shop.hub.workspace.settings, writer)
        for part in (writer, resources):
            part.start()
        yield Door(shop, resources)
        for part in (resources, writer):
            part.stop()


def test_a_payment_is_stored_and_told_under_its_order(door: Door) -> None:
    told = door.tell(CAPTURE)
    assert (told.status, told.body) == (202, {"reference": "ch_1", "order": "order/callcentre/81"})
    assert door.kept() == [("PaymentCaptured", "ch_1", "6500")]
    again = door.tell(CAPTURE)
    assert (again.body, again.headers[b"idempotent-replayed"]) == (told.body, b"true")
    other = door.tell({**CAPTURE, "amount": "64.00"})
    assert (other.status, other.body["type"]) == (422, "/v1/problems/idempotency-key-reused")
    assert len(door.kept()) == 1


def test_every_kind_becomes_its_fact(door: Door) -> None:
    kinds = ("authorized", "voided", "failed", "refunded", "refund_failed", "disputed")
    for kind in (*kinds, "dispute_won", "dispute_lost"):
        reference = "dp_1" if "dispute" in kind else f"{kind}-1"
        told = door.tell({**CAPTURE, "kind": kind, "reference": reference}, f"k-{kind}")
        assert told.status == 202, told.body
    assert [name for name, _, _ in door.kept()] == [
        "PaymentAuthorized",
        "PaymentVoided",
        "PaymentFailed",
        "PaymentRefunded",
        "RefundFailed",
        "PaymentDisputed",
        "DisputeResolved",
        "DisputeResolved",
    ]


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"amount": "65.001"}, "payment-impossible"),
        ({"amount": "0.00"}, "payment-impossible"),
        ({"tender": ""}, "payment-impossible"),
        ({"currency": "XXY"}, "payment-impossible"),
        ({"amount": "-1.00"}, "request-invalid"),
        ({"kind": "stolen"}, "request-invalid"),
        ({"at": "2026-03-02T09:31:00"}, "request-invalid"),
        ({"at": "9999-12-31T23:59:59-12:00"}, "payment-impossible"),
        ({"iban": "1"}, "request-invalid"),
    ],
)
def test_a_payment_that_cannot_be_is_refused_and_leaves_nothing(
    door: Door, changed: dict[str, Any], problem: str
) -> None:
    assert door.tell({**CAPTURE, **changed}).body["type"] == f"/v1/problems/{problem}"
    assert door.kept() == []


def test_another_channel_needs_a_connection_of_its_own(door: Door) -> None:
    door.key = client_key(door.shop.connection, "payments:write", name="web", channel="web")
    assert door.tell(CAPTURE).body["type"] == "/v1/problems/refused"
    door.key = client_key(door.shop.connection, "orders:write", name="other", channel="phone")
    assert door.tell(CAPTURE).status == 403
