"""What a channel should show, what it may be showing, and what an answer of it means. Pure.

A channel takes its own sales off the figure it shows at once, and tells them later. Until it has
told a sale, our book does not know of it, so the book's figure must not be put there as it is:

    shown by us at the last answer       20      confirmed
    its orders told since                 3      told - confirmed_told
    so it should show                    17      expected
    it shows                             15      two more were sold and not told: untold = 2
    we can promise                       30      available (knows of the 3, not of the 2)
    it shall show                        28      wanted = available - untold

As orders are told, `untold` shrinks and `available` falls with it; the figure shown stays right.
All quantities in thousandths.
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class Figures(msgspec.Struct, frozen=True):
    """What is known of one figure at a channel.

    available: what can be promised. told: what the channel's own orders have ever taken, as told.
    confirmed: what the channel showed at its last answer, None = it never said; confirmed_told:
    `told` at that time. untold: what it had sold and not told by then.
    """

    available: int = 0
    told: int = 0
    confirmed: int | None = None
    confirmed_told: int = 0
    untold: int = 0

    @property
    def told_since(self) -> int:
        """What its orders took since its last answer; below nothing when orders were cancelled."""
        return self.told - self.confirmed_told

    @property
    def still_untold(self) -> int:
        """What it has sold and not told by now: what it tells comes off first."""
        return max(0, self.untold - max(0, self.told_since))

    @property
    def wanted(self) -> int:
        """What the channel shall show."""
        return max(0, self.available - self.still_untold)

    @property
    def expected(self) -> int | None:
        """What it shows when it took off every sale it told, and put back what was cancelled."""
        if self.confirmed is None:
            return None
        if self.told_since < 0:
            return self.confirmed - self.told_since
        return self.confirmed - max(0, self.told_since - self.untold)

    @property
    def owes(self) -> bool:
        """Whether the channel has to be asked: it should show something else, or what it shows is
        only inferred.
        """
        return self.confirmed != self.wanted or self.told_since != 0

    def settled(self, shown: int, told: int) -> Figures:
        """After the channel took an offer made when `told` had been told."""
        then = msgspec.structs.replace(self, told=told)
        return msgspec.structs.replace(
            self, confirmed=shown, confirmed_told=told, untold=then.still_untold
        )

    def contradicted(self, actual: int, told: int) -> tuple[Figures, int]:
        """After the channel showed `actual` instead of what an offer, made when `told` had been
        told, believed. Gives what it showed less (below nothing) or more than can be explained.
        """
        then = msgspec.structs.replace(self, told=told)
        expected, off = then.expected, 0
        if self.confirmed is not None and expected is not None:
            most = max(expected, self.confirmed)  # it may not have taken off what it told
            off = min(0, actual - expected) or max(0, actual - most)
        untold = max(0, then.still_untold - off)
        after = msgspec.structs.replace(self, confirmed=actual, confirmed_told=told, untold=untold)
        return after, off


class Change(msgspec.Struct, frozen=True):
    """A place and product of ours that changed, and since when."""

    location: str
    product: str
    at: datetime


def floored(quantity: int, step: int) -> int:
    """What a channel can show of a quantity: never more, never below nothing."""
    return max(0, quantity) // step * step
