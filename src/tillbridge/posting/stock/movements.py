"""Movements: every change of what is on hand, one row each, once per fact.

A movement told after a count that was taken later than it happened is in that count already: it is
booked, and taken back by a `count` movement of the same fact. So the order in which movements and
counts arrive makes no difference to what is on hand. What happened in the instant of a count
happened after it: of a sale in doubt, the piece is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.posting.stock.levels import Bucket, Levels

QUERIES = load("tillbridge.posting.stock", "movements.sql")
COUNTS = ("opening", "count")
"""Kinds that say what is there, not what came or went."""
ALREADY = "counted_already"
Row = tuple[str, int, str, str, str, str, str, str, int, datetime]


class Movements:
    """The movements of one transaction."""

    def __init__(self, connection: Connection, levels: Levels) -> None:
        """Nothing is read before somebody asks."""
        self._connection = connection
        self._levels = levels
        self._booked: set[str] = set()
        self._asked: set[str] = set()
        self._sums: dict[str, dict[Bucket, int]] = {}
        self._rows: list[Row] = []
        self._recent: dict[Bucket, list[tuple[datetime, bool, int]]] = {}
        self._later: dict[tuple[Bucket, datetime], int] = {}

    def load_booked(self, facts: Iterable[str]) -> None:
        """Read which of these facts were booked before."""
        fresh = [fact for fact in facts if fact not in self._asked]
        if not fresh:
            return
        self._asked.update(fresh)
        rows = self._connection.execute(QUERIES.known, (fresh,)).fetchall()
        self._booked.update(row[0] for row in rows)

    def is_booked(self, fact: str) -> bool:
        """Whether a fact moved stock already."""
        return fact in self._booked

    def load_sums(self, keys: Iterable[str]) -> None:
        """Read what all movements of these keys (till sales that are voided) come to."""
        fresh = sorted(set(keys) - self._sums.keys())
        if not fresh:
            return
        self._sums.update((key, {}) for key in fresh)
        rows = self._connection.execute(QUERIES.of_keys, (fresh,)).fetchall()
        for key, location, product, condition, quantity in rows:
            self._sums[key][Bucket(location, product, condition)] = quantity

    def load_later(self, instants: Iterable[tuple[Bucket, datetime]]) -> None:
        """Read what moved at locked places since these instants."""
        fresh = sorted(set(instants) - self._later.keys())
        if not fresh:
            return
        columns = (
            list(range(len(fresh))),
            [bucket.location for bucket, _ in fresh],
            [bucket.product for bucket, _ in fresh],
            [bucket.condition for bucket, _ in fresh],
            [at for _, at in fresh],
        )
        for n, quantity in self._connection.execute(QUERIES.later, columns):
            self._later[fresh[n]] = quantity

    def as_of(self, bucket: Bucket, at: datetime) -> int:
        """What the book says was on hand at a loaded instant, by all that is known now: what
        counts of that instant found, before anything else that happened in it.
        """
        recent = sum(
            moved
            for when, counted, moved in self._recent.get(bucket, ())
            if when > at or (when == at and not counted)
        )
        return self._levels[bucket].on_hand - self._later[bucket, at] - recent

    def buckets_of(self, key: str) -> Iterable[Bucket]:
        """Where movements of a loaded key stand."""
        return self._sums.get(key, {})

    def undoing(self, key: str) -> list[tuple[Bucket, int]]:
        """What undoes a key: its stored movements and those of this transaction, turned round;
        not what counts made of them.
        """
        sums = dict(self._sums.get(key, {}))
        for _, _, of_key, kind, _, location, product, condition, quantity, _ in self._rows:
            if of_key == key and kind not in COUNTS:
                bucket = Bucket(location, product, condition)
                sums[bucket] = sums.get(bucket, 0) + quantity
        return [(bucket, -quantity) for bucket, quantity in sums.items()]

    def move(
        self,
        key: str,
        fact: str,
        kind: str,
        rows: Sequence[tuple[Bucket, int]],
        at: datetime,
        cause: str = "",
    ) -> None:
        """Book a fact's movements."""
        for bucket, quantity in rows:
            if quantity == 0:
                continue
            row = (fact, key, kind, cause, bucket, quantity, at)
            counted = self._levels[bucket].counted_at
            if kind not in COUNTS and counted is not None and at < counted:
                self._move(*row)
                self._move(fact, key, "count", ALREADY, bucket, -quantity, at)
                continue
            self._move(*row)
        self._booked.add(fact)

    def _move(
        self,
        fact: str,
        key: str,
        kind: str,
        cause: str,
        bucket: Bucket,
        quantity: int,
        at: datetime,
    ) -> None:
        self._levels.move(bucket, quantity)
        self._levels.heard(bucket, at)
        place = (bucket.location, bucket.product, bucket.condition)
        self._rows.append((fact, len(self._rows), key, kind, cause, *place, quantity, at))
        counted = kind in COUNTS and cause != ALREADY
        self._recent.setdefault(bucket, []).append((at, counted, quantity))

    def save(self) -> None:
        """Write the movements as one set."""
        if self._rows:
            columns = [list(column) for column in zip(*self._rows, strict=True)]
            self._connection.execute(QUERIES.add, columns)
            self._rows.clear()
