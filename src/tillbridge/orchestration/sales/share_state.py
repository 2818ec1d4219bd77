"""What is kept of a till sale that concerns partners. Pure."""

from __future__ import annotations

from datetime import date

import msgspec

from tillbridge.orchestration.partners import PPM, Deal

SEP = "\x1f"


class Share(msgspec.Struct, omit_defaults=True):
    """What one deal is about, cumulative, minor units and signed. lines: `kind, department,
    promotion` -> list and discount. taxes: by jurisdiction. tenders: `tender, kind` -> amount.
    """

    deal: Deal
    lines: dict[str, tuple[int, int]] = {}
    taxes: dict[str, int] = {}
    tenders: dict[str, int] = {}
    commission: int = 0

    @property
    def net(self) -> int:
        """Sum of the lines without tax."""
        return sum(listed - discount for listed, discount in self.lines.values())

    def copied(self) -> Share:
        """One whose tables may be changed."""
        tables = (dict(self.lines), dict(self.taxes), dict(self.tenders))
        return Share(self.deal, *tables, self.commission)

    def with_commission(self) -> Share:
        """With the commission that is due for all of it, without what sums to nothing."""
        return Share(
            self.deal,
            {name: pair for name, pair in self.lines.items() if pair != (0, 0)},
            {name: amount for name, amount in self.taxes.items() if amount},
            {name: amount for name, amount in self.tenders.items() if amount},
            commission_of(self.net, self.deal.rate_ppm),
        )

    def less(self, other: Share) -> Share:
        """The step from another one to this."""
        names = sorted(self.lines.keys() | other.lines.keys())
        lines = {}
        for name in names:
            (listed, discount), (before, given) = (
                of.lines.get(name, (0, 0)) for of in (self, other)
            )
            if (listed, discount) != (before, given):
                lines[name] = (listed - before, discount - given)
        return Share(
            self.deal,
            lines,
            _less(self.taxes, other.taxes),
            _less(self.tenders, other.tenders),
            self.commission - other.commission,
        )


class Shared(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a receipt sold for partners, by deal, and where and when that was."""

    location: str
    channel: str
    day: date
    sold: dict[str, Share] = {}


def _less(now: dict[str, int], before: dict[str, int]) -> dict[str, int]:
    steps = {name: now.get(name, 0) - before.get(name, 0) for name in now.keys() | before.keys()}
    return {name: amount for name, amount in steps.items() if amount}


def commission_of(net: int, rate_ppm: int) -> int:
    """Rate x net to the nearest minor unit, halves away from zero."""
    sign = -1 if net < 0 else 1
    return sign * ((2 * abs(net) * rate_ppm + PPM) // (2 * PPM))
