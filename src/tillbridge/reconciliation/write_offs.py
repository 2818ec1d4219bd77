"""Small open items that nobody will clear: written off by two persons, as a fact of their own.

What is open is what the money book says of an item (an order's deposit, a buyer's account); all of
it goes, or nothing, and only as long as it is what was proposed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import msgspec

from tillbridge.atoms.errors import Refused
from tillbridge.atoms.ids import key_of, lane_of
from tillbridge.atoms.money import to_text
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.valued import WRITTEN_OFF_KINDS, OpenItemWrittenOff
from tillbridge.durable import audit, log
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record
from tillbridge.orchestration.terms import TermsOfSale, Whom

QUERIES = load("tillbridge.reconciliation", "write_offs.sql", "open", "small", "turn", "write")
ACCOUNTS: Mapping[str, str] = dict(
    zip(("customer-deposits", "customer-accounts"), WRITTEN_OFF_KINDS, strict=True)
)
"""Account -> what its open items are called in the fact."""


class OpenItem(msgspec.Struct, frozen=True):
    """What is open of an item in its own currency: minor units, positive is owed by us where we
    hold deposits, owed to us where we have accounts. since: day of its first line.
    """

    entity: str
    account: str
    item: str
    currency: str
    amount: int
    since: date


def open_item(connection: Connection, entity: str, account: str, item: str) -> OpenItem:
    """One open item. Raises Refused when nothing is open of it, or in several currencies."""
    if account not in ACCOUNTS:
        raise Refused(
            f"items of {account!r} are not written off; of {', '.join(ACCOUNTS)} they are"
        )
    rows = connection.execute(QUERIES.open, (entity, account, item)).fetchall()
    if len(rows) != 1:
        what = "is open in several currencies" if rows else "has nothing open"
        raise Refused(f"{item} {what} on {account} of {entity}")
    return _signed(rows[0])


def small(connection: Connection, entity: str, account: str, most: int) -> list[OpenItem]:
    """Open items of at most so many minor units, the oldest first."""
    if account not in ACCOUNTS:
        raise Refused(f"no items are written off of {account!r}; of {', '.join(ACCOUNTS)} they are")
    return [_signed(row) for row in connection.execute(QUERIES.small, (entity, account, most))]


def _signed(row: tuple[Any, ...]) -> OpenItem:
    entity, account, item, currency, amount, since = row
    sign = -1 if ACCOUNTS[account] == "deposit" else 1
    return OpenItem(entity, account, item, currency, sign * amount, since)


def within_policy(sale: TermsOfSale, one: OpenItem, today: date) -> None:
    """Nothing when the policy of the entity lets so much be written off; raises Refused."""
    said = dict(sale.said(Whom("", one.entity, "", "", today))).get("write_off_most")
    if said is None:
        return
    limits, place = said
    most = limits.get(one.currency, 0)
    if abs(one.amount) > most:
        raise Refused(
            f"{to_text(abs(one.amount), one.currency)} {one.currency} of {one.item} is more than "
            f"may be written off ({to_text(most, one.currency)}, {place})"
        )


def standing(connection: Connection, change: Mapping[str, Any]) -> Any:
    """What a write-off would be made upon: currency and amount that are open, None = nothing."""
    values = (change["entity"], change["account"], change["item"])
    rows = connection.execute(QUERIES.open, values).fetchall()
    return [[row[3], row[4]] for row in rows] or None


def write_off(
    connection: Connection, change: Mapping[str, Any], by: str, reason: str, now: datetime
) -> None:
    """Tell the write-off to the log; the caller commits. change: entity, account, item, amount,
    currency. Raises Refused when something else is open by now.
    """
    one = open_item(connection, change["entity"], change["account"], change["item"])
    if (one.amount, one.currency) != (change["amount"], change["currency"]):
        raise Refused(f"{one.item} has another amount open by now")
    row = connection.execute(QUERIES.turn, (one.entity, one.account, one.item)).fetchone()
    turn = int(row[0]) + 1 if row else 1
    key = one.item if one.item.startswith("order/") else key_of("item", one.account, one.item)
    fact = OpenItemWrittenOff(
        key=key,
        id=f"{key}/written-off/{one.entity}/{one.account}/{turn}",
        source="hub",
        mapping="hub/1",
        occurred_at=now,
        business_date=now.date(),
        entities=Entities(selling=one.entity),
        currency=one.currency,
        kind=ACCOUNTS[one.account],
        item=one.item,
        amount=one.amount,
        words=reason,
        by=by,
    )
    values = (one.entity, one.account, one.item, turn, one.amount, one.currency, fact.id, by, now)
    connection.execute(QUERIES.write, values)
    audit.record(
        connection,
        by,
        "items.write_off",
        one.item,
        after={"entity": one.entity, "account": one.account, "amount": one.amount},
        reason=reason,
    )
    log.append(connection, [Record(fact.key, "OpenItemWrittenOff", fact, lane_of(fact.key))])
