"""Stock: levels told by outside systems, and the commands and answers of the stock book."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tillbridge.canonical.fact import Command, Fact

MOVEMENT_KINDS = ("opening", "sale", "return", "receipt", "adjustment", "transfer", "count")


class StockCounted(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A system told how much it holds of a product at a location.

    quantity: absolute, thousandths. basis: `on_hand` (counted or owned by that system) may open a
    stock row; `available` (already less that channel's open orders) is evidence only.
    """

    product: str
    location: str
    quantity: int
    counted_at: datetime
    basis: str = "on_hand"


class StockLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """Demand or movement of one product: thousandths; location "" = the book chooses."""

    line: str
    product: str
    quantity: int
    location: str = ""


class ReserveStock(Command, frozen=True, kw_only=True, omit_defaults=True):
    """Hold stock for an order: the whole wanted state of its reservation, all lines or none.

    lines: everything that should be held now (empty = release all). locations: where to look, in
    order of preference; the first that can serve all lines is taken. version: rises per key; an
    older command than the last one answered is a no-op.
    """

    version: int
    lines: tuple[StockLine, ...]
    locations: tuple[str, ...]
    occurred_at: datetime


class MoveStock(Command, frozen=True, kw_only=True, omit_defaults=True):
    """Book movements: signed thousandths per product and location; consumes the key's holds.

    kind: one of MOVEMENT_KINDS. consumes: True when shipped quantities end the key's reservation.
    """

    kind: str
    lines: tuple[StockLine, ...]
    occurred_at: datetime
    consumes: bool = False


class StockReserved(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """The whole demand of a ReserveStock command is held; version = the command's."""

    version: int
    location: str
    lines: tuple[StockLine, ...]


class StockShort(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A ReserveStock command could not be held; names the first product that lacks."""

    version: int
    product: str
    wanted: int
    free: int
