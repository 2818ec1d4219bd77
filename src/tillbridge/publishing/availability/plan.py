"""Planning: which figures at which channels follow from the stock rows that changed.

Whoever changes a stock row marks it (`stock.changed_at`) in the same statement. Here the marks are
taken off, and in that transaction it is read what can be promised now. A hundred changes of one
product between two looks are one plan, and a figure that came back to what it was is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from tillbridge.durable.crash_points import reach
from tillbridge.durable.rooms import Connection
from tillbridge.publishing.availability.figures import Change, floored
from tillbridge.publishing.availability.shelf import (
    QUERIES,
    TOTAL,
    Channel,
    Place,
    Promised,
    Row,
    columns,
    locked,
    save,
)

MOST = 500
SLICE = 1000
PASSED_OVER = timedelta(seconds=2)
"""A row that was being changed at every look for so long is waited for."""
LATE = timedelta(days=1)
"""Shipments that happened longer ago than this when they are told are not looked for."""


class Planner:
    """Plans for all channels that publish, on one connection."""

    def __init__(
        self, connection: Connection, channels: Sequence[Channel], promised: Promised
    ) -> None:
        self._connection = connection
        self._channels = channels
        self._promised = promised

    def run_once(self, now: datetime) -> int:
        """Plan for what changed, in a transaction of its own; gives how many rows had changed."""
        if not self._channels:
            return 0
        before = {"most": MOST, "before": now - PASSED_OVER}
        taken = self._connection.execute(QUERIES.take_waiting, before).fetchall()
        if not taken:
            taken = self._connection.execute(QUERIES.take, before).fetchall()
        if not taken:
            self._connection.rollback()
            return 0
        reach("publication.taken")
        changes = self._with_bundles([Change(*row) for row in taken])
        for channel in self._channels:
            self._plan(channel, changes, now)
        self._connection.commit()
        return len(taken)

    def refresh(self, now: datetime) -> int:
        """Plan for everything again: rules may have changed, sources may have grown old. Gives how
        many figures came out differently. In transactions of its own, one per slice of products.
        """
        differing = 0
        for channel in self._channels:
            after = ""
            while True:
                given = {"name": channel.name, "after": after, "most": SLICE}
                rows = self._connection.execute(QUERIES.named_after, given).fetchall()
                products = [row[0] for row in rows]
                if not products:
                    break
                differing += self._replan(channel, products, now)
                self._connection.commit()
                after = products[-1]
        self._connection.rollback()
        return differing

    def _with_bundles(self, changes: Sequence[Change]) -> dict[Place, datetime]:
        """Changed places with their oldest change; what is made of a product changed with it."""
        products = sorted({change.product for change in changes})
        made: dict[str, list[str]] = {}
        for product, bundle in self._connection.execute(
            QUERIES.bundles, {"products": products}
        ).fetchall():
            made.setdefault(product, []).append(bundle)
        found: dict[Place, datetime] = {}
        for change in changes:
            for product in (change.product, *made.get(change.product, ())):
                place = (change.location, product)
                found[place] = min(found.get(place, change.at), change.at)
        return found

    def _plan(self, channel: Channel, changes: Mapping[Place, datetime], now: datetime) -> None:
        named = self._named(channel, {product for _, product in changes})
        places = [p for p in changes if p[0] in channel.locations and p[1] in named]
        if not places:
            return
        rows = locked(self._connection, channel, places)
        figures = self._figures(channel, places, now)
        self._count_own(channel, rows, now)
        for place, row in rows.items():
            row.available = figures.get(place, 0)
            self._owe(channel, row, changes[place], now)
        save(self._connection, channel, list(rows.values()))
        if channel.at:
            oldest: dict[str, datetime] = {}
            for place in places:
                at = changes[place]
                oldest[place[1]] = min(oldest.get(place[1], at), at)
            self._sum_up(channel, oldest, now)

    def _replan(self, channel: Channel, products: Sequence[str], now: datetime) -> int:
        """New figures for all places of some products. Own orders are counted the first time, for
        which the stock rows are locked; later only by those who change the rows.
        """
        places = [(location, product) for location in channel.locations for product in products]
        given = {"dest": channel.dest, **columns(places)}
        new = [(row[0], row[1]) for row in self._connection.execute(QUERIES.unplanned, given)]
        if new:
            self._connection.execute(QUERIES.lock_stock, columns(new))
        figures = self._figures(channel, places, now)
        rows = locked(self._connection, channel, places)
        if new:
            self._count_own(channel, {place: rows[place] for place in new}, now)
        fresh = set(new)
        other = [
            row
            for place, row in rows.items()
            if row.available != figures.get(place, 0) or place in fresh
        ]
        for row in other:
            row.available = figures.get(row.place, 0)
            self._owe(channel, row, now, now)
        save(self._connection, channel, other)
        if channel.at and other:
            self._sum_up(channel, dict.fromkeys((row.product for row in other), now), now)
        return len(other)

    def _sum_up(self, channel: Channel, changed: Mapping[str, datetime], now: datetime) -> None:
        """The total of a channel that knows no places."""
        rows = locked(self._connection, channel, [(TOTAL, product) for product in changed])
        sums = self._connection.execute(
            QUERIES.totals, {"dest": channel.dest, "products": list(changed)}
        ).fetchall()
        for product, available, told in sums:
            row = rows[TOTAL, product]
            row.available, row.told = available, told
            self._owe(channel, row, changed[product], now)
        save(self._connection, channel, list(rows.values()))

    def _owe(self, channel: Channel, row: Row, changed_at: datetime, now: datetime) -> None:
        """When a row is due: a moment after the oldest change, so that those that follow join."""
        if channel.at and row.location != TOTAL:
            return
        if not row.owes:
            row.due = row.changed_at = None
            return
        row.changed_at = min(row.changed_at or changed_at, changed_at)
        if row.due is None or row.refused:
            row.due = now + channel.gather

    def _figures(
        self, channel: Channel, places: Iterable[Place], now: datetime
    ) -> dict[Place, int]:
        pairs = columns(places)
        found = self._promised(
            self._connection,
            channel.channel,
            sorted(set(pairs["products"])),
            sorted(set(pairs["locations"])),
            now,
        )
        return {place: floored(quantity, channel.step) for place, quantity in found.items()}

    def _count_own(self, channel: Channel, rows: Mapping[Place, Row], now: datetime) -> None:
        """What the channel's own orders have taken since the last plan: what more they hold, and
        what of theirs left. The stock rows are locked, so nothing of it is under way.
        """
        given = {
            **columns(rows),
            "moved": [row.moved for row in rows.values()],
            "prefix": channel.orders,
            "since": now - LATE,
        }
        for location, product, own, left, newest in self._connection.execute(QUERIES.own, given):
            row = rows[location, product]
            if row.moved >= 0:
                row.told += own - row.own + left
            row.own, row.moved = own, max(newest, row.moved, 0)

    def _named(self, channel: Channel, products: Iterable[str]) -> set[str]:
        given = {"name": channel.name, "products": sorted(products)}
        return {row[0] for row in self._connection.execute(QUERIES.named, given)}
