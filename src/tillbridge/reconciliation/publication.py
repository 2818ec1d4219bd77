"""What channels showed against what we knew: drift explained by named orders, or a case.

Mostly a channel sold and had not told it yet. What it showed less is held back until orders explain
it or nobody did for `Channel.believe`; then the figure goes out as our book has it. Once may be a
person at the channel; the second time within a week of one figure is a case. What a channel refuses
is one case per channel, which goes when it refuses nothing any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.quantity import to_text
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.publishing.availability.shelf import Channel
from tillbridge.reconciliation import findings

QUERIES = load("tillbridge.reconciliation", "publication.sql")
MOST = 500
ORDERS_MOST = 20
BEFORE = timedelta(minutes=10)
"""An order that explains a drift may have been placed so long before we noticed."""
REMEMBERED = timedelta(days=7)
TOLERATED = 1
"""So many unexplained drifts of one figure within `REMEMBERED` are nobody's case."""


class Drift(msgspec.Struct, frozen=True):
    """A figure that was not what we knew. told_since: what own orders took since."""

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
    """Close what orders explain and what nobody explained in time, ask where a channel tells
    another figure of itself, bring the cases up to date; the caller commits.
    """
    closed = _judge(connection, {channel.dest: channel for channel in channels}, now)
    _close(connection, closed, now)
    held_back = 0
    for channel in channels:
        given = {"dest": channel.dest, "now": now, "before": now - channel.believe}
        held_back += connection.execute(QUERIES.believe_no_longer, given).rowcount
        asked = {"dest": channel.dest, "name": channel.name, "at": channel.at, "now": now}
        connection.execute(QUERIES.contradicted, asked)
    dests = [channel.dest for channel in channels]
    findings.settle(connection, "publication_drift", _drifting(connection, dests, now), now)
    findings.settle(connection, "publication_refused", _refused(connection, dests), now)
    explained = sum(state == "explained" for state, _ in closed.values())
    return (
        f"{explained} drifts explained, {len(closed) - explained} not; "
        f"{held_back} figures no longer held back"
    )


def _judge(
    connection: Connection, channels: Mapping[int, Channel], now: datetime
) -> dict[int, tuple[str, list[str]]]:
    """Which open drifts are over, how, and the orders that explain them."""
    closed: dict[int, tuple[str, list[str]]] = {}
    for row in connection.execute(QUERIES.open_drifts, {"most": MOST}).fetchall():
        drift = Drift(*row)
        channel = channels.get(drift.dest)
        if channel is None:
            closed[drift.number] = "unexplained", []
        elif _explained(drift):
            closed[drift.number] = "explained", _orders(connection, channel, drift)
        elif drift.found_at < now - channel.believe:
            orders = _orders(connection, channel, drift)
            closed[drift.number] = "explained" if orders else "unexplained", orders
    return closed


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


def _drifting(
    connection: Connection, dests: Sequence[int], now: datetime
) -> dict[str, NeedsDecision]:
    """A case for each figure that went its own way more often than is tolerated."""
    given = {"dests": dests, "since": now - REMEMBERED, "tolerated": TOLERATED, "most": MOST}
    found = {}
    for name, location, product, count, expected, actual in connection.execute(
        QUERIES.unexplained, given
    ):
        where = f" at {location}" if location else ""
        words = (
            f"{name} showed {to_text(actual)} of {product}{where} where {to_text(expected)} was "
            f"expected; no order explains it, {count} times in a week"
        )
        key = "/".join(part for part in ("publication", name, location, product) if part)
        found[key] = NeedsDecision(
            "publication_drift",
            words,
            owner="ecommerce",
            remedy=f"tillbridge stock publication --connection {name} --product {product}",
            details={"connection": name, "location": location, "product": product},
        )
    return found


def _refused(connection: Connection, dests: Sequence[int]) -> dict[str, NeedsDecision]:
    """A case for each channel that refuses figures."""
    found = {}
    for name, count, words, first in connection.execute(QUERIES.refused, {"dests": dests}):
        found[f"publication/{name}"] = NeedsDecision(
            "publication_refused",
            f"{name} refuses {count} figures ({', '.join(first[:3])}): {words}"[:500],
            owner="ecommerce",
            remedy=f"tillbridge stock publication --connection {name}",
            details={"connection": name, "figures": first, "finding": words},
        )
    return found
