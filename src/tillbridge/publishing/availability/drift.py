"""Drift: a channel showed another number than we knew. Mostly it sold and had not told it yet.

What it showed less is held back until orders explain it or nobody did for `Channel.believe`; then
the number goes out as our book has it. Once may be a person at the channel; the second time within
a week of one number is a case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.quantity import to_text
from tillbridge.durable import parking
from tillbridge.durable.rooms import Connection
from tillbridge.publishing.availability.publisher import case_of, key_of_row
from tillbridge.publishing.availability.shelf import QUERIES, Channel, columns

MOST = 500
ORDERS_MOST = 20
BEFORE = timedelta(minutes=10)
"""An order that explains a drift may have happened so long before we noticed."""
REMEMBERED = timedelta(days=7)
TOLERATED = 1
"""So many unexplained drifts of one number within `REMEMBERED` are nobody's case."""


class Drift(msgspec.Struct, frozen=True):
    """A number that was not what we knew. told_since: what own orders took since."""

    number: int
    dest: int
    name: str
    location: str
    product: str
    found_at: datetime
    expected: int
    actual: int
    told_since: int
    untold: int


def settle(connection: Connection, channels: Sequence[Channel], now: datetime) -> str:
    """Close what orders explain and what nobody explained in time; the caller commits."""
    by_dest = {channel.dest: channel for channel in channels}
    rows = connection.execute(QUERIES.open_drifts, {"most": MOST}).fetchall()
    closed: dict[int, tuple[str, list[str]]] = {}
    drifts = [Drift(*row) for row in rows if row[1] in by_dest]
    for drift in drifts:
        channel = by_dest[drift.dest]
        if _explained(drift):
            closed[drift.number] = "explained", _orders(connection, channel, drift)
        elif drift.found_at < now - channel.believe:
            orders = _orders(connection, channel, drift)
            closed[drift.number] = "explained" if orders else "unexplained", orders
    _close(connection, closed, now)
    held_back = 0
    for channel in channels:
        given = {"dest": channel.dest, "now": now, "before": now - channel.believe}
        held_back += connection.execute(QUERIES.believe_no_longer, given).rowcount
        asked = {"dest": channel.dest, "name": channel.name, "at": channel.at, "now": now}
        connection.execute(QUERIES.contradicted, asked)
        mine = [d for d in drifts if d.dest == channel.dest and d.number in closed]
        _tell(connection, channel, [d for d in mine if closed[d.number][0] == "unexplained"], now)
    unexplained = sum(state == "unexplained" for state, _ in closed.values())
    return (
        f"{len(closed) - unexplained} drifts explained, {unexplained} not; "
        f"{held_back} numbers no longer held back"
    )


def _explained(drift: Drift) -> bool:
    """Whether orders told since account for what was shown less (or cancelled for what more)."""
    off = drift.actual - drift.expected
    return drift.told_since >= -off if off < 0 else drift.told_since <= -off


def _orders(connection: Connection, channel: Channel, drift: Drift) -> list[str]:
    """Orders of the channel that took the product about then, wherever it was taken from."""
    given = {
        "product": drift.product,
        "locations": list(channel.locations),
        "prefix": channel.orders,
        "since": drift.found_at - BEFORE,
        "most": ORDERS_MOST,
    }
    return sorted({row[0] for row in connection.execute(QUERIES.orders_of, given)})


def _close(
    connection: Connection, closed: Mapping[int, tuple[str, list[str]]], now: datetime
) -> None:
    if not closed:
        return
    connection.execute(
        QUERIES.close_drifts,
        {
            "ids": list(closed),
            "states": [state for state, _ in closed.values()],
            "orders": [" ".join(orders) for _, orders in closed.values()],
            "now": now,
        },
    )


def _tell(connection: Connection, channel: Channel, drifts: Sequence[Drift], now: datetime) -> None:
    """A case for each number that went its own way more often than is tolerated."""
    if not drifts:
        return
    newest = {(drift.location, drift.product): drift for drift in drifts}
    given = {"dest": channel.dest, "since": now - REMEMBERED, **columns(newest)}
    rows = connection.execute(QUERIES.unexplained, given).fetchall()
    cases = [
        _case(channel, newest[location, product], count)
        for location, product, count, _ in rows
        if count > TOLERATED
    ]
    parking.open_cases(connection, cases)


def _case(channel: Channel, drift: Drift, count: int) -> parking.CaseOpened:
    key = key_of_row(channel.name, drift.location, drift.product)
    where = f" at {drift.location}" if drift.location else ""
    decision = NeedsDecision(
        "publication_drift",
        f"{channel.name} showed {to_text(drift.actual)} of {drift.product}{where} where "
        f"{to_text(drift.expected)} was expected; no order explains it, {count} times in a week",
        owner="ecommerce",
        remedy=f"tillbridge stock publication --connection {channel.name} "
        f"--product {drift.product}",
        details={
            "connection": channel.name,
            "location": drift.location,
            "product": drift.product,
            "expected": drift.expected,
            "actual": drift.actual,
            "times": count,
        },
    )
    return case_of(key, decision)
