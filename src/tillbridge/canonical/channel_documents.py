"""What the hub tells the channel an order came by: what became of its goods, that money is to be
given back, that nothing of it will come. `reference` is always the channel's own id of the order.
"""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from tillbridge.canonical.returns import RefundAdjustment, RefundLine, RefundPayment
from tillbridge.canonical.shipments import ShippedLine

CHANNEL_KINDS = ("fulfilment", "refund", "order_cancel")
STAGES = {"ready": 1, "shipped": 2, "collected": 3, "delivered": 3}
"""What of a fulfilment a channel is told, the later one higher; and `cancelled`: not so after all.
"""


class FulfilmentDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a fulfilment has come to, whole: whatever the channel knows of it already, it is to show
    this afterwards.

    fulfilment: our id. state: one of STAGES, or `cancelled`. location: our code. lines: thousandths
    of the order's lines. theirs: the channel's own id of it, "" = not known. others: ids the
    channel has for other fulfilments of the order, as far as known.
    """

    reference: str
    number: str
    channel: str
    currency: str
    fulfilment: str
    state: str
    happened_at: datetime
    lines: tuple[ShippedLine, ...]
    location: str = ""
    carrier: str = ""
    tracking: str = ""
    theirs: str = ""
    others: tuple[str, ...] = ()


class RefundDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Money to be given back, minor units, and what for. Payments sum to the total; each names the
    tender, and the payment it goes back to where that is known. Lines and adjustments are what it
    is for; they may be worth more than the total where no more than that is left to give back.
    """

    reference: str
    number: str
    channel: str
    currency: str
    total: int
    payments: tuple[RefundPayment, ...]
    lines: tuple[RefundLine, ...] = ()
    adjustments: tuple[RefundAdjustment, ...] = ()
    reason: str = ""


class OrderCancelDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Nothing of an order will come any more; its money is given back by `refund` documents."""

    reference: str
    number: str
    channel: str
    currency: str
    cancel_date: date
    reason: str = ""
