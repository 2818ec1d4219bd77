"""Transfers: goods between two places of ours, and what of them never arrived.

On the way they are the destination's, in transit. Dispatch and receipt may be told in any order
and in parts; once both were told and nothing more will come, what differs is a case. What lacks
stays in transit until somebody finds it or writes it off.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.quantity import to_text
from tillbridge.canonical.stock import TransferDispatched, TransferReceived
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.posting.stock.bookings import TRANSIT
from tillbridge.posting.stock.levels import Bucket

QUERIES = load("tillbridge.posting.stock", "transfers.sql")


class Way(msgspec.Struct, gc=False):
    """A transfer so far. left: product -> thousandths still in transit."""

    dispatched: bool = False
    complete: bool = False
    left: dict[str, int] = msgspec.field(default_factory=dict)


class Transfers:
    """The transfers of one transaction, by their keys."""

    def __init__(self, connection: Connection) -> None:
        """Nothing is read before somebody asks."""
        self._connection = connection
        self._ways: dict[str, Way] = {}

    def load(self, keys: Iterable[str]) -> None:
        """Read what was sent and what arrived."""
        fresh = sorted(set(keys) - self._ways.keys())
        if not fresh:
            return
        self._ways.update((key, Way()) for key in fresh)
        for key, product, left, out, done in self._connection.execute(QUERIES.ways, (fresh,)):
            way = self._ways[key]
            way.left[product] = left
            way.dispatched = way.dispatched or out
            way.complete = way.complete or done

    def take(
        self,
        key: str,
        body: TransferDispatched | TransferReceived,
        rows: Sequence[tuple[Bucket, int]],
    ) -> tuple[NeedsDecision, ...]:
        """Go on with a transfer by the movements of a fact; gives what a person should hear of."""
        way = self._ways[key]
        for bucket, quantity in rows:
            if bucket.condition == TRANSIT:
                way.left[bucket.product] = way.left.get(bucket.product, 0) + quantity
        if isinstance(body, TransferDispatched):
            way.dispatched = True
        else:
            way.complete = way.complete or body.complete
        if not (way.dispatched and way.complete):
            return ()
        differing = {product: left for product, left in way.left.items() if left}
        return (_differs(body, differing),) if differing else ()


def _differs(body: TransferDispatched | TransferReceived, left: dict[str, int]) -> NeedsDecision:
    told = ", ".join(
        f"{to_text(abs(quantity))} of {product} {'lacks' if quantity > 0 else 'too many'}"
        for product, quantity in sorted(left.items())
    )
    words = f"transfer {body.transfer} from {body.origin} to {body.destination}: {told}"
    remedy = f"tillbridge stock show --location {body.destination}"
    details = {"transfer": body.transfer, "left": left}
    if max(left.values()) > 0:
        return NeedsDecision(
            "transfer_short", words, owner="fulfilment", remedy=remedy, details=details
        )
    return NeedsDecision("transfer_over", words, owner="fulfilment", remedy=remedy, details=details)
