"""Money movements the log tells of, by the provider's reference: what settlement lines are matched
with. Read from the log as a consumer of its own, in order of its numbers, so the flow pays nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from tillbridge.canonical.payments import (
    DisputeResolved,
    Payment,
    PaymentCaptured,
    PaymentDisputed,
    PaymentRefunded,
    RefundFailed,
)
from tillbridge.canonical.registry import Body, decode
from tillbridge.canonical.returns import RefundIssued
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load(
    "tillbridge.reconciliation.settlement",
    "movements.sql",
    "position",
    "newest",
    "told",
    "disputed",
    "write",
    "move_on",
)
BATCH = 50_000
"""Numbers of the log read at a time."""
_KINDS: dict[type[Payment], tuple[str, int]] = {
    PaymentCaptured: ("sale", 1),
    PaymentRefunded: ("refund", -1),
    RefundFailed: ("refund_failed", 1),
}
TOLD = [
    "PaymentCaptured",
    "PaymentRefunded",
    "RefundFailed",
    "RefundIssued",
    "PaymentDisputed",
    "DisputeResolved",
]


class Movement(msgspec.Struct, frozen=True, gc=False):
    """One movement, amounts in minor units, signed as the provider's debt to us."""

    kind: str
    tender: str
    reference: str
    intent: str
    key: str
    amount: int
    fee: int
    currency: str
    at: Any


def read_movements(connection: Connection) -> int:
    """Take in what the log told since the last time; gives how many. The caller commits."""
    row = connection.execute(QUERIES.position).fetchone()
    position = int(row[0]) if row else 0
    newest = int((connection.execute(QUERIES.newest).fetchone() or (0,))[0] or 0)
    written = 0
    while position < newest:
        upto = min(position + BATCH, newest)
        rows = connection.execute(QUERIES.told, (position, upto, TOLD), binary=True).fetchall()
        facts = [decode(name, version, body) for name, version, body in rows]
        written += _write(connection, list(_movements(connection, facts)))
        position = upto
    connection.execute(QUERIES.move_on, (position,))
    return written


def _movements(connection: Connection, facts: Iterable[Body]) -> Iterable[Movement]:
    disputes: dict[str, PaymentDisputed] = {}
    later: list[DisputeResolved] = []
    for fact in facts:
        match fact:
            case PaymentDisputed():
                disputes[fact.dispute] = fact
                yield _disputed(fact)
            case DisputeResolved():
                if fact.outcome == "won":
                    later.append(fact)
            case RefundIssued():
                yield from _refunded(fact)
            case Payment():
                kind, sign = _KINDS[type(fact)]
                yield Movement(
                    kind,
                    fact.tender,
                    fact.reference,
                    fact.intent,
                    fact.key,
                    sign * fact.amount,
                    0,
                    fact.currency,
                    fact.occurred_at,
                )
            case _:
                pass
    yield from _won(connection, later, disputes)


def _refunded(fact: RefundIssued) -> Iterable[Movement]:
    """Money of a refund that moved; a till that paid it is no provider."""
    for one in fact.payments:
        if one.state == "success":
            yield Movement(
                "refund",
                one.tender,
                one.reference,
                "",
                fact.key,
                -one.amount,
                0,
                fact.currency,
                fact.occurred_at,
            )


def _disputed(fact: PaymentDisputed) -> Movement:
    return Movement(
        "chargeback",
        fact.tender,
        fact.dispute,
        fact.intent or fact.reference,
        fact.key,
        -fact.amount,
        fact.fee,
        fact.currency,
        fact.occurred_at,
    )


def _won(
    connection: Connection, resolved: list[DisputeResolved], told: dict[str, PaymentDisputed]
) -> Iterable[Movement]:
    """What came back; a dispute that was won before it was told is found when it is told again."""
    unknown = [fact.dispute for fact in resolved if fact.dispute not in told]
    known = {
        dispute: (tender, intent, amount, currency)
        for dispute, tender, intent, amount, currency in connection.execute(
            QUERIES.disputed, (unknown,)
        )
    }
    for dispute, fact in told.items():
        movement = _disputed(fact)
        known[dispute] = (fact.tender, movement.intent, fact.amount, fact.currency)
    for end in resolved:
        if end.dispute in known:
            tender, intent, amount, currency = known[end.dispute]
            yield Movement(
                "chargeback_reversed",
                tender,
                end.dispute,
                intent,
                end.key,
                end.amount or amount,
                0,
                currency,
                end.occurred_at,
            )


def _write(connection: Connection, rows: list[Movement]) -> int:
    if not rows:
        return 0
    columns = (
        [row.kind for row in rows],
        [row.tender for row in rows],
        [row.reference for row in rows],
        [row.intent for row in rows],
        [row.key for row in rows],
        [row.amount for row in rows],
        [row.fee for row in rows],
        [row.currency for row in rows],
        [row.at for row in rows],
    )
    return connection.execute(QUERIES.write, columns, binary=True).rowcount
