"""Sales shared with a partner: his goods in our store, or ours in his."""

from __future__ import annotations

from tillbridge.canonical.valued import Valued, ValuedLine, ValuedTax, ValuedTender

AGENT, PRINCIPAL = "agent", "principal"
MODES = (AGENT, PRINCIPAL)
"""agent: we sell the partner's goods for a commission. principal: he sells ours for one."""
US, PARTNER = "us", "partner"
COLLECTORS_OF_MONEY = (US, PARTNER)
SHARED_KINDS = ("goods", "service")
"""Lines that are shared; gift cards, tips and the like stay what they are."""
KEPT_TENDERS = ("cash", "card", "wallet", "other", "coupon")
"""Money a partner keeps where he collects; cards and credit of ours stay ours to settle."""


class SaleShared(Valued, frozen=True, kw_only=True, omit_defaults=True):
    """What of a sale concerns a partner, and his or our commission; a return is negative.

    mode: one of MODES; collects: who has the buyer's money. lines, taxes: what was booked of it as
    our own sale. tenders: money the partner kept. net: that of the lines. commission: rate x the
    net that is left of the sale, less what was told before, so that the last return takes the
    remainder; minor units. rate_ppm: parts per million. policy: the policy that says so, with its
    file and line.
    """

    partner: str
    mode: str
    collects: str
    net: int
    rate_ppm: int
    commission: int
    policy: str
    lines: tuple[ValuedLine, ...] = ()
    taxes: tuple[ValuedTax, ...] = ()
    tenders: tuple[ValuedTender, ...] = ()
