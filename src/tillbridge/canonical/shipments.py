"""A fulfilment's life: one fact per telling; the newest version counts, at the same one the later
state. A telling that names no lines or no place leaves those that were told before.
"""

from __future__ import annotations

import msgspec

from tillbridge.canonical.fact import Fact

SHIPMENT_STATES = ("open", "shipped", "cancelled", "failed")


class ShippedLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of the order and how much of it: thousandths of the line's unit. product: our code of
    what is there instead of what was ordered, "" = what was ordered.
    """

    line: str
    quantity: int
    product: str = ""


class FulfilmentTold(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """What every telling of a fulfilment carries: of goods that go to one buyer from one place.

    shipment: its id at whoever tells it. version: sortable text (its update instant). location: our
    location code it leaves from, "" = as told before. lines: () = as told before.
    """

    shipment: str
    version: str
    location: str = ""
    lines: tuple[ShippedLine, ...] = ()
    carrier: str = ""
    tracking: str = ""


class GoodsAllocated(FulfilmentTold, frozen=True, kw_only=True, omit_defaults=True):
    """A location was given these goods to fulfil; they are still on its shelves."""


class GoodsPicked(FulfilmentTold, frozen=True, kw_only=True, omit_defaults=True):
    """The location took them from the shelf."""


class GoodsPacked(FulfilmentTold, frozen=True, kw_only=True, omit_defaults=True):
    """They are packed and wait for the carrier or the buyer."""


class PickupReady(FulfilmentTold, frozen=True, kw_only=True, omit_defaults=True):
    """They lie at the store for the buyer, who was told so; they are still ours."""


class GoodsShipped(FulfilmentTold, frozen=True, kw_only=True, omit_defaults=True):
    """A parcel as told by channel or warehouse.

    state: `shipped` counts, `open` is not out yet, `cancelled` and `failed` take back what was told
    as gone.
    """

    state: str


class GoodsCollected(FulfilmentTold, frozen=True, kw_only=True, omit_defaults=True):
    """The buyer took them with him: gone, and delivered."""


class GoodsDelivered(FulfilmentTold, frozen=True, kw_only=True, omit_defaults=True):
    """The carrier handed them to the buyer."""


class PickupExpired(FulfilmentTold, frozen=True, kw_only=True, omit_defaults=True):
    """The buyer did not come in time: the goods are free again. version: of the PickupReady that it
    ends, so that whatever was told since stands.
    """


class LineSubstituted(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """Something else goes out for a line, or for some of it.

    substitution: its id at whoever tells it; the newest version counts. product: our code of what
    goes instead. quantity: how much of the line, thousandths of its unit, 0 = none after all. net:
    what that much of the substitute costs without tax, minor units of the order's currency, None =
    as ordered. location: where it lies, "" = the stock book chooses.
    """

    substitution: str
    version: str
    line: str
    product: str
    quantity: int
    net: int | None = None
    location: str = ""
