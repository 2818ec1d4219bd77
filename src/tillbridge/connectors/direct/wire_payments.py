"""What happened to an order's payment, as a checkout or its payment webhook hands it in."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from tillbridge.connectors.direct.wire import Amount, Code, Instant, Named, Text

TOPIC = "payment"


class PaymentDocument(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that happened to a payment. order: number of its order, which may come later.
    reference: the teller's own id of it, of a dispute that of the dispute; told again it changes
    nothing. intent: the provider's payment intent, which the checkout's answer and the provider's
    webhook share, so that they count once. parent: reference of what it follows (an authorisation,
    a disputed payment). told_by: `provider` where the shop passes on the provider's own webhook.
    until: when a hold ends. card: id of a gift card or credit. refund: number of the shop's refund.
    fee, respond_by: of a dispute. amount: may be left out of voided, dispute_won and dispute_lost.
    """

    order: Named
    kind: Literal[
        "authorized",
        "captured",
        "voided",
        "failed",
        "refunded",
        "refund_failed",
        "disputed",
        "dispute_won",
        "dispute_lost",
    ]
    reference: Named
    at: Instant
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    amount: Amount | UnsetType = UNSET
    tender: Code = ""
    intent: Code = ""
    parent: Code = ""
    told_by: Literal["shop", "provider"] = "shop"
    until: Instant | None = None
    card: Code = ""
    refund: Code = ""
    fee: Amount = "0"
    reason: Text = ""
    respond_by: Instant | None = None
