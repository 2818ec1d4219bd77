"""The live far side the conformance suite delivers to: sales orders on a real Tryton."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.connectors.tryton.live import Live, order_line, running_erp, sale
from tillbridge.contract.promises import Assignment


class TrytonTarget(Live):
    """Sales orders, whose uniqueness Tryton's own database keeps."""

    def assignments(self, count: int) -> Sequence[Assignment]:
        """Fresh sales orders."""
        return [Assignment(document=sale()) for _ in range(count)]

    def refused(self) -> Assignment:
        """A sales order of a product Tryton does not have."""
        return Assignment(document=sale(order_line("1", 100, product="nowhere")))

    def documents(self, operation: str) -> int:
        """Sales under the operation's web id, in any state."""
        return len(self.read("sale.sale", [["web_id", "=", operation]], "state"))


@contextmanager
def delivery_target() -> Iterator[TrytonTarget]:
    """A running Tryton with the connector on it."""
    with running_erp() as erp:
        yield TrytonTarget(erp)
