"""Movements: every change of what is on hand, one row each, once per fact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.posting.stock.levels import Bucket, Level, Levels

QUERIES = load("tillbridge.posting.stock", "movements.sql")
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

    def buckets_of(self, key: str) -> Iterable[Bucket]:
        """Where movements of a loaded key stand."""
        return self._sums.get(key, {})

    def undoing(self, key: str) -> list[tuple[Bucket, int]]:
        """What undoes a key: its stored movements and those of this transaction, turned round."""
        sums = dict(self._sums.get(key, {}))
        for _, _, of_key, _, _, location, product, condition, quantity, _ in self._rows:
            if of_key == key:
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
    ) -> tuple[NeedsDecision, ...]:
        """Book a fact's movements; gives what a person should hear of."""
        notices: list[NeedsDecision] = []
        for bucket, quantity in rows:
            if quantity == 0:
                continue
            level = self._levels.move(bucket, quantity)
            self._levels.heard(bucket, at)
            place = (bucket.location, bucket.product, bucket.condition)
            self._rows.append((fact, len(self._rows), key, kind, cause, *place, quantity, at))
            if quantity < 0 and level.reserved and level.free < 0:
                notices.append(_below(bucket, level))
        self._booked.add(fact)
        return tuple(notices)

    def save(self) -> None:
        """Write the movements as one set."""
        if self._rows:
            columns = [list(column) for column in zip(*self._rows, strict=True)]
            self._connection.execute(QUERIES.add, columns)
            self._rows.clear()


def _below(bucket: Bucket, level: Level) -> NeedsDecision:
    return NeedsDecision(
        "stock_below_reserved",
        f"{bucket.product} at {bucket.location}: {level.on_hand / 1000:g} on hand, "
        f"{level.reserved / 1000:g} promised",
        owner="fulfilment",
        remedy=f"tillbridge stock show --product {bucket.product}",
        details={"location": bucket.location, "product": bucket.product},
    )
