"""What the books of a month still lack: facts, decisions, answers of the ERP."""

from __future__ import annotations

from collections.abc import Iterator

from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.blocking import Blocker, Scope

QUERIES = load("tillbridge.reconciliation.close", "close.sql")
MOST = 1_000
"""Rows of one check; what is beyond is told as one more row."""
FINDINGS = (
    "till_sequence_gap",
    "till_close_missing",
    "store_day_missing",
    "stock_difference",
    "stock_comparison_failed",
    "stock_count_negative",
    "stock_counts_disagree",
    "transfer_short",
    "transfer_over",
    "sweep_difference",
    "sweep_failed",
    "delivery_broken",
    "topic_unknown",
    "kind_unsupported",
    "tax_unstated",
    "totals_missing",
    "tender_missing",
    "tax_missing",
    "card_overdrawn",
    "settlement_missing",
)
"""Cases that say something is missing or differs, whether or not they hold a record back."""
_KINDS = {
    "till_sequence_gap": "till",
    "till_close_missing": "till",
    "store_day_missing": "file",
    "delivery_broken": "file",
    "sweep_difference": "file",
    "sweep_failed": "file",
    "settlement_missing": "file",
}
_NEXT = {
    "till": "have the day's log sent again, or close the case when nothing is missing",
    "file": "have it sent again, then close the case",
    "stock": "count, or correct the side that is wrong",
    "unposted": "mend the cause, then: tillbridge cases replay {case}",
    "document": "mend the cause at the ERP, then: tillbridge cases replay {case}",
    "case": "decide it: tillbridge cases show {case}",
}


def not_over(_: Connection, scope: Scope) -> Iterator[Blocker]:
    """A month that still runs."""
    if scope.now.date() <= scope.last:
        yield Blocker(
            kind="month",
            owner="finance",
            key=f"{scope.entity}/{scope.period}",
            words=f"the month runs until {scope.last}",
            remedy="wait for its end",
        )


def pending(connection: Connection, scope: Scope) -> Iterator[Blocker]:
    """Records of the log that were not carried through the rooms."""
    row = connection.execute(QUERIES.pending, scope.values()).fetchone()
    if row and row[0]:
        yield Blocker(
            kind="unposted",
            owner="integration",
            key=row[2],
            words=f"{row[0]} record(s) wait to be carried, the oldest since {row[1]} UTC",
            remedy="run a worker, or: tillbridge drain",
            count=row[0],
        )


def cases(connection: Connection, scope: Scope) -> Iterator[Blocker]:
    """Open cases that hold facts back, have money at stake or tell that something is missing."""
    values = {**scope.values(), "findings": list(FINDINGS), "most": MOST}
    rows = connection.execute(QUERIES.cases, values).fetchall()
    for number, reason, owner, key, words, remedy, held, amount, currency, day, _ in rows:
        kind = _kind(reason, held)
        yield Blocker(
            kind=kind,
            owner=owner,
            key=key,
            words=f"{reason}: {words}",
            remedy=remedy or _NEXT[kind].format(case=number),
            day=day,
            count=max(held, 1),
            amount=amount,
            currency=currency or "",
            case=number,
        )
    if rows and rows[0][-1] > len(rows):
        yield Blocker(
            kind="case",
            owner="finance",
            key="",
            words=f"{rows[0][-1] - len(rows)} further open case(s)",
            remedy="tillbridge cases list",
            count=rows[0][-1] - len(rows),
        )


def _kind(reason: str, held: int) -> str:
    if reason in _KINDS:
        return _KINDS[reason]
    if reason.startswith(("stock_", "transfer_")):
        return "stock"
    if reason in ("document_refused", "tax_document_refused"):
        return "document"
    return "unposted" if held else "case"


def voids(connection: Connection, scope: Scope) -> Iterator[Blocker]:
    """Voids whose sale was never told."""
    for voided, fact, day in connection.execute(QUERIES.voids, {**scope.values(), "most": MOST}):
        yield Blocker(
            kind="unposted",
            owner="stores",
            key=voided,
            words=f"{fact} voids a sale that never came",
            remedy="have the day's log sent again",
            day=day,
        )


def documents(connection: Connection, scope: Scope) -> Iterator[Blocker]:
    """Documents the other side has not answered, by destination, kind and state."""
    rows = connection.execute(QUERIES.documents, scope.values()).fetchall()
    for name, kind, state, count, day, key, leased in rows:
        under_way = f", {leased} under way" if leased else ""
        what = "object(s) to be read again" if kind == "reread" else f"{kind} document(s)"
        yield Blocker(
            kind="document",
            owner="integration",
            key=key,
            words=f"{count} {what} {state} to {name}{under_way}",
            remedy=f"see what holds {name} up: tillbridge status; then tillbridge drain",
            day=day,
            count=count,
        )


def journals(connection: Connection, scope: Scope) -> Iterator[Blocker]:
    """Entries that no journal has taken yet."""
    rows = connection.execute(QUERIES.journals, scope.values()).fetchall()
    for flow, place, count, day, currency, amount in rows:
        yield Blocker(
            kind="journal",
            owner="finance",
            key=f"{flow}/{place}",
            words=f"{count} entries of {flow} {place} wait for a journal",
            remedy="the schedule sums them up every minute; at once: tillbridge drain",
            day=day,
            count=count,
            amount=amount,
            currency=currency,
        )
