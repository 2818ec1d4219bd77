"""Purchases: what was told of each supply number, and whether more will come of it.

Tellings of a number and its closing may come in any order and any number of times: the newest
telling stands, of two of one version the bytes decide, and a closing counts for the tellings up to
the one it was said of. All of them are of one key, so nobody else changes the row meanwhile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

import msgspec

from tillbridge.canonical.stock import StockLine, SupplyExpected
from tillbridge.canonical.supply import PurchaseClosed, PurchaseOrdered
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load("tillbridge.posting.stock", "purchases.sql")
SupplyTold = SupplyExpected | PurchaseOrdered
SupplyFact = SupplyTold | PurchaseClosed
"""What says how much of a supply is still to come."""


class Purchase(msgspec.Struct, gc=False):
    """One supply number. version, digest: of its newest telling, "" before the first. ended: the
    newest version said to be over, "" = all of them, None = none.
    """

    supply: str
    version: str = ""
    digest: str = ""
    supplier: str = ""
    location: str = ""
    due_at: datetime | None = None
    ordered_at: datetime | None = None
    closed: bool = False
    ended: str | None = None
    reason: str = ""
    proposal: str = ""

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.closed or (
            self.ended is not None and (not self.ended or self.version <= self.ended)
        )


class Purchases:
    """The supply numbers of one transaction."""

    def __init__(self, connection: Connection) -> None:
        """Nothing is read before somebody asks."""
        self._connection = connection
        self._known: dict[str, Purchase] = {}
        self._changed: set[str] = set()

    def load(self, numbers: Iterable[str]) -> None:
        """Read what is known of these."""
        fresh = sorted(set(numbers) - self._known.keys())
        if fresh:
            self._known.update((number, Purchase(number)) for number in fresh)
            for row in self._connection.execute(QUERIES.read, (fresh,), binary=True):
                self._known[row[0]] = Purchase(*row)

    def told(self, body: SupplyTold) -> Purchase | None:
        """Take a telling of a loaded number; None when it is no newer than the one that stands."""
        known = self._known[body.supply]
        digest = _digest(body)
        if (body.version, digest) <= (known.version, known.digest):
            return None
        known.version, known.digest = body.version, digest
        known.location, known.due_at, known.closed = body.location, body.due_at, body.closed
        known.ordered_at = body.occurred_at
        known.supplier, known.proposal = _bought(body)
        self._changed.add(body.supply)
        return known

    def closed(self, body: PurchaseClosed) -> Purchase | None:
        """Take the word that nothing more will come; None when that was known."""
        known = self._known[body.supply]
        if known.ended is not None and _rank(known.ended) >= _rank(body.version):
            return None
        known.ended, known.reason = body.version, body.reason
        self._changed.add(body.supply)
        return known

    def save(self) -> None:
        """Write what changed as one set."""
        rows = [msgspec.structs.astuple(self._known[number]) for number in sorted(self._changed)]
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            self._connection.execute(QUERIES.save, columns, binary=True)
        self._changed.clear()


def lines_of(body: SupplyTold) -> tuple[StockLine, ...]:
    """The lines of a telling as the stock book takes them, named by their place."""
    if isinstance(body, SupplyExpected):
        return tuple(msgspec.structs.replace(one, line=str(n)) for n, one in enumerate(body.lines))
    return tuple(
        StockLine(str(n), one.product, one.quantity, unit=one.unit)
        for n, one in enumerate(body.lines)
    )


def due_of(body: SupplyTold, line: str) -> datetime:
    """When the goods of a line (of `lines_of`) are expected."""
    told = body.lines[int(line)].due_at if isinstance(body, PurchaseOrdered) else None
    return told or body.due_at


def _rank(ended: str) -> tuple[bool, str]:
    return not ended, ended


def _bought(body: SupplyTold) -> tuple[str, str]:
    """Supplier and proposal, "" where nobody told."""
    return (body.supplier, body.proposal) if isinstance(body, PurchaseOrdered) else ("", "")


def _digest(body: SupplyTold) -> str:
    """Of what a telling says; when it was told does not count."""
    said = (body.location, body.due_at, body.lines, body.closed, _bought(body))
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:16]
