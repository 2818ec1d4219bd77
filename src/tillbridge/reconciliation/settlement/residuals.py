"""A person says what a difference is: it is typed, booked as that, and told to the log.

Nothing else makes a payout tie or a line matched that was not told; what is accepted names its
payout, its lines, its kind and who said so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tillbridge.atoms.errors import Refused
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.settlement import RESIDUAL_KINDS, ResidualAccepted
from tillbridge.durable import audit, log
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record

QUERIES = load(
    "tillbridge.reconciliation.settlement",
    "residuals.sql",
    "payout",
    "off",
    "off_lines",
    "differing_lines",
    "accept",
    "accept_lines",
    "due",
)
BANK_CHARGE = "bank_charge"


def standing(connection: Connection, key: str) -> list[Any]:
    """What an acceptance would be made upon: amount, version and residuals of a payout. Raises
    Refused when there is none.
    """
    row = connection.execute(QUERIES.payout, (key,)).fetchone()
    if row is None:
        raise Refused(f"there is no payout {key}")
    return [row[5], row[6], row[7]]


def entity_of(connection: Connection, key: str) -> tuple[str, str]:
    """Legal entity and currency of a payout; raises Refused when there is none."""
    row = connection.execute(QUERIES.payout, (key,)).fetchone()
    if row is None:
        raise Refused(f"there is no payout {key}")
    return str(row[3]), str(row[4])


def difference(connection: Connection, key: str, lines: list[str]) -> tuple[int, list[str]]:
    """What is open of some lines of a payout, or where none are named: of the payout while it does
    not tie, else of all lines that differ. Minor units, signed as the provider's debt to us, and
    the lines it is of.
    """
    if not lines:
        row = connection.execute(QUERIES.off, (key,)).fetchone()
        if row is not None and not row[0]:
            return int(row[1] or 0), []
        lines = [name for (name,) in connection.execute(QUERIES.differing_lines, (key,))]
    row = connection.execute(QUERIES.off_lines, (key, lines)).fetchone()
    return int(row[0] or 0) if row else 0, lines


def accept(
    connection: Connection, change: Mapping[str, Any], by: str, reason: str, now: datetime
) -> None:
    """Write a residual and have its payout worked out again; the caller commits.

    change: payout (key), kind, amount (minor units), tender, lines. Raises Refused.
    """
    row = connection.execute(QUERIES.payout, (change["payout"],)).fetchone()
    if row is None:
        raise Refused(f"there is no payout {change['payout']}")
    number, account, payout, entity, currency, _, _, count = row
    kind, amount, lines = change["kind"], int(change["amount"]), list(change["lines"])
    if kind not in RESIDUAL_KINDS:
        raise Refused(f"{kind!r} is no kind of a difference; one of {', '.join(RESIDUAL_KINDS)}")
    if not amount:
        raise Refused(f"{change['payout']} has no difference to accept")
    fact = ResidualAccepted(
        key=change["payout"],
        id=f"{change['payout']}/accepted/{count + 1}",
        source="hub",
        mapping="hub/1",
        occurred_at=now,
        business_date=now.date(),
        entities=Entities(selling=entity),
        account=account,
        payout=payout,
        currency=currency,
        kind=kind,
        amount=amount,
        words=reason,
        by=by,
        tender=change.get("tender", ""),
        lines=tuple(lines),
    )
    whole = not lines and kind != BANK_CHARGE
    connection.execute(
        QUERIES.accept,
        (number, kind, amount, fact.tender, whole, lines, fact.id, reason, by, now),
    )
    connection.execute(QUERIES.accept_lines, (number, lines))
    connection.execute(QUERIES.due, (number,))
    audit.record(
        connection,
        by,
        "settlement.accept",
        change["payout"],
        after={"kind": kind, "amount": amount, "lines": lines},
        reason=reason,
    )
    log.append(connection, [Record(fact.key, "ResidualAccepted", fact, lane_of(fact.key))])
