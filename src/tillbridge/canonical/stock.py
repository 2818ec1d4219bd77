"""Stock: levels and movements told by outside systems, commands and answers of the stock book.

A quantity is in thousandths of `unit`; "" is the item's base unit. The stock book converts by the
item's packs, exactly.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from tillbridge.atoms.ids import key_of
from tillbridge.canonical.fact import Command, Fact

SELLABLE = "sellable"
CONDITIONS = (SELLABLE, "damaged", "quarantine", "in_transit")
MOVEMENT_KINDS = (
    "opening",
    "sale",
    "return",
    "receipt",
    "adjustment",
    "transfer_out",
    "transfer_in",
    "count",
    "condition",
)
PICK_FAILURES = ("no_pick", "rejected")
HOLD_KINDS = ("soft", "firm", "transfer")
HOLD_ENDS = ("released", "expired", "short", "taken_over")


def hold_key(channel: str, reservation: str) -> str:
    """Aggregate key of stock held at the hub's own door: an id belongs to the channel it is for."""
    return key_of("hold", channel, reservation)


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
    condition: str = SELLABLE
    unit: str = ""


class StockLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """Demand or movement of one product: thousandths; location "" = the book chooses."""

    line: str
    product: str
    quantity: int
    location: str = ""
    condition: str = SELLABLE
    unit: str = ""


class ReserveStock(Command, frozen=True, kw_only=True, omit_defaults=True):
    """Hold stock for an order: the whole wanted state of its reservation, all lines or none.

    lines: everything that should be held now (empty = release all). locations: where to look, in
    order of preference. split_most: over how many of them the lines may be spread; the fewest that
    can serve all lines are taken, then the most preferred. channel: whose safety stock counts.
    takes: key of a reservation made before the order, whose pieces this one takes over.
    backorder: what is not there may be promised out of expected supply; else only products named
    in preorder. barred: locations that failed the order, where only a line may stay that names it.
    kind: `firm`, or `transfer`: what left already of a transfer is taken off its lines.
    recount: those of barred that only did not find goods, the last time at failed_at.
    version: rises per key; an older command than the last one answered is a no-op.
    """

    version: int
    lines: tuple[StockLine, ...]
    locations: tuple[str, ...]
    occurred_at: datetime
    channel: str = ""
    split_most: int = 1
    takes: str = ""
    backorder: bool = False
    preorder: tuple[str, ...] = ()
    barred: tuple[str, ...] = ()
    kind: str = "firm"
    recount: tuple[str, ...] = ()
    failed_at: datetime | None = None


class MoveStock(Command, frozen=True, kw_only=True, omit_defaults=True):
    """Book movements: signed thousandths per product, location and condition.

    kind: one of MOVEMENT_KINDS. cause: a reason code.
    """

    kind: str
    lines: tuple[StockLine, ...]
    occurred_at: datetime
    cause: str = ""


class StockAdjusted(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A person or system corrected stock by signed quantities. reason: a code (`shrinkage`,
    `damage`, `found`, `sample`, `no_pick`, ...).
    """

    lines: tuple[StockLine, ...]
    reason: str


class ConditionChanged(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """Goods went from one condition to another where they are; line.condition is the new one."""

    lines: tuple[StockLine, ...]
    before: str
    reason: str = ""


class StockReceived(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """Goods arrived from outside. supply: the expected supply they belong to, "" = none."""

    lines: tuple[StockLine, ...]
    supply: str = ""


class TransferDispatched(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """Goods left one place of ours for another; on the way they are the destination's, in transit.

    transfer: its number. complete: nothing more of it will leave.
    """

    transfer: str
    origin: str
    destination: str
    lines: tuple[StockLine, ...]
    complete: bool = False


class TransferReceived(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """Goods of a transfer arrived. complete: nothing more will come; what lacks is a case."""

    transfer: str
    origin: str
    destination: str
    lines: tuple[StockLine, ...]
    complete: bool = True


class SupplyExpected(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """Goods are expected at a location (a purchase order, an inbound delivery), told whole.

    supply: its number. version: sortable text. closed: nothing more will come.
    """

    supply: str
    version: str
    location: str
    due_at: datetime
    lines: tuple[StockLine, ...]
    closed: bool = False


class StockReserved(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """The whole demand of a ReserveStock command is held; version = the command's.

    location: where, "" when spread over several (each line names its own). promised: what is
    promised out of expected supply instead (line.location: where it will arrive). turn: rises when
    the same command is answered anew, because stock moved or arrived.
    """

    version: int
    location: str
    lines: tuple[StockLine, ...]
    promised: tuple[StockLine, ...] = ()
    turn: int = 0


class StockShort(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A ReserveStock command could not be held, or no longer can; names the first product that
    lacks. location: where stock fell below what was promised, "" when it never was held. turn: as
    in StockReserved.
    """

    version: int
    product: str
    wanted: int
    free: int
    location: str = ""
    turn: int = 0


class PickFailed(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A location cannot or will not fulfil lines of an order. reason: `no_pick` (not found there)
    or `rejected` (refused, whatever is there). lines: in the order's unit, without a quantity all
    of the line that is held there; () = all of the order's held there.
    """

    failure: str
    location: str
    reason: str
    lines: tuple[StockLine, ...] = ()


class SourcingAsked(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """An order is to be sourced again. version, turn: the answer `no` after which goods came; 0 =
    a person asks, whatever it holds. allows: locations that failed it before and may serve it
    again: they were counted since, or a person says so.
    """

    version: int = 0
    turn: int = 0
    allows: tuple[str, ...] = ()


class StockHeld(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A reservation asked for and granted at the hub's own door; lines name their locations.

    kind: one of HOLD_KINDS; a `soft` one (a cart) ends at expires_at. locations: where it may
    stand, in order of preference, over at most split_most of them.
    """

    kind: str
    channel: str
    lines: tuple[StockLine, ...]
    expires_at: datetime | None = None
    locations: tuple[str, ...] = ()
    split_most: int = 1


class HoldConfirmed(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A soft reservation became firm. order: the number it is for, "" when not told.

    version: counts the changes of a reservation, from 1 when it was held; so in the two below.
    """

    version: int
    order: str = ""


class HoldReleased(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A reservation ended without goods. reason: one of HOLD_ENDS."""

    version: int
    reason: str


class HoldMoved(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A reservation stands elsewhere now; lines: all of it, with locations."""

    version: int
    lines: tuple[StockLine, ...]
