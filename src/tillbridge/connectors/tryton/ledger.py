"""What Tryton's general ledger holds for operations of the hub, to prove that all is there once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from tillbridge.atoms import money
from tillbridge.connectors.tryton.clearing import paid_operation
from tillbridge.connectors.tryton.client import company_context, shaped
from tillbridge.connectors.tryton.lookups import Lookups
from tillbridge.contract.ledgers import RECEIVABLE, LedgerLine, LedgerPage, Span


class LedgerMove(msgspec.Struct, frozen=True, kw_only=True):
    """A posted move: the operation it was made for, its id, number and date, and its lines as
    (account code, signed minor units of the functional currency, debit positive).
    """

    operation: str
    move: str
    number: str
    booked_on: date
    currency: str
    lines: tuple[tuple[str, int], ...]


def posted_moves(look: Lookups, operations: Sequence[str]) -> list[LedgerMove]:
    """Posted moves of invoices, credit notes and journals; one may be missing, or there twice."""
    company = ["company", "=", look.company]
    invoices = look.client.search_read(
        "account.invoice",
        [company, ["reference", "in", list(operations)], ["move", "!=", None]],
        ["reference", "move"],
        company=look.company,
        limit=10_000,
    )
    journals = look.client.search_read(
        "account.move",
        [company, ["description", "in", list(operations)]],
        ["description"],
        company=look.company,
        limit=10_000,
    )
    made_for = {row["move"]: row["reference"] for row in invoices}
    made_for |= {row["id"]: row["description"] for row in journals}
    heads = look.client.search_read(
        "account.move",
        [["id", "in", sorted(made_for)], ["state", "=", "posted"]],
        ["number", "date"],
        company=look.company,
        limit=10_000,
    )
    lines = _lines(look, [row["id"] for row in heads])
    return [
        LedgerMove(
            operation=made_for[row["id"]],
            move=str(row["id"]),
            number=row["number"] or "",
            booked_on=row["date"],
            currency=look.company_currency,
            lines=tuple(lines.get(row["id"], ())),
        )
        for row in sorted(heads, key=lambda row: int(row["id"]))
    ]


def posted_lines(look: Lookups, span: Span, after: int, limit: int) -> LedgerPage:
    """A page of what is posted on some days, moves behind an id, whoever posted them."""
    heads = shaped(
        list[dict[str, Any]],
        look.client.call(
            "model.account.move.search_read",
            [
                ["company", "=", look.company],
                ["state", "=", "posted"],
                ["date", ">=", span.first],
                ["date", "<=", span.last],
                ["id", ">", after],
            ],
            0,
            limit,
            [["id", "ASC"]],
            ["date", "description"],
            context=company_context(look.company),
        ),
    )
    moves = [row["id"] for row in heads]
    if not moves:
        return LedgerPage(lines=(), cursor=str(after))
    invoices = look.client.search_read(
        "account.invoice", [["move", "in", moves]], ["reference", "move"],
        company=look.company, limit=limit,
    )  # fmt: skip
    made_for = {row["id"]: row["description"] or "" for row in heads}
    made_for |= {row["move"]: row["reference"] or "" for row in invoices}
    days = {row["id"]: row["date"] for row in heads}
    rows = look.client.search_read(
        "account.move.line",
        [["move", "in", moves]],
        ["move", "account.code", "account.type.receivable", "debit", "credit"],
        company=look.company,
        limit=1_000_000,
    )
    lines = tuple(
        _told(row, days[row["move"]], made_for[row["move"]], look.company_currency)
        for row in sorted(rows, key=lambda row: int(row["id"]))
    )
    return LedgerPage(lines=lines, cursor=str(moves[-1]), more=len(moves) == limit)


def _told(row: dict[str, Any], day: date, operation: str, currency: str) -> LedgerLine:
    account = row["account."]
    code = account["code"] or ""
    return LedgerLine(
        currency=currency,
        move=str(row["move"]),
        day=day,
        account=RECEIVABLE if account["type."]["receivable"] else code,
        theirs=code,
        amount=money.to_minor(row["debit"] - row["credit"], currency),
        operation=paid_operation(operation) or operation,
        clears=bool(paid_operation(operation)),
    )


def _lines(look: Lookups, moves: Sequence[int]) -> dict[int, list[tuple[str, int]]]:
    rows: list[dict[str, Any]] = look.client.search_read(
        "account.move.line",
        [["move", "in", list(moves)]],
        ["move", "account.code", "debit", "credit"],
        company=look.company,
        limit=100_000,
    )
    found: dict[int, list[tuple[str, int]]] = {}
    for row in sorted(rows, key=lambda row: int(row["id"])):
        minor = money.to_minor(row["debit"] - row["credit"], look.company_currency)
        found.setdefault(row["move"], []).append((row["account."]["code"] or "", minor))
    return found
