"""Tie-outs: what the books say against what providers and banks say, each difference with its
parts; and one payout from its lines to the bank.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from tillbridge.atoms.errors import Refused
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.posting.money import cards
from tillbridge.reconciliation.settlement.rules import Account
from tillbridge.reconciliation.tie_outs import Part, TieOut

QUERIES = load(
    "tillbridge.reconciliation.settlement",
    "report.sql",
    "clearing",
    "clearing_parts",
    "transit",
    "transit_parts",
    "bank",
    "payouts",
    "payout_parts",
    "payout",
    "payout_types",
    "payout_lines",
    "payout_entries",
    "payout_bank",
)
PARTS_MOST = 20


class PayoutView(msgspec.Struct, frozen=True, kw_only=True):
    """A payout: what it is, its lines by type, those that wait, its entries, its bank lines.

    carried: its total is left for the next one. brought: minor units it takes of those before.
    """

    key: str
    account: str
    payout: str
    entity: str
    currency: str
    amount: int | None
    state: str
    paid_on: date | None
    tied: bool
    types: list[tuple[str, int, int, int, int]]
    lines: list[tuple[str, str, str, int, str, str, int]]
    entries: list[tuple[str, date, str, int]]
    bank: list[tuple[str, str, date, int, str]]
    carried: bool = False
    brought: int = 0


def tie_outs(connection: Connection, accounts: Sequence[Account]) -> list[TieOut]:
    """All tie-outs of these accounts, in order."""
    found: list[TieOut] = []
    banks = {one.rules.bank for one in accounts}
    for account in accounts:
        if account.name not in banks:  # a bank's statements say nothing of what is still owed
            found += _clearing(connection, account)
        found += _payouts(connection, account)
    entities = sorted({(one.entity, one.functional) for one in accounts})
    for entity, currency in entities:
        found += _transit(connection, entity, currency)
    found += [
        TieOut(
            name=f"bank/{bank}", entity=entity, currency=currency, books=int(books), theirs=int(got)
        )
        for bank, entity, currency, books, got in connection.execute(
            QUERIES.bank, {"accounts": [one.name for one in accounts]}
        )
    ]
    return found


def card_tie_outs(connection: Connection, entities: Sequence[str]) -> list[TieOut]:
    """Cards' liabilities against the sum of what stands on cards; () = of all entities."""
    return [
        TieOut(
            name=one.account,
            entity=one.entity,
            currency=one.currency,
            books=one.liability,
            theirs=one.named,
            parts=_unnamed(one.unnamed),
        )
        for one in cards.tie_out(connection)
        if not entities or one.entity in entities
    ]


def _unnamed(amount: int) -> tuple[Part, ...]:
    """What of a liability stands on no named card: sold here without a number, or (negative) named
    by the cards' own ledger without a sale that is told here.
    """
    if not amount:
        return ()
    words = "sold, and the card's number not told yet" if amount > 0 else "sold before these books"
    return (Part(f"of cards {words}", amount),)


def _clearing(connection: Connection, account: Account) -> list[TieOut]:
    """What the provider still owes: booked by orders and not settled, tender by tender."""
    found = []
    for tender in account.tenders:
        values = {
            "account": f"clearing/{tender}",
            "entity": account.entity,
            "tender": tender,
            "first": account.tenders[0],
            "name": account.name,
            "currency": account.functional,
        }
        row = connection.execute(QUERIES.clearing, values).fetchone()
        books, owed = (int(row[0]), int(row[1])) if row else (0, 0)
        rows = connection.execute(QUERIES.clearing_parts, values).fetchall()
        parts = tuple(Part(what, int(amount)) for kind, what, amount in rows if kind == "part")
        still = tuple(Part(what, int(amount)) for kind, what, amount in rows if kind == "open")
        found.append(
            TieOut(
                name=f"clearing/{tender}",
                entity=account.entity,
                currency=account.functional,
                books=books,
                theirs=owed,
                parts=parts,
                open=still[:PARTS_MOST],
            )
        )
    return found


def _payouts(connection: Connection, account: Account) -> list[TieOut]:
    """Lines of payouts against their totals, per currency."""
    found = []
    for currency, lines, totals in connection.execute(QUERIES.payouts, (account.name,)):
        rows = connection.execute(QUERIES.payout_parts, (account.name, currency)).fetchall()
        found.append(
            TieOut(
                name=f"payouts/{account.name}",
                entity=account.entity,
                currency=currency,
                books=int(lines),
                theirs=int(totals),
                parts=tuple(Part(what, int(amount)) for what, amount in rows),
            )
        )
    return found


def _transit(connection: Connection, entity: str, currency: str) -> list[TieOut]:
    row = connection.execute(QUERIES.transit, {"entity": entity}).fetchone()
    books, sent = (int(row[0]), int(row[1])) if row else (0, 0)
    rows = connection.execute(QUERIES.transit_parts, {"entity": entity}).fetchall()
    return [
        TieOut(
            name="payouts-in-transit",
            entity=entity,
            currency=currency,
            books=books,
            theirs=sent,
            open=tuple(Part(what, int(amount)) for what, amount in rows[:PARTS_MOST]),
        )
    ]


def payout(connection: Connection, key: str) -> PayoutView:
    """One payout; raises Refused when there is none of that key."""
    row: Any = connection.execute(QUERIES.payout, (key,)).fetchone()
    if row is None:
        raise Refused(f"there is no payout {key}")
    number, account, name, entity, currency, amount, state, paid_on, tied, carried, brought = row
    return PayoutView(
        key=key,
        account=account,
        payout=name,
        entity=entity,
        currency=currency,
        amount=amount,
        state=state,
        paid_on=paid_on,
        tied=tied,
        types=connection.execute(QUERIES.payout_types, (number,)).fetchall(),
        lines=connection.execute(QUERIES.payout_lines, (number,)).fetchall(),
        entries=connection.execute(QUERIES.payout_entries, (key,)).fetchall(),
        bank=connection.execute(QUERIES.payout_bank, (number,)).fetchall(),
        carried=carried,
        brought=brought,
    )
