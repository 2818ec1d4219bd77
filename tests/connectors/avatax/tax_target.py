"""The live far side for the tax checks: the AvaTax simulator, as strict as it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import msgspec

from tillbridge.canonical.orders import Place
from tillbridge.canonical.taxes import TaxDocument, TaxItem
from tillbridge.connectors.avatax import connector
from tillbridge.connectors.avatax.config import AvataxSettings, Origin
from tillbridge.connectors.avatax.outbound import code_of, kind_of
from tillbridge.connectors.sandbox.avatax_simulator import ACCOUNT, COMPANY, AvataxSimulator
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.contract.promises import Connection
from tillbridge.contract.taxes import TaxService
from tillbridge.contract.transport import Transport

KEY = "license-4711"
STATES = {"Saved": "saved", "Committed": "committed", "Cancelled": "voided"}
NAMES = {"NY STATE TAX": "us-ny", "NY COUNTY TAX": "us-ny-albany"}


class Names:
    """Cross-references of the connection."""

    def __init__(self, names: dict[str, str] | None = None) -> None:
        self.names = NAMES if names is None else names

    def theirs(self, table: str, ours: str) -> str | None:
        """Products are called as we call them."""
        del table, ours
        return None

    def ours(self, table: str, theirs: str) -> str | None:
        """Taxes by their names."""
        return self.names.get(theirs) if table == "tax" else None


class Target:
    """What the checks ask of a live tax service."""

    def __init__(self, simulator: AvataxSimulator, transport: Transport) -> None:
        self.simulator = simulator
        self.transport = transport
        self.names = Names()
        self._count = 0

    def connection(self) -> Connection:
        """The connection to the simulator."""
        settings = AvataxSettings(
            url=self.simulator.address,
            account=ACCOUNT,
            company=COMPANY,
            origin=Origin(country="US", region="NY", postal_code="12207"),
        )
        return Connection(
            name="avatax", entity="us", channel="web", currency="USD", settings=settings
        )

    def service(self, transport: Transport) -> TaxService:
        """The connector's service."""
        return connector.tax_service(self.connection(), {"license_key": KEY}, self.names, transport)

    def document(self, direction: str, *, inclusive: bool = False) -> TaxDocument:
        """Two lines to Albany."""
        self._count += 1
        return TaxDocument(
            code=f"tax/order/web/1001/{direction}-{self._count}",
            number="#1001",
            channel="web",
            currency="USD",
            direction=direction,
            document_date=date(2026, 8, 9) if direction == "return" else date(2026, 3, 2),
            tax_date=date(2026, 3, 2),
            items=(
                TaxItem(line="1", kind="goods", product="P1", quantity=2000, amount=4001,
                        inclusive=inclusive),
                TaxItem(line="2", kind="shipping", product="", quantity=1000, amount=599,
                        inclusive=inclusive),
            ),
            recorded=True,
            ship_to=Place("US", "NY", "122"),
        )  # fmt: skip

    def refused(self) -> TaxDocument:
        """A document for nowhere."""
        document = self.document("return")
        return _replace(document, items=())

    def kept(self, document: TaxDocument) -> tuple[str, int] | None:
        """As the simulator's own books say."""
        found = self.simulator.books.kept.get((code_of(document), kind_of(document)))
        if found is None:
            return None
        sign = -1 if document.direction == "return" else 1
        return STATES[found.status], sign * int(found.tax * 100)


def _replace(document: TaxDocument, **words: object) -> TaxDocument:
    return msgspec.structs.replace(document, **words)


@contextmanager
def tax_target() -> Iterator[Target]:
    """A running simulator with books of its own."""
    simulator = AvataxSimulator(KEY)
    simulator.start()
    transport = HttpTransport(LOOPBACK)
    try:
        yield Target(simulator, transport)
    finally:
        transport.close()
        simulator.stop()
