"""The rows of `publication`: what each channel shows of each product, read and written as sets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec

from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.publishing.availability.figures import Figures

QUERIES = load("tillbridge.publishing.availability", "availability.sql")
TOTAL = ""
"""The place of a figure over all places."""
Place = tuple[str, str]  # (location, product)


class Channel(msgspec.Struct, frozen=True):
    """A connection that shows our availability.

    channel: our code. locations: ours that count. at: of a channel that knows no places, the
    location under whose name the total is told; "" = it knows places. step: smallest difference it
    can show, thousandths. orders: what the keys of its own orders begin with. gather: changes of
    so long are told as one. believe: so long a sale is believed that nobody has told.
    """

    dest: int
    name: str
    channel: str
    locations: tuple[str, ...]
    step: int
    orders: str
    at: str = ""
    gather: timedelta = timedelta(seconds=1)
    believe: timedelta = timedelta(minutes=30)


class Promised(Protocol):
    """The stock room's answer, handed over by whoever puts the rooms together."""

    def __call__(
        self,
        connection: Connection,
        channel: str,
        products: Sequence[str],
        locations: Sequence[str],
        now: datetime,
    ) -> Mapping[Place, int]:
        """What a channel may promise, thousandths; what is missing is nothing."""


class Row(msgspec.Struct):
    """One row of `publication`; see the migration."""

    location: str
    product: str
    available: int = 0
    own: int = 0
    moved: int = -1
    told: int = 0
    confirmed: int | None = None
    confirmed_told: int = 0
    untold: int = 0
    changed_at: datetime | None = None
    due: datetime | None = None
    attempts: int = 0
    version: int = 0
    sent: int | None = None
    sent_from: int | None = None
    sent_told: int = 0
    sent_change: datetime | None = None
    doubted: bool = False
    refused: str = ""
    reference: str = ""

    @property
    def place(self) -> Place:
        """Its key within a channel."""
        return self.location, self.product

    @property
    def figures(self) -> Figures:
        """What is known of its figure."""
        return Figures(self.available, self.told, self.confirmed, self.confirmed_told, self.untold)

    @property
    def owes(self) -> bool:
        """Whether the channel has to be called: an offer is unanswered, or another one is owed."""
        return self.sent is not None or self.doubted or self.figures.owes


def rows_of(found: Iterable[Sequence[Any]]) -> list[Row]:
    """Rows as `rows`, `claim` and `answered` give them."""
    return [Row(*row) for row in found]


def columns(places: Iterable[Place]) -> dict[str, list[str]]:
    """Places as two columns."""
    pairs = list(places)
    return {"locations": [pair[0] for pair in pairs], "products": [pair[1] for pair in pairs]}


def locked(connection: Connection, channel: Channel, places: Iterable[Place]) -> dict[Place, Row]:
    """The rows of these places, locked; new ones for places that have none."""
    wanted = sorted(set(places))
    found = connection.execute(
        QUERIES.rows, {"dest": channel.dest, **columns(wanted)}, binary=True
    ).fetchall()
    rows = {place: Row(*place) for place in wanted}
    rows.update((row.place, row) for row in rows_of(found))
    return rows


def save(connection: Connection, channel: Channel, rows: Sequence[Row]) -> None:
    """Write what was planned of these rows as one set."""
    if not rows:
        return
    connection.execute(
        QUERIES.save,
        {
            "dest": channel.dest,
            **columns(row.place for row in rows),
            "available": [row.available for row in rows],
            "own": [row.own for row in rows],
            "moved": [row.moved for row in rows],
            "told": [row.told for row in rows],
            "changed": [row.changed_at for row in rows],
            "due": [row.due for row in rows],
        },
    )
