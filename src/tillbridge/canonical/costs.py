"""What goods cost, and what their movements are worth: where the hub, not the ERP, values stock.

A unit cost is in thousandths of a minor unit for one base unit of a product, because screws cost
less than a cent. Costs are standard costs: dated, per legal entity, told by a file or by hand.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import msgspec

from tillbridge.atoms.ids import key_of
from tillbridge.atoms.money import MoneyError, exponent
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.valued import Valued

UNIT_SCALE = 1_000
"""Parts of a minor unit in which unit costs are counted."""
GOODS_KINDS = (
    "sold",
    "returned",
    "damaged",
    "shrinkage",
    "written_off",
    "received",
    "opening",
    "moved",
    "transferred",
    "revalued",
)
"""Why value came or went. moved: between places of one entity. transferred: to or from another one.
revalued: the list says another cost now. damaged: what is damaged is worth nothing."""


class ItemCosted(Fact, frozen=True, kw_only=True, omit_defaults=True):
    """A product costs so much from a day on, in the books of `entities.selling`. Of two tellings of
    one day the later one counts (occurred_at). reason: of who tells it by hand.
    """

    product: str
    unit_cost: int
    currency: str
    since: date
    reason: str = ""


class CostedGoods(msgspec.Struct, frozen=True, omit_defaults=True):
    """Worth of a movement: amount in minor units, positive comes into the inventory.

    quantity: thousandths, 0 where only its worth changed. unit_cost: as in ItemCosted, of the list
    of the day `since`; None where goods come back at what they left for.
    """

    kind: str
    product: str
    amount: int
    quantity: int = 0
    location: str = ""
    category: str = ""
    unit_cost: int | None = None
    since: date | None = None


class CostMoved(Valued, frozen=True, kw_only=True, omit_defaults=True):
    """Goods of `entities.selling` came, went or changed their worth. policy: by which policy, with
    its version, their worth was found.
    """

    goods: tuple[CostedGoods, ...]
    policy: str


def cost_key(entity: str, product: str) -> str:
    """Aggregate key of what a product costs an entity."""
    return key_of("cost", entity, product)


def unit_cost_of(cost: Decimal, currency: str) -> int:
    """A cost in major units as a unit cost; raises MoneyError for one that is not more than nothing
    (a missing cost is often written 0), or finer than a thousandth of a minor unit.
    """
    if not cost.is_finite() or abs(cost.adjusted()) > 12:
        raise MoneyError(f"{cost} is no cost")
    scaled = cost.scaleb(exponent(currency)) * UNIT_SCALE
    if scaled != int(scaled):
        raise MoneyError(f"{cost} {currency} is finer than a thousandth of the smallest unit")
    if scaled <= 0:
        raise MoneyError(f"{cost} {currency} is no cost: goods without one are not listed")
    return int(scaled)


def unit_cost_text(unit_cost: int, currency: str) -> str:
    """A unit cost in major units, with the currency's decimals at least."""
    places = exponent(currency)
    value = Decimal(unit_cost).scaleb(-places) / UNIT_SCALE
    rest = format(value.normalize(), "f")
    return f"{value:.{places}f}" if len(rest.partition(".")[2]) <= places else rest
