"""Holds: what keys have reserved, changed under the locks of the stock rows they stand on.

A hold may be changed by a transaction that is not working for its key (a late till sale takes what
was promised to another order). So: read where the keys stand, lock those rows, then read the holds
in a statement of its own, and lock more if they moved meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from tillbridge.canonical.stock import (
    HoldConfirmed,
    HoldMoved,
    HoldReleased,
    StockHeld,
    StockLine,
)
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import DONE, Connection, Outcome
from tillbridge.posting.stock.hold import Hold
from tillbridge.posting.stock.levels import Bucket, Levels

QUERIES = load("tillbridge.posting.stock", "holds.sql")
HoldFact = StockHeld | HoldConfirmed | HoldReleased | HoldMoved
_JOINT = "\x1f"


class Holds:
    """The holds of one transaction."""

    def __init__(self, connection: Connection, levels: Levels) -> None:
        """Nothing is read before somebody asks."""
        self._connection = connection
        self._levels = levels
        self._holds: dict[str, Hold] = {}
        self._stored: set[str] = set()
        self._with_rows: set[str] = set()
        self._changed: set[str] = set()
        self._replaced: set[str] = set()

    def __getitem__(self, key: str) -> Hold:
        """A hold whose rows this transaction has locked; version 0 when the key has none."""
        return self._holds[key]

    def known(self) -> list[Hold]:
        """Every hold as this transaction has it."""
        return list(self._holds.values())

    def standing(self, keys: Iterable[str]) -> dict[str, set[Bucket]]:
        """Where keys stand now; nothing is locked, so they may be gone a moment later."""
        wanted = sorted(set(keys))
        return (
            _places_of(self._connection.execute(QUERIES.standing, {"k": wanted})) if wanted else {}
        )

    def due(self, now: datetime, most: int) -> dict[str, set[Bucket]]:
        """Soft holds past their time that nobody swept yet, and where they stand; unlocked."""
        return _places_of(self._connection.execute(QUERIES.due, (now, most)))

    def lock(
        self, keys: Iterable[str], wanted: Iterable[Bucket] = (), made: Iterable[Bucket] = ()
    ) -> None:
        """Lock the stock rows wanted where they are there, those to be made if they are not, and
        those the keys stand on, in key order; read the holds. Keys seen before are locked already.
        """
        fresh = set(keys) - self._holds.keys()
        standing = self.standing(fresh).values()
        self._levels.make(made)
        self.take(fresh, set(wanted).union(made, *standing))

    def take(self, keys: Iterable[str], places: Iterable[Bucket]) -> None:
        """As `lock`, for who has looked already where the keys stand."""
        fresh = sorted(set(keys) - self._holds.keys())
        asked = self._levels.ask(places)
        while fresh:
            found = self._connection.execute(QUERIES.read, (fresh,), binary=True)
            self._levels.take(asked)
            asked = None
            read = _holds_of(found)
            standing = {place for hold in read for place in hold.places}
            elsewhere = [place for place in standing if place not in self._levels]
            if not elsewhere:
                self._holds.update((key, Hold(key)) for key in fresh)
                self._holds.update((hold.key, hold) for hold in read)
                self._stored.update(hold.key for hold in read)
                self._with_rows.update(hold.key for hold in read if hold.lines)
                break
            asked = self._levels.ask(elsewhere)
        self._levels.take(asked)

    def standing_at(self, buckets: Iterable[Bucket]) -> list[Hold]:
        """Every hold with a piece at one of these locked rows, newest first; its rows are locked.

        May lock rows out of order: a deadlock reruns the batch.
        """
        places = set(buckets)
        columns = [b.location for b in places], [b.product for b in places]
        rows = self._connection.execute(QUERIES.standing_at, columns).fetchall()
        self.lock(row[0] for row in rows)
        found = [hold for hold in self._holds.values() if hold.places & places]
        return sorted(found, key=lambda hold: (hold.placed_at, hold.key), reverse=True)

    def open(self, hold: Hold, lines: tuple[StockLine, ...]) -> Hold:
        """A new hold at the hub's own door; its key must be locked and free."""
        hold.version, hold.desk = 1, True
        self._holds[hold.key] = hold
        return self.stand(hold, lines)

    def confirm(self, key: str) -> Hold:
        """Make a soft hold firm."""
        hold = self._holds[key]
        hold.version, hold.kind, hold.expires_at = hold.version + 1, "firm", None
        self._changed.add(key)
        return hold

    def change(self, key: str, lines: tuple[StockLine, ...]) -> Hold:
        """Let a hold stand elsewhere; the rows of the lines must be locked."""
        hold = self._holds[key]
        hold.version += hold.desk
        return self.stand(hold, lines)

    def cut(self, key: str, reason: str, product: str = "") -> Hold:
        """Let everything go that a key holds.

        A hold of the hub's own door ends by one of HOLD_ENDS; an order's last answer becomes a no
        for lack of the product.
        """
        hold = self._holds[key]
        if hold.desk:
            hold.version, hold.ended = hold.version + 1, reason
        else:
            hold.ok, hold.short = False, product
        return self.stand(hold, ())

    def apply(self, body: HoldFact) -> Outcome:
        """Take a fact that the hub's own door told: a no-op where its effect stands already."""
        hold = self._holds[body.key]
        version = 1 if isinstance(body, StockHeld) else body.version
        if version <= hold.version:
            return DONE
        match body:
            case StockHeld():
                opened = Hold(
                    body.key,
                    kind=body.kind,
                    channel=body.channel,
                    expires_at=body.expires_at,
                    locations=body.locations,
                    split_most=body.split_most,
                    placed_at=body.occurred_at,
                )
                self.open(opened, body.lines)
            case HoldConfirmed():
                self.confirm(body.key)
            case HoldReleased():
                self.cut(body.key, body.reason)
            case HoldMoved():
                self.change(body.key, body.lines)
        return DONE

    def stand(self, hold: Hold, lines: tuple[StockLine, ...]) -> Hold:
        """Give back what a hold reserves and let it reserve these."""
        for line in hold.lines:
            self._levels.reserve(Bucket(line.location, line.product), -line.quantity)
        for line in lines:
            self._levels.reserve(Bucket(line.location, line.product), line.quantity)
        hold.lines = tuple(sorted(lines, key=_as_read))
        self._changed.add(hold.key)
        self._replaced.add(hold.key)
        return hold

    def save(self) -> None:
        """Write headers and reservations as sets."""
        if not self._changed:
            return
        run = self._connection.execute
        if gone := sorted(self._replaced & self._with_rows):
            run(QUERIES.drop_reservations, (gone,))
        rows = [
            (key, line.line, line.location, line.product, line.quantity)
            for key in sorted(self._replaced)
            for line in self._holds[key].lines
        ]
        if rows:
            run(QUERIES.add_reservations, [list(c) for c in zip(*rows, strict=True)], binary=True)
        for query, keys in (
            (QUERIES.add, self._changed - self._stored),
            (QUERIES.save, self._changed & self._stored),
        ):
            if keys:
                run(query, _columns([self._holds[key] for key in sorted(keys)]), binary=True)
        self._stored |= self._changed
        self._with_rows -= self._replaced
        self._with_rows.update(row[0] for row in rows)
        self._changed.clear()
        self._replaced.clear()


