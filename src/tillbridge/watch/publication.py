"""Publication watched: what each channel shows, what it should, and how long changes take."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from tillbridge.durable.rooms import Connection
from tillbridge.publishing.availability.shelf import QUERIES

SPAN = timedelta(days=1)


class ChannelLag(msgspec.Struct, frozen=True):
    """A channel's figures. waiting: those it should show and does not; oldest: since when.

    p50, p99: seconds from the change of a stock row to the channel's answer, over the last change
    of each figure within a day. held_back: figures with sales it has not told. drifts: open now;
    unexplained: within a day.
    """

    name: str
    figures: int
    waiting: int
    oldest: datetime | None
    p50: float | None
    p99: float | None
    held_back: int
    refused: int
    drifts: int
    unexplained: int


class Figure(msgspec.Struct, frozen=True):
    """One figure at a channel, thousandths. location "" = over all places."""

    connection: str
    location: str
    product: str
    available: int
    shown: int | None
    untold: int
    shown_at: datetime | None
    changed_at: datetime | None
    refused: str
    offers: int


def channels(connection: Connection, now: datetime) -> list[ChannelLag]:
    """Every channel that shows something, by name."""
    rows = connection.execute(QUERIES.lag, {"since": now - SPAN}).fetchall()
    return [ChannelLag(*row) for row in rows]


def figures(
    connection: Connection, name: str, product: str, most: int, reach: dict[str, Any]
) -> list[Figure]:
    """Figures at one channel or all (""), of one product or all (""). reach: what may be seen."""
    given = {"name": name, "product": product, "most": most, **reach}
    return [Figure(*row) for row in connection.execute(QUERIES.shown, given).fetchall()]
