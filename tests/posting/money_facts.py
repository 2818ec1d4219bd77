"""Facts, books and records that the tests of the money book share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.fact import Fact
from tillbridge.durable.rooms import Connection, Outcome, Record
from tillbridge.posting.money.book import RuleBook, load_book
from tillbridge.posting.money.examples import fact_of
from tillbridge.posting.money.policy import Policy
from tillbridge.posting.money.room import MoneyRoom

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
DAY = date(2026, 1, 2)
EURO = Policy({"DE": "EUR", "AT": "EUR"})

CHART = """
[[account]]
account = "clearing/*"
type = "asset"
beancount = "Assets:Clearing:*"
[[account]]
account = "deposits"
type = "liability"
beancount = "Liabilities:Deposits"
[[account]]
account = "sales/*"
type = "income"
beancount = "Income:Sales:*"
"""


@lru_cache(maxsize=1)
def default_book() -> RuleBook:
    return load_book()


def deposit(order: str = "order/web/1", amount: int = 5845, **words: Any) -> Fact:
    tender = {"tender": "stripe", "kind": "card", "amount": amount}
    full = {"key": order, "order": order, "id": f"{order}#deposit", "tenders": [tender], **words}
    return fact_of("DepositReceived", {"entity": "DE", "currency": "EUR", **full})


def sale(order: str = "order/web/1", name: str = "SaleRecognised", **words: Any) -> Fact:
    lines = [
        {"kind": "goods", "list": 5000, "discount": 500, "department": "shoes", "promotion": "ten"},
        {"kind": "shipping", "list": 412},
    ]
    full = {
        "key": order,
        "order": order,
        "id": f"{order}#{name}",
        "lines": lines,
        "taxes": [{"jurisdiction": "de-19", "tax": 933}],
        **words,
    }
    return fact_of(name, {"entity": "DE", "currency": "EUR", **full})


def refund(order: str = "order/web/1", amount: int = 5845, **words: Any) -> Fact:
    tender = {"tender": "stripe", "kind": "card", "amount": amount}
    full = {"key": order, "order": order, "id": f"{order}#refund", "tenders": [tender], **words}
    return fact_of("RefundPaid", {"entity": "DE", "currency": "EUR", **full})


def rung(key: str = "sale/9/1/2026-01-02/7", **words: Any) -> Fact:
    tax = {"code": "n", "jurisdiction": "de-19", "amount": 190}
    line = {"kind": "goods", "direction": "sale", "list": 1000, "department": "books"}
    full = {
        "key": key,
        "id": key,
        "location": "9",
        "lines": [{**line, "taxes": [tax]}],
        "tenders": [{"tender": "cash", "kind": "cash", "amount": 1190}],
        **words,
    }
    return fact_of("SaleRung", {"entity": "DE", "currency": "EUR", **full})


def void(voided: str = "sale/9/1/2026-01-02/7", number: str = "8", **words: Any) -> Fact:
    key = f"sale/9/1/2026-01-02/{number}"
    full = {"key": key, "id": key, "location": "9", "voided": voided, **words}
    return fact_of("SaleVoided", {"entity": "DE", **full})


def records(facts: Iterable[Fact]) -> list[Record]:
    return [Record(f.key, type(f).__name__, f, lane_of(f.key)) for f in facts]


def take(
    connection: Connection,
    *waves: Sequence[Fact],
    policy: Policy = EURO,
    book: RuleBook | None = None,
) -> list[Outcome]:
    """One transaction: every wave taken, then written and committed."""
    session = MoneyRoom(book or default_book(), policy).open(connection, NOW)
    outcomes = [outcome for wave in waves for outcome in session.take(records(wave))]
    session.flush()
    connection.commit()
    return outcomes
