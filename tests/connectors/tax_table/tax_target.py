"""The table of rates behind the tax checks; there is nothing to call and nothing is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import msgspec

from tillbridge.canonical.orders import Place
from tillbridge.canonical.taxes import TaxDocument, TaxItem
from tillbridge.connectors.tax_table.config import TaxTableSettings
from tillbridge.connectors.tax_table.connector import TaxTable
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.contract.taxes import TaxService
from tillbridge.contract.transport import Transport

TABLE = """place,category,code,jurisdiction,rate_ppm,from
US-NY,*,us-ny,us-ny,40000,2026-01-01
US-NY,*,us-ny-albany,us-ny-albany,40000,2026-01-01
US-NY,*,us-ny-albany,us-ny-albany,47500,2026-07-01
"""


class Target:
    """What the checks ask of a live tax service."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self._count = 0

    def service(self, transport: Transport) -> TaxService:
        """The table."""
        del transport
        return TaxTable(TaxTableSettings().with_files(lambda _: TABLE))

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
            ship_to=Place("US", "NY", "122"),
        )  # fmt: skip

    def refused(self) -> TaxDocument:
        """A place the table says nothing of."""
        return msgspec.structs.replace(self.document("return"), ship_to=Place("US", "OR"))

    def kept(self, document: TaxDocument) -> tuple[str, int] | None:
        """A table keeps nothing."""
        del document
        return None


@contextmanager
def tax_target() -> Iterator[Target]:
    """The table."""
    transport = HttpTransport(LOOPBACK)
    try:
        yield Target(transport)
    finally:
        transport.close()
