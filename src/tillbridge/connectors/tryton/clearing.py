"""Invoices and credit notes paid from an account of the hub, as soon as they are booked.

The hub's journals tell Tryton what buyers paid (an account of the hub's, `customer-deposits`), and
its own move of an invoice says what the buyer owes (the receivable). A move of its own per document
takes the one off the other; both lines are reconciled, so the invoice ends `paid`. It is found
again by the document's operation, like everything the hub makes over there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tillbridge.atoms.errors import Refused
from tillbridge.connectors.tryton.client import TrytonClient, company_context, shaped
from tillbridge.connectors.tryton.kinds import Found, Moves
from tillbridge.connectors.tryton.lookups import Lookups
from tillbridge.connectors.tryton.sending import Draft, Ending, Problem, Sender

PAID = "/paid"
_FIELDS = ["move", "account", "party", "debit", "credit", "reconciliation"]
_LINES_MAX = 10_000
_LINE = "account.move.line"
# the line's own field may not be written from outside: lines are joined as a person does it
_WIZARD = "wizard.account.move.reconcile_lines"
Owed = dict[int, list[dict[str, Any]]]


def clearing_of(operation: str) -> str:
    """Description of the move that pays the document of an operation."""
    return f"{operation}{PAID}"


def paid_operation(description: str) -> str:
    """The operation a clearing move pays; "" for any other move."""
    return description.removesuffix(PAID) if description.endswith(PAID) else ""


class Clearing:
    """Pays booked documents of one company."""

    def __init__(self, client: TrytonClient, look: Lookups, journal: int) -> None:
        """journal: where the moves stand, the one of the hub's entries."""
        self._client = client
        self._company = look.company
        self._journal = journal

    def pay(self, endings: Mapping[str, Ending], accounts: Mapping[str, int]) -> dict[str, Problem]:
        """Pay what ended well; accounts: operation -> account it is paid from. Gives why not, by
        operation. Raises RetryLater; doing it again is always safe.
        """
        moves = {
            operation: ending.move
            for operation, ending in endings.items()
            if operation in accounts and isinstance(ending, Found) and ending.move
        }
        owed = self._owed(list(moves.values()))
        open_ = {op: move for op, move in moves.items() if _open(owed.get(move, []))}
        if not open_:
            return {}
        heads = self._heads(list(open_.values()))
        drafts = [
            Draft(clearing_of(op), self._row(op, heads[move], owed[move], accounts[op]))
            for op, move in open_.items()
        ]
        sent = Sender(self._client, self._company, Moves()).send(drafts)
        problems: dict[str, Problem] = {}
        paid: dict[str, int] = {}
        for operation in open_:
            ending = sent[clearing_of(operation)]
            if isinstance(ending, Problem):
                words = f"it is booked, and not paid: {ending.words}"
                problems[operation] = Problem(ending.outcome, words, ending.after_seconds)
            else:
                paid[operation] = ending.id
        return problems | self._reconciled(open_, paid)

    def _owed(self, moves: Sequence[int]) -> Owed:
        """Lines on what buyers owe, by move."""
        if not moves:
            return {}
        domain = [["move", "in", list(moves)], ["account.type.receivable", "=", True]]
        rows = self._client.search_read(
            _LINE, domain, _FIELDS, company=self._company, limit=_LINES_MAX
        )
        found: Owed = {}
        for row in sorted(rows, key=lambda row: int(row["id"])):
            found.setdefault(row["move"], []).append(row)
        return found

    def _heads(self, moves: Sequence[int]) -> dict[int, dict[str, Any]]:
        rows = self._client.search_read(
            "account.move", [["id", "in", list(moves)]], ["date", "period"],
            company=self._company, limit=_LINES_MAX,
        )  # fmt: skip
        return {row["id"]: row for row in rows}

    def _row(
        self, operation: str, head: Mapping[str, Any], owed: Sequence[dict[str, Any]], account: int
    ) -> dict[str, Any]:
        """The same amounts on the other side, on the document's own day."""
        total = sum((row["debit"] - row["credit"] for row in owed), Decimal(0))
        lines = [
            {
                "account": row["account"],
                "party": row["party"],
                "debit": row["credit"],
                "credit": row["debit"],
            }
            for row in owed
        ]
        lines.append(
            {"account": account, "debit": max(total, Decimal(0)), "credit": max(-total, Decimal(0))}
        )
        return {
            "company": self._company,
            "journal": self._journal,
            "period": head["period"],
            "date": head["date"],
            "description": clearing_of(operation),
            "lines": [["create", lines]],
        }

    def _reconciled(
        self, documents: Mapping[str, int], paid: Mapping[str, int]
    ) -> dict[str, Problem]:
        """Join the lines of each document and its payment; one that fails sinks no other."""
        owed = self._owed([*(documents[op] for op in paid), *paid.values()])
        both = {
            operation: [*owed.get(documents[operation], []), *owed.get(move, [])]
            for operation, move in paid.items()
        }
        wanted = {operation: lines for operation, lines in both.items() if _open(lines)}
        if not wanted:
            return {}
        context = company_context(self._company)
        session, start, _ = shaped(
            list[Any], self._client.call(f"{_WIZARD}.create", context=context)
        )
        problems: dict[str, Problem] = {}
        for operation, lines in wanted.items():
            ids = [row["id"] for row in lines]
            chosen = {**context, "active_model": _LINE, "active_ids": ids, "active_id": ids[0]}
            try:
                self._client.call(f"{_WIZARD}.execute", session, {}, start, context=chosen)
            except Refused as refusal:
                words = f"it is booked and paid, and not reconciled: {refusal.words}"
                problems[operation] = Problem("refused", words)
        self._client.call(f"{_WIZARD}.delete", session, context=context)
        return problems


def _open(lines: Sequence[Mapping[str, Any]]) -> bool:
    """Whether something of it is not reconciled yet; lines without an amount need not be."""
    return any(not row["reconciliation"] and (row["debit"] or row["credit"]) for row in lines)