def _as_read(line: StockLine) -> tuple[str, str, str]:
    """The order lines are read in: what is answered must not depend on where a batch ended."""
    return line.line, line.product, line.location


def _places_of(rows: Iterable[Sequence[Any]]) -> dict[str, set[Bucket]]:
    found: dict[str, set[Bucket]] = {}
    for key, location, product in rows:
        found.setdefault(key, set()).add(Bucket(location, product))
    return found


def _holds_of(rows: Iterable[Sequence[Any]]) -> list[Hold]:
    """Holds from rows of a header and one line each, in the order of their keys."""
    holds: list[Hold] = []
    for *header, line, location, product, quantity in rows:
        if not holds or holds[-1].key != header[0]:
            header[7], header[14] = tuple(header[7]), tuple(header[14])
            holds.append(Hold(*header))
        if line is not None:
            holds[-1].lines += (StockLine(line, product, quantity, location),)
    return holds


def _columns(holds: list[Hold]) -> list[list[Any]]:
    return [
        [hold.key for hold in holds],
        [hold.version for hold in holds],
        [hold.ok for hold in holds],
        [hold.short for hold in holds],
        [hold.kind for hold in holds],
        [hold.channel for hold in holds],
        [hold.expires_at for hold in holds],
        [_JOINT.join(hold.locations) for hold in holds],
        [hold.split_most for hold in holds],
        [hold.placed_at for hold in holds],
        [hold.desk for hold in holds],
        [hold.ended for hold in holds],
        [hold.turn for hold in holds],
        [hold.backorder for hold in holds],
        [_JOINT.join(hold.preorder) for hold in holds],
        [hold.promised for hold in holds],
    ]
