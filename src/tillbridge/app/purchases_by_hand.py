"""What people and programs tell of purchases: what was bought, what came, that no more will come.

The facts are those of any other source; the stock book takes them. What it would refuse is refused
here, in words, before anything is written.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from tillbridge.app.stock_by_hand import Hand, known
from tillbridge.atoms.errors import NeedsDecision, Refused
from tillbridge.atoms.ids import key_of, lane_of
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.stock import StockLine, StockReceived
from tillbridge.canonical.supply import PurchaseClosed, PurchaseLine, PurchaseOrdered
from tillbridge.durable import audit, log
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record
from tillbridge.posting.stock.bookings import booking
from tillbridge.posting.stock.items import Items

QUERIES = load("tillbridge.app", "purchases_by_hand.sql")


class Bought(msgspec.Struct, frozen=True):
    """What is bought of whom, for where and when. version: sortable, "" = the hub's time."""

    supplier: str
    location: str
    due_at: datetime
    lines: tuple[PurchaseLine, ...]
    version: str = ""
    proposal: str = ""


def ordered(connection: Connection, bought: Bought, hand: Hand) -> PurchaseOrdered:
    """The fact that goods were bought under the hand's number, checked; writes nothing. A number
    that is known takes a version of its own: it is told anew, as a whole.

    Raises Refused.
    """
    if bought.location not in hand.places:
        raise Refused(f"the workspace has no location {bought.location!r}", code="location_unknown")
    if not bought.supplier:
        raise Refused("a purchase names its supplier")
    if not bought.lines or any(line.quantity < 0 for line in bought.lines):
        raise Refused("a purchase is of something: quantities not below nothing")
    lines = [StockLine("", line.product, line.quantity, unit=line.unit) for line in bought.lines]
    _believed(connection, lines)
    key = key_of("supply", hand.number)
    connection.execute(QUERIES.turn, (key,))
    if not bought.version and connection.execute(QUERIES.told, (key,)).fetchone() is not None:
        words = f"purchase {hand.number} is there already: a changed one is told with a version"
        raise Refused(words)
    version = bought.version or f"{hand.at:%Y%m%dT%H%M%S}"
    told = {
        **hand.told(),
        **msgspec.structs.asdict(bought),
        "key": key,
        "id": f"{key}@{version}",
        "supply": hand.number,
        "version": version,
    }
    return msgspec.convert(told, PurchaseOrdered)


def received(
    connection: Connection,
    number: str,
    lines: tuple[StockLine, ...],
    hand: Hand,
    *,
    complete: bool = False,
) -> tuple[Fact, ...]:
    """The facts that goods of a purchase arrived, each line at its location, and with `complete`
    that nothing more will come; writes nothing.

    More or other goods than were ordered are goods all the same. Raises Refused.
    """
    row = _known(connection, number)
    key = f"receipt/hub/{hand.number}"
    told = {**hand.told(), "key": key, "id": key, "lines": lines, "supply": number}
    fact = msgspec.convert(told, StockReceived)
    try:
        booking(fact, hand.places)
    except NeedsDecision as problem:
        raise Refused(problem.words, code=problem.reason) from None
    _believed(connection, lines)
    if not complete or row[3]:
        return (fact,)
    return (fact, _closed(number, row[2], "complete", hand))


def closed(connection: Connection, number: str, reason: str, hand: Hand) -> PurchaseClosed:
    """The fact that nothing more will come of a purchase, as far as it is told now; writes nothing.

    A number nobody told yet (a proposal's) is over for good. Raises Refused.
    """
    row = connection.execute(QUERIES.one, (number,)).fetchone()
    if row is not None and row[3]:
        raise Refused(f"purchase {number} is closed")
    return _closed(number, row[2] if row is not None else "", reason, hand)


def _closed(number: str, version: str, reason: str, hand: Hand) -> PurchaseClosed:
    key = key_of("supply", number)
    told = {
        **hand.told(),
        "key": key,
        "id": f"{key}/closed/hub/{hand.number}",
        "supply": number,
        "version": version,
        "reason": reason,
    }
    return msgspec.convert(told, PurchaseClosed)


def tell(connection: Connection, facts: tuple[Fact, ...], hand: Hand, action: str) -> None:
    """Record who did it, and put the facts into the log. Commits."""
    audit.record(
        connection, hand.actor, action, facts[0].key, after=msgspec.to_builtins(list(facts))
    )
    records = [Record(fact.key, type(fact).__name__, fact, lane_of(fact.key)) for fact in facts]
    log.append_and_commit(connection, records)


def _known(connection: Connection, number: str) -> tuple[str, str, str, bool]:
    row = connection.execute(QUERIES.one, (number,)).fetchone()
    if row is None:
        raise Refused(f"nothing is known of a purchase {number!r}", code="not_found")
    return row[0], row[1], row[2], row[3]


def _believed(connection: Connection, lines: list[StockLine] | tuple[StockLine, ...]) -> None:
    """Nothing when the book knows products and units; raises Refused."""
    items = Items(connection)
    items.load(line.product for line in lines)
    try:
        items.expand(lines)
    except NeedsDecision as problem:
        raise Refused(problem.words, code=problem.reason) from None
    for line in lines:
        known(connection, items, line.product)
