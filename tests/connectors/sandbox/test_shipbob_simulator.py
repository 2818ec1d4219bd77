"""The simulated ShipBob refuses what the real one refuses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tillbridge.connectors.sandbox.shipbob_simulator import CHANNEL, ShipbobSimulator
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.contract.transport import Request, Response


class Caller:
    """Calls with the right token and channel unless told otherwise."""

    def __init__(self, simulator: ShipbobSimulator, transport: HttpTransport) -> None:
        self.simulator = simulator
        self._url = simulator.start()
        self._transport = transport

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Response:
        named = {"Authorization": "Bearer t", "shipbob_channel_id": str(CHANNEL), **headers}
        content = msgspec.json.encode(body) if body is not None else b""
        url = f"{self._url}/2026-07{path}"
        return self._transport.send(Request(method=method, url=url, headers=named, body=content))


@pytest.fixture
def caller() -> Iterator[Caller]:
    transport = HttpTransport(LOOPBACK)
    simulator = ShipbobSimulator("t")
    try:
        yield Caller(simulator, transport)
    finally:
        transport.close()
        simulator.stop()


def new_order(reference: str = "r1") -> dict[str, Any]:
    address = {"address1": "1 Main St", "city": "Albany", "country": "US"}
    return {
        "reference_id": reference,
        "shipping_method": "Standard",
        "recipient": {"name": "Ada", "address": address},
        "products": [{"reference_id": "P1", "quantity": 2, "external_line_id": 1}],
    }


def test_a_reference_is_taken_once(caller: Caller) -> None:
    made = caller.call("POST", "/order", new_order())
    again = caller.call("POST", "/order", new_order())
    assert (made.status, again.status) == (201, 422)
    found = caller.call("GET", "/order?ReferenceIds=r1")
    assert (found.headers["total-count"], len(msgspec.json.decode(found.body))) == ("1", 1)


def test_a_call_without_token_channel_or_address_is_refused(caller: Caller) -> None:
    assert caller.call("GET", "/order", Authorization="Bearer x").status == 401
    assert caller.call("POST", "/order", new_order(), shipbob_channel_id="9").status == 400
    nowhere = {**new_order(), "recipient": {"name": "Ada"}}
    assert caller.call("POST", "/order", nowhere).status == 400
    assert caller.call("GET", "/order/77").status == 404


def test_what_is_picked_cannot_be_cancelled(caller: Caller) -> None:
    caller.call("POST", "/order", new_order())
    caller.simulator.split("r1", 1)
    first = caller.simulator.of("r1")["shipments"][0]
    first["status_details"] = [{"name": "Picked"}]
    told = msgspec.json.decode(caller.call("POST", "/order/4001:cancel", {}).body)
    results = [one["is_success"] for one in told["canceled_shipment_results"]]
    assert results == [False, True]
    assert told["order"]["status"] == "Processing"
    assert [hook.topic for hook in caller.simulator.hooks] == ["order.shipment.cancelled"]
