"""What happens when: three phases, how many come in each, what they do. The same for a seed.

The sale is of one product. Before it buyers want everything else; in it nearly all of them want
that one, twelve times as many as before; after it they are as many as before.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec

from tillbridge.connectors.sandbox.assortment import LATE_PRODUCT, PRODUCTS, Product

HOT: Product = next(product for product in PRODUCTS if product.sku == "JKT-RAIN-NVY-M")
FACTOR = 12.0
PHASES = ("before", "flash", "after")
HOT_SHARES = (0.0, 0.95, 0.3)
"""Which share of the buyers wants the product on sale, by phase."""
CHANNEL = "web"
WAREHOUSE = "wh-east"
_OTHERS = tuple(
    product.code for product in PRODUCTS if product.code not in (HOT.code, LATE_PRODUCT)
)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A run. seconds: of one phase. reads, carts: arrivals per second at the baseline. pieces: of
    the product on sale, in the warehouse. stores: all of them; shelves: how many of them the shop
    sells from, one piece each. loads: processes that share the arrivals. soft_seconds: how long a
    cart holds. confirm, release: shares of the carts, the rest is left to expire. check: share of
    the carts that is looked at by checkout/validate first.
    """

    seed: int = 1
    seconds: float = 30.0
    reads: float = 12.0
    carts: float = 3.0
    factor: float = FACTOR
    pieces: int = 600
    stores: int = 300
    shelves: int = 100
    loads: int = 2
    soft_seconds: int = 10
    think_seconds: float = 2.0
    confirm: float = 0.8
    release: float = 0.1
    check: float = 0.05
    erp_seconds: float = 2.0

    @property
    def end(self) -> float:
        """When the last phase ends, seconds from the first one's begin."""
        return self.seconds * len(PHASES)

    def phase(self, at: float) -> str:
        """The phase of an instant; what comes after the last one belongs to it."""
        return PHASES[max(0, min(int(at / self.seconds), len(PHASES) - 1))]

    def rate(self, base: float, phase: str) -> float:
        """Arrivals per second in a phase."""
        return base * (self.factor if phase == "flash" else 1.0)


class Arrival(msgspec.Struct, frozen=True):
    """Somebody comes: seconds from the begin, with a cart or only to look, for which product.

    die: a number between 0 and 1 that decides what becomes of a cart; think: seconds until then.
    """

    at: float
    cart: bool
    product: str
    die: float = 0.0
    think: float = 0.0


def arrivals(plan: Plan, load: int) -> list[Arrival]:
    """Those of one of the load processes, in order of time, as independent people come."""
    dice = random.Random(f"{plan.seed}/{load}")  # noqa: S311 - trade, no secret
    found = [*_stream(plan, plan.reads, dice, cart=False), *_stream(plan, plan.carts, dice)]
    return sorted(found, key=lambda arrival: arrival.at)


def _stream(
    plan: Plan, base: float, dice: random.Random, *, cart: bool = True
) -> Iterator[Arrival]:
    for number, phase in enumerate(PHASES):
        rate = plan.rate(base, phase) / plan.loads
        at = number * plan.seconds
        while (at := at + dice.expovariate(rate)) < (number + 1) * plan.seconds:
            hot = dice.random() < HOT_SHARES[number]
            product = HOT.code if hot else dice.choice(_OTHERS)
            yield Arrival(at, cart, product, dice.random(), plan.think_seconds * dice.random())
