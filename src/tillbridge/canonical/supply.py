"""Supply of our places: purchases, transfers that are ordered, and what replenishment proposes.

What leaves and arrives of them is told by TransferDispatched, TransferReceived and StockReceived
(stock.py).
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from tillbridge.canonical.fact import Fact
from tillbridge.canonical.stock import StockLine

ASKERS = ("person", "erp", "replenishment")
PROPOSAL_KINDS = ("transfer", "purchase")


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


class ProposedLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a place should be sent of a product, and the figures it was worked out from, thousandths
    of the base unit. demand: sold there in the days before. least, most: the rule's.
    """

    product: str
    quantity: int
    on_hand: int = 0
    reserved: int = 0
    on_order: int = 0
    in_transit: int = 0
    demand: int = 0
    least: int = 0
    most: int = 0


class ReplenishmentProposed(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A run of replenishment proposes that goods be sent to a place.

    kind: one of PROPOSAL_KINDS. comes_from: the location to send, or the supplier to buy from.
    currency: of the location's entity. days: those the demand is of. rules: hash of the rules it
    went by.
    """

    number: str
    kind: str
    comes_from: str
    location: str
    lines: tuple[ProposedLine, ...]
    due_at: datetime
    currency: str = ""
    days: int = 0
    rules: str = ""


class ProposalDecided(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A proposal is accepted or rejected. by: who did it; `hub` when a rule allows it."""

    number: str
    accepted: bool
    by: str
    reason: str = ""


class PurchaseLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is bought of a product: thousandths of the unit, "" = its base unit; when it is
    expected, None = with the rest of the purchase.
    """

    product: str
    quantity: int
    unit: str = ""
    due_at: datetime | None = None


class PurchaseOrdered(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """Goods are bought of a supplier for a location, told whole; a SupplyExpected that says more.

    supply: its number, as receipts name it. version: sortable text, the newest stands. closed:
    nothing more will come. proposal: number of the proposal of replenishment it comes from.
    """

    supply: str
    version: str
    supplier: str
    location: str
    due_at: datetime
    lines: tuple[PurchaseLine, ...]
    closed: bool = False
    proposal: str = ""


class PurchaseClosed(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """Nothing more will come of a purchase or another supply, whatever it still lacks.

    version: the newest telling this was said of; a later one opens it again. "" = for ever.
    """

    supply: str
    version: str = ""
    reason: str = ""
