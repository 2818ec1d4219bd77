"""`POST /v1/payments`: what happens to payments of orders of channels without a connector.

Taken in as orders are: the bytes are stored before the answer. Checkout and payment webhook may
both tell, in either order and before the order itself; the order's machine counts an intent once.
"""

from __future__ import annotations

import msgspec

from tillbridge.app.api.problems import refusal
from tillbridge.app.api.resources import Resources
from tillbridge.app.api.routes import Call
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.connectors.direct.inbound_payments import payment_told
from tillbridge.connectors.direct.keys import order_key
from tillbridge.connectors.direct.wire_payments import TOPIC, PaymentDocument
from tillbridge.contract.promises import Item
from tillbridge.inbox.answers import Answer, answer
from tillbridge.inbox.arrivals import arrival

_REUSED = refusal("idempotency-key-reused", "This Idempotency-Key came before with another body.")


class PaymentTaken(msgspec.Struct, frozen=True):
    """It is stored and will be carried through. order: key of the order, as the hub's own lists
    name it.
    """

    reference: str
    order: str


async def take_payment(resources: Resources, call: Call) -> Answer:
    """Take it in; 202 only after it is stored."""
    source = resources.direct.get(call.who.channel)
    if source is None:
        words = f"No connection of the channel {call.who.channel} takes these (connector direct)."
        return refusal("refused", words)
    document: PaymentDocument = call.body
    try:
        payment_told(document, source)
    except NeedsDecision as problem:
        return refusal("payment-impossible", f"{problem.words}.")
    key = order_key(source.name, document.order)
    item = Item(topic=TOPIC, delivery=f"{call.who.name}/{call.key}", body=call.raw, key=key)
    now = resources.clock.now()
    stored = await resources.intake.submit(arrival(source.name, item, now, trace=call.trace))
    if stored.outcome == "conflict":
        return _REUSED
    again = ((b"idempotent-replayed", b"true"),) if stored.outcome == "duplicate" else ()
    told = msgspec.json.encode(PaymentTaken(document.reference, key))
    return answer(202, told, headers=again)
