"""Transfers: goods between two places of ours, and what of them never arrived.

On the way they are the destination's, in transit. Dispatch and receipt may be told in any order
and in parts; once both were told and nothing more will come, what differs is a case. What lacks
stays in transit until somebody finds it or writes it off; then the case is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.quantity import to_text
from tillbridge.canonical.stock import (
    SELLABLE,
    StockAdjusted,
    TransferDispatched,
    TransferReceived,
)
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.posting.stock.bookings import TRANSIT
from tillbridge.posting.stock.levels import Bucket

QUERIES = load("tillbridge.posting.stock", "transfers.sql")
PREFIX = "transfer/"
SHORT, OVER = "transfer_short", "transfer_over"
TransferFact = TransferDispatched | TransferReceived | StockAdjusted
"""What moves goods of a transfer: an adjustment under its key writes off what never arrived."""


class Way(msgspec.Struct, gc=False):
    """A transfer so far. left: product -> thousandths still in transit. sent: product ->
    thousandths that left its origin's shelf.
    """

    dispatched: bool = False
    complete: bool = False
    left: dict[str, int] = msgspec.field(default_factory=dict)
    sent: dict[str, int] = msgspec.field(default_factory=dict)


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
        for key, product, left, sent, out, done in self._connection.execute(QUERIES.ways, (fresh,)):
            way = self._ways[key]
            way.left[product], way.sent[product] = left, sent
            way.dispatched = way.dispatched or out
            way.complete = way.complete or done

    def sent(self, key: str) -> dict[str, int]:
        """What of a loaded transfer left its origin's shelf, by product; nothing for other keys."""
        way = self._ways.get(key)
        return {} if way is None else way.sent

    def take(
        self, key: str, body: TransferFact, rows: Sequence[tuple[Bucket, int]]
    ) -> tuple[tuple[NeedsDecision, ...], tuple[str, ...]]:
        """Go on with a transfer by the movements of a fact; gives what a person should hear of, and
        the reasons for which nobody has to look any more.
        """
        way = self._ways[key]
        for bucket, quantity in rows:
            if bucket.condition == TRANSIT:
                way.left[bucket.product] = way.left.get(bucket.product, 0) + quantity
        if isinstance(body, TransferDispatched):
            way.dispatched = True
            for product, quantity in taken(rows).items():
                way.sent[product] = way.sent.get(product, 0) + quantity
        elif isinstance(body, TransferReceived):
            way.complete = way.complete or body.complete
        if not (way.dispatched and way.complete):
            return (), ()
        differing = {product: left for product, left in way.left.items() if left}
        if differing:
            return (_differs(key, differing),), ()
        return (), (SHORT, OVER)


def taken(rows: Sequence[tuple[Bucket, int]]) -> dict[str, int]:
    """What a dispatch takes from the shelf, by product: thousandths, positive."""
    found: dict[str, int] = {}
    for bucket, quantity in rows:
        if bucket.condition == SELLABLE and quantity < 0:
            found[bucket.product] = found.get(bucket.product, 0) - quantity
    return found


def _differs(key: str, left: dict[str, int]) -> NeedsDecision:
    number = key.removeprefix(PREFIX)
    told = ", ".join(
        f"{to_text(abs(quantity))} of {product} {'lacks' if quantity > 0 else 'too many'}"
        for product, quantity in sorted(left.items())
    )
    words = f"transfer {number}: {told}"
    remedy = f"tillbridge transfers show {number}"
    details = {"transfer": number, "left": left}
    if max(left.values()) > 0:
        return NeedsDecision(
            "transfer_short", words, owner="fulfilment", remedy=remedy, details=details
        )
    return NeedsDecision("transfer_over", words, owner="fulfilment", remedy=remedy, details=details)
