"""The live far side the conformance suite delivers to: orders and what follows on a real Tryton."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.connectors.tryton.live import (
    Live,
    cancel,
    change,
    goods,
    order_line,
    running_erp,
    sale,
    stock_move,
)
from tillbridge.app.erp.beside import Erp
from tillbridge.canonical.documents import SubmitDocument
from tillbridge.contract.promises import Assignment


class TrytonTarget(Live):
    """Every kind about orders and goods in turn; only of sales Tryton itself keeps one."""

    def __init__(self, erp: Erp) -> None:
        super().__init__(erp)
        self._turn = 0

    def assignments(self, count: int) -> Sequence[Assignment]:
        """Fresh documents."""
        return [Assignment(document=self._fresh()) for _ in range(count)]

    def refused(self) -> Assignment:
        """A sales order of a product Tryton does not have."""
        return Assignment(document=sale(order_line("1", 100, product="nowhere")))

    def documents(self, operation: str) -> int:
        """Records under the operation, in any state."""
        records = len(self.read("sale.sale", [["web_id", "=", operation]], "state"))
        for model in ("out", "out.return", "internal"):
            domain = [["reference", "=", operation]]
            records += len(self.read(f"stock.shipment.{model}", domain, "state"))
        return records

    def _fresh(self) -> SubmitDocument:
        turn, self._turn = self._turn % 6, self._turn + 1
        if turn == 0:
            return sale()
        if turn == 5:
            return stock_move("wh-1", "store-1", 1)
        order = sale(order_line("1", 1998, quantity=2000))
        self.deliver(order)
        if turn == 1:
            return change(order.id, order_line("1", 999), order_line("2", 500))
        if turn == 2:
            return cancel(order.id)
        return goods("delivery" if turn == 3 else "customer_return", order.id, l1=1)


@contextmanager
def delivery_target() -> Iterator[TrytonTarget]:
    """A running Tryton with the connector on it."""
    with running_erp() as erp:
        yield TrytonTarget(erp)
