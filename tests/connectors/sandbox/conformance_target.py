"""The live far side for the conformance suite: the sandbox ERP, as strict as its defaults."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.connectors.sandbox.erp_desk import (
    KEY,
    Names,
    cancel,
    change,
    connection_to,
    goods,
    invoice,
    sales_order,
    stock_move,
)
from tillbridge.canonical.documents import SubmitDocument
from tillbridge.connectors.sandbox import connector
from tillbridge.connectors.sandbox.erp_documents import Rules
from tillbridge.connectors.sandbox.erp_simulator import ErpSimulator
from tillbridge.contract.addresses import LOOPBACK
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.contract.promises import Assignment, Connection
from tillbridge.contract.transport import Transport

UNKNOWN_PRODUCT = "P9999"


class Target:
    """What the suite asks of a live far side."""

    def __init__(self, erp: ErpSimulator, transport: Transport) -> None:
        self._erp = erp
        self._count = 0
        self.connection: Connection = connection_to(erp.address)
        self.secrets: Mapping[str, str] = {"api_key": KEY}
        self.directory = Names()
        self.transport = transport

    def assignments(self, count: int) -> Sequence[Assignment]:
        """Fresh operations, every kind in turn; those about an order have one of their own."""
        return [Assignment(document=self._fresh()) for _ in range(count)]

    def refused(self) -> Assignment:
        """An order with a product the ERP does not know."""
        self._count += 1
        return Assignment(document=sales_order(f"op-{self._count}", product=UNKNOWN_PRODUCT))

    def documents(self, operation: str) -> int:
        """As the ERP's own books say."""
        return len(self._erp.store.find([operation]))

    def _fresh(self) -> SubmitDocument:
        self._count += 1
        operation, order = f"op-{self._count}", f"order-{self._count}"
        self._deliver(sales_order(order))
        self._deliver(goods("delivery", f"{order}/out", order))
        makes: tuple[Callable[[], SubmitDocument], ...] = (
            lambda: sales_order(operation),
            lambda: invoice(operation),
            lambda: change(operation, order),
            lambda: goods("customer_return", operation, order),
            lambda: goods("delivery", operation, order),
            lambda: stock_move(operation, "wh-east", "store"),
            lambda: cancel(operation, self._unshipped(order)),
        )
        return makes[self._count % len(makes)]()

    def _unshipped(self, order: str) -> str:
        self._deliver(sales_order(f"{order}/second"))
        return f"{order}/second"

    def _deliver(self, document: SubmitDocument) -> None:
        tasks = [Assignment(document=document)]
        connector.deliver(tasks, self.connection, self.secrets, self.directory, self.transport)


@contextmanager
def delivery_target() -> Iterator[Target]:
    """A running ERP with books of its own."""
    with tempfile.TemporaryDirectory() as folder:
        rules = Rules(unknown_products=(UNKNOWN_PRODUCT,))
        erp = ErpSimulator(Path(folder) / "erp.sqlite", KEY, rules=rules)
        erp.start()
        transport = HttpTransport(LOOPBACK)
        try:
            yield Target(erp, transport)
        finally:
            transport.close()
            erp.close()
