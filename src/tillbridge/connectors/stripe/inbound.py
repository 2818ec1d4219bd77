"""Stripe's files to settlement lines and payouts. Pure, streaming.

Three files: balance transactions as the API has them (whole minor units), payouts as the API has
them, and the itemised payout reconciliation report (decimals). Which one it is tells the header.
A payout's own balance transaction is in the list with a negative amount: a `payout` line, held
against the payout's total like the rest of the lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import BinaryIO

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import MoneyError, exponent
from tillbridge.canonical.settlement import (
    UNKNOWN,
    Broken,
    PayoutTold,
    SettlementLine,
    Told,
)
from tillbridge.connectors.stripe.config import StripeConfig
from tillbridge.connectors.stripe.inbound_answers import currency_of, type_of
from tillbridge.connectors.stripe.wire import (
    CATEGORIES,
    LINES,
    PAYOUTS,
    REPORT,
    STATES,
)
from tillbridge.contract.csv_files import CsvFile, header_of, minor_of

_LINE_ALSO = (
    "reporting_category", "source", "created", "exchange_rate", "payout_id", "description",
)  # fmt: skip
_REPORT_ALSO = (
    "created", "created_utc", "automatic_payout_id", "charge_id", "refund_id", "dispute_id",
    "payment_intent_id", "description", "customer_facing_amount", "customer_facing_currency",
)  # fmt: skip
_PAYOUT_ALSO = ("automatic", "failure_message", "failure_code", "trace_id", "statement_descriptor")
_TRUE = ("true", "t", "1")


def is_ours(head: bytes) -> bool:
    """Whether the header is one of the three."""
    names = header_of(head)
    return any(set(wanted) <= names for wanted in (LINES, REPORT, PAYOUTS))


def read(stream: BinaryIO, config: StripeConfig) -> Iterator[Told]:
    """What the file says. Raises NeedsDecision when it is none of the three."""
    known = (*REPORT, *PAYOUTS, *LINES, *_REPORT_ALSO, *_PAYOUT_ALSO, *_LINE_ALSO)
    order = " ".join(config.order_column.lower().split())
    table = CsvFile(stream, required=("currency",), known=(*known, order) if order else known)
    names = set(table.header)
    if set(REPORT) <= names:
        yield from _report(table, order)
    elif set(LINES) <= names:
        yield from _transactions(table)
    elif set(PAYOUTS) <= names:
        yield from _payouts(table)
    else:
        raise NeedsDecision(
            "settlement_unreadable",
            "this is no list of balance transactions, of payouts, and no itemised report",
            owner="integration",
        )


def _transactions(table: CsvFile) -> Iterator[Told]:
    at = {name: table.at(name) for name in (*LINES, *_LINE_ALSO)}
    for row in table.rows():
        if isinstance(row, Broken):
            yield row
            continue
        n, cells = row
        get = _Cells(cells, at)
        try:
            category, type_ = get("reporting_category"), get("type")
            yield SettlementLine(
                line=cells[at["id"]],
                type=type_of(category, type_),
                told=category or type_,
                gross=_whole(cells[at["amount"]]),
                fee=_whole(cells[at["fee"]] or "0"),
                net=_whole(cells[at["net"]]),
                currency=currency_of(cells[at["currency"]]),
                payout=get("payout_id"),
                reference=get("source"),
                rate=get("exchange_rate"),
                at=_instant(get("created")),
                n=n,
                extra=table.further(cells),
            )
        except (ValueError, MoneyError) as problem:
            yield Broken(n, str(problem))


def _report(table: CsvFile, order: str) -> Iterator[Told]:
    at = {name: table.at(name) for name in (*REPORT, *_REPORT_ALSO)}
    at_order = table.at(order) if order else -1
    for row in table.rows():
        if isinstance(row, Broken):
            yield row
            continue
        n, cells = row
        get = _Cells(cells, at)
        try:
            currency = currency_of(cells[at["currency"]])
            places = exponent(currency)
            seen, seen_in = get("customer_facing_amount"), get("customer_facing_currency")
            other = currency_of(seen_in) if seen_in else ""
            type_ = CATEGORIES.get(cells[at["reporting_category"]], UNKNOWN)
            yield SettlementLine(
                line=cells[at["balance_transaction_id"]],
                type=type_,
                told=cells[at["reporting_category"]],
                gross=minor_of(cells[at["gross"]], places),
                fee=minor_of(cells[at["fee"]] or "0", places),
                net=minor_of(cells[at["net"]], places),
                currency=currency,
                payout=get("automatic_payout_id"),
                reference=_moved(type_, get),
                parent=get("payment_intent_id"),
                order=cells[at_order] if at_order >= 0 else "",
                presented=minor_of(seen, exponent(other)) if seen and other else None,
                presented_currency=other if seen else "",
                at=_instant(get("created_utc") or get("created")),
                n=n,
                extra=table.further(cells),
            )
        except (ValueError, MoneyError) as problem:
            yield Broken(n, str(problem))


def _payouts(table: CsvFile) -> Iterator[Told]:
    at = {name: table.at(name) for name in (*PAYOUTS, *_PAYOUT_ALSO)}
    for row in table.rows():
        if isinstance(row, Broken):
            yield row
            continue
        n, cells = row
        get = _Cells(cells, at)
        try:
            status, arrives = cells[at["status"]], _instant(cells[at["arrival_date"]])
            if status not in STATES:
                raise ValueError(f"{status!r} is no state of a payout")
            yield PayoutTold(
                payout=cells[at["id"]],
                currency=currency_of(cells[at["currency"]]),
                amount=_whole(cells[at["amount"]]),
                state=STATES[status],
                paid_on=arrives.date() if arrives else None,
                itemised=get("automatic").lower() in _TRUE if at["automatic"] >= 0 else True,
                bank_reference=get("trace_id"),
                reason=get("failure_message") or get("failure_code"),
                n=n,
            )
        except (ValueError, MoneyError) as problem:
            yield Broken(n, str(problem))


class _Cells:
    """Cells of a row by the names of columns; "" where the file has no such column."""

    __slots__ = ("_at", "_cells")

    def __init__(self, cells: list[str], at: Mapping[str, int]) -> None:
        self._cells = cells
        self._at = at

    def __call__(self, name: str) -> str:
        place = self._at[name]
        return self._cells[place] if place >= 0 else ""


def _moved(type_: str, get: _Cells) -> str:
    """The movement a row of the report is about."""
    match type_:
        case "refund" | "refund_failed":
            return get("refund_id") or get("charge_id")
        case "chargeback" | "chargeback_reversed":
            return get("dispute_id") or get("charge_id")
        case _:
            return get("charge_id")


def _whole(text: str) -> int:
    return minor_of(text, 0)


def _instant(text: str) -> datetime | None:
    """In UTC: ISO 8601, `2021-03-15 01:04:36`, or seconds since 1970; None = not told."""
    if not text:
        return None
    if text.isdigit():
        return datetime.fromtimestamp(int(text), UTC)
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
