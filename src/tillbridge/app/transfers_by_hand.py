"""What a person or a program orders of transfers: ordered, cancelled, written off. Through the log.

The facts are those of any other source; the flow decides and books. What could never be sent is
refused here, in words, before anything is written.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from tillbridge.app.stock_by_hand import Hand, known
from tillbridge.atoms.errors import NeedsDecision, Refused
from tillbridge.atoms.ids import key_of, lane_of
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.stock import StockAdjusted, StockLine
from tillbridge.canonical.supply import TransferCancelled, TransferOrdered
from tillbridge.durable import audit, log
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record
from tillbridge.posting.stock.items import Items

QUERIES = load("tillbridge.app", "transfers_by_hand.sql")


class Wish(msgspec.Struct, frozen=True):
    """What is to go from where to where, and by when."""

    origin: str
    destination: str
    lines: tuple[StockLine, ...]
    due_at: datetime | None = None


def ordered(connection: Connection, wish: Wish, hand: Hand) -> TransferOrdered:
    """The fact that a transfer was ordered under the hand's number, checked; writes nothing.

    Raises Refused.
    """
    for place in (wish.origin, wish.destination):
        if place not in hand.places:
            raise Refused(f"the workspace has no location {place!r}", code="location_unknown")
    if wish.origin == wish.destination:
        raise Refused(f"{wish.origin} cannot send goods to itself")
    if not wish.lines or any(line.quantity <= 0 for line in wish.lines):
        raise Refused("a transfer is of something: quantities above nothing")
    items = Items(connection)
    items.load(line.product for line in wish.lines)
    try:
        items.expand(wish.lines)
    except NeedsDecision as problem:
        raise Refused(problem.words, code=problem.reason) from None
    for line in wish.lines:
        known(connection, items, line.product)
    key = key_of("transfer", hand.number)
    connection.execute(QUERIES.turn, (key,))
    if connection.execute(QUERIES.told, (key,)).fetchone() is not None:
        raise Refused(f"transfer {hand.number} is there already")
    told = {"key": key, "id": f"{key}@1", "transfer": hand.number, "version": "1"}
    return msgspec.convert(
        {**hand.told(), **told, **msgspec.structs.asdict(wish), "asked": "person"}, TransferOrdered
    )


def order(connection: Connection, wish: Wish, hand: Hand) -> TransferOrdered:
    """Order a transfer. Commits; raises Refused."""
    fact = ordered(connection, wish, hand)
    tell(connection, fact, hand, "transfers.order")
    return fact


def cancel(connection: Connection, number: str, reason: str, hand: Hand) -> TransferCancelled:
    """Send no more of a transfer. Commits; raises Refused."""
    key = key_of("transfer", number)
    row = _row(connection, key)
    if row is None:
        raise Refused(f"nothing is known of a transfer {number!r}")
    if row[0] in ("received", "cancelled"):
        raise Refused(f"transfer {number} is {row[0]}")
    told = {"key": key, "id": f"{key}/cancel/{hand.number}", "transfer": number, "reason": reason}
    fact = msgspec.convert({**hand.told(), **told}, TransferCancelled)
    tell(connection, fact, hand, "transfers.cancel")
    return fact


def write_off(connection: Connection, number: str, reason: str, hand: Hand) -> StockAdjusted:
    """Take what never arrived of a transfer off the goods in transit. Commits; raises Refused."""
    key = key_of("transfer", number)
    rows = connection.execute(QUERIES.in_transit, (key,)).fetchall()
    if not rows:
        raise Refused(f"nothing of transfer {number} is in transit")
    lines = [
        StockLine(str(n), product, -left, location, "in_transit")
        for n, (location, product, left) in enumerate(rows, 1)
    ]
    told = {"key": key, "id": f"{key}/write-off/{hand.number}", "lines": lines, "reason": reason}
    fact = msgspec.convert({**hand.told(), **told}, StockAdjusted)
    tell(connection, fact, hand, "transfers.write_off")
    return fact


def tell(connection: Connection, fact: Fact, hand: Hand, action: str) -> None:
    """Record who did it, and put the fact into the log. Commits."""
    audit.record(connection, hand.actor, action, fact.key, after=msgspec.to_builtins(fact))
    record = Record(fact.key, type(fact).__name__, fact, lane_of(fact.key))
    log.append_and_commit(connection, [record])


def _row(connection: Connection, key: str) -> tuple[str] | None:
    return connection.execute(QUERIES.status, (key,)).fetchone()
