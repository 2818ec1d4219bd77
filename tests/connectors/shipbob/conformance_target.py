"""The live far side for the conformance suite: ShipBob simulated, orders made and called off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date

from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.canonical.documents import (
    FulfilmentCancelDocument,
    FulfilmentRequestDocument,
    GoodsLine,
    SubmitDocument,
)
from tillbridge.connectors.sandbox.shipbob_simulator import CHANNEL, ShipbobSimulator
from tillbridge.connectors.shipbob import connector
from tillbridge.connectors.shipbob.config import ShipbobSettings
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.conformance.outgoing import NoDirectory
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.contract.promises import Assignment, Connection, Directory
from tillbridge.contract.transport import Transport

KEY = "order/web/1001"
DAY = date(2026, 3, 3)
BUYER = PartyDetails("p1", name="Ada", street="1 Main St", city="Albany", country="US")


class Target:
    """What the suite asks of a live far side."""

    def __init__(self, simulator: ShipbobSimulator, url: str, transport: Transport) -> None:
        self._simulator = simulator
        self._number = 0
        settings = ShipbobSettings(url=url, channel_id=CHANNEL)
        self.connection = Connection(
            name="bob", entity="us", channel="", currency="USD", settings=settings
        )
        self.secrets: Mapping[str, str] = {"access_token": "token"}
        self.directory: Directory = NoDirectory()
        self.transport = transport

    def assignments(self, count: int) -> Sequence[Assignment]:
        """Fresh documents: goods asked for, and goods called off, in turn."""
        return [self._asked() if n % 2 == 0 else self._called_off() for n in range(count)]

    def refused(self) -> Assignment:
        """Half a piece."""
        return self._asked(500)

    def documents(self, operation: str) -> int:
        """Orders of a reference; orders called off under it."""
        request = operation.replace("fulfilment_cancel", "fulfilment_request")
        orders = [o for o in self._simulator.orders.values() if o["reference_id"] == request]
        if request == operation:
            return len(orders)
        ended = [{one["status"] for one in order["shipments"]} for order in orders]
        return sum(states == {"Cancelled"} for states in ended)

    def _asked(self, thousandths: int = 2000) -> Assignment:
        self._number += 1
        body = FulfilmentRequestDocument(
            number="#1001",
            channel="web",
            currency="USD",
            request_date=DAY,
            location="21",
            lines=(GoodsLine(line="l-1", product="P1", quantity=thousandths),),
            party="p1",
        )
        name = f"{KEY}/fulfilment_request/{self._number}"
        command = SubmitDocument(
            key=KEY, id=name, kind="fulfilment_request", entity="us", fulfilment_request=body
        )
        return Assignment(document=command, parties={"p1": BUYER})

    def _called_off(self) -> Assignment:
        asked = self._asked()
        way = (self.connection, self.secrets, self.directory, self.transport)
        connector.deliver([asked], *way)
        body = FulfilmentCancelDocument(
            request=asked.document.id,
            number="#1001",
            channel="web",
            currency="USD",
            cancel_date=DAY,
            location="21",
            lines=(),
        )
        name = asked.document.id.replace("fulfilment_request", "fulfilment_cancel")
        command = SubmitDocument(
            key=KEY, id=name, kind="fulfilment_cancel", entity="us", fulfilment_cancel=body
        )
        return Assignment(document=command)


@contextmanager
def delivery_target() -> Iterator[Target]:
    """A running ShipBob that is never out of breath."""
    simulator = ShipbobSimulator("token", calls_a_minute=1_000_000)
    transport = HttpTransport(LOOPBACK)
    try:
        yield Target(simulator, simulator.start(), transport)
    finally:
        transport.close()
        simulator.stop()
