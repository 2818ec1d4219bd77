"""Transfer orders: goods one place of ours is to send to another, and that they are not any more.

What leaves and arrives of them is told by TransferDispatched and TransferReceived (stock.py).
"""

from __future__ import annotations

from datetime import datetime

from tillbridge.canonical.fact import Fact
from tillbridge.canonical.stock import StockLine

ASKERS = ("person", "erp", "replenishment")


class TransferOrdered(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """Goods are to go from one place to another, told whole; they are held at the origin.

    transfer: its number, one for whoever tells of it. version: sortable text, the newest stands.
    asked: by whom, one of ASKERS. lines: without location or condition.
    """

    transfer: str
    version: str
    origin: str
    destination: str
    lines: tuple[StockLine, ...]
    due_at: datetime | None = None
    asked: str = "person"


class TransferCancelled(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """What of a transfer has not left stays where it is; what is on its way still arrives."""

    transfer: str
    reason: str = ""
