"""What the hub holds of the objects of a listing, in one query per table."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.orchestration.orders.state import OrderState, repaid
from tillbridge.reconciliation.sweeps.compare import Held

QUERIES = load(
    "tillbridge.reconciliation.sweeps", "holding.sql", "orders", "pending", "cases", "owed"
)
FLOW = "flow"
_ORDER = msgspec.json.Decoder(OrderState)


class Holding(msgspec.Struct, frozen=True):
    """By key of the object. held: its newest version here. received: it came and is not carried
    yet, or waits for a decision. asked: it is to be read again, or cannot be (there is a case).
    """

    held: dict[str, Held]
    received: set[str]
    asked: set[str]


def holding(connection: Connection, keys: Sequence[str], rereads: dict[str, str]) -> Holding:
    """Look objects up. rereads: key of a reading again -> key of its object. Ends with a rollback:
    it only reads.
    """
    orders = connection.execute(QUERIES.orders, (list(keys),), binary=True).fetchall()
    pending = connection.execute(QUERIES.pending, (FLOW, list(keys))).fetchall()
    cases = connection.execute(QUERIES.cases, ([*keys, *rereads],)).fetchall()
    owed = connection.execute(QUERIES.owed, (list(rereads),)).fetchall()
    connection.rollback()
    open_cases = {key for (key,) in cases}
    return Holding(
        held={
            key: found for key, body in orders if (found := _held(_ORDER.decode(body))) is not None
        },
        received={key for (key,) in pending} | (open_cases - rereads.keys()),
        asked={rereads[key] for key in ({key for (key,) in owed} | open_cases) & rereads.keys()},
    )


def _held(state: OrderState) -> Held | None:
    """None while only payments or parcels of an order were told."""
    order = state.order
    if order is None:
        return None
    return Held(order.version, order.currency, order.total, sum(repaid(state).values()))
