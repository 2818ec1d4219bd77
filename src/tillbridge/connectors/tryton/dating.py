"""Invoice dates in the order of their numbers, as Tryton demands, ledger dates as the hub says.

Tryton refuses to number an invoice dated before one the same sequence has numbered already
(`msg_invoice_number_after`). Documents of a hub come late and out of order, so a draft's
invoice date is lifted to the latest date in use; its accounting date, by which it is booked and
taxed, stays the document's. Sequences belong to a fiscal year: each year has its own latest date.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from tillbridge.connectors.tryton.client import TrytonClient, company_context, shaped


def lift_dates(client: TrytonClient, company: int, ids: Sequence[int]) -> bool:
    """Lift the invoice dates of drafts where others are ahead; True when one was changed."""
    domain = [
        ["id", "in", list(ids)],
        ["state", "in", ["draft", "validated"]],
        ["invoice_date", "!=", None],
        ["accounting_date", "!=", None],
    ]
    fields = ["invoice_date", "accounting_date"]
    drafts = client.search_read("account.invoice", domain, fields, company=company)
    if not drafts:
        return False
    changed = False
    for year in _years(client, company):
        latest = _latest(client, company, year["id"])
        behind = [
            draft["id"]
            for draft in drafts
            if latest
            and year["start_date"] <= draft["accounting_date"] <= year["end_date"]
            and draft["invoice_date"] < latest
        ]
        if behind:
            client.call(
                "model.account.invoice.write",
                behind,
                {"invoice_date": latest},
                context=company_context(company),
            )
            changed = True
    return changed


def _years(client: TrytonClient, company: int) -> list[dict[str, Any]]:
    fields = ["start_date", "end_date"]
    domain = [["company", "=", company]]
    return client.search_read("account.fiscalyear", domain, fields, company=company)


def _latest(client: TrytonClient, company: int, year: int) -> date | None:
    """The latest date of a numbered customer invoice or credit note of a fiscal year."""
    found = client.call(
        "model.account.invoice.search_read",
        [
            ["company", "=", company],
            ["type", "=", "out"],
            ["number", "!=", None],
            ["move.period.fiscalyear", "=", year],
        ],
        0,
        1,
        [["invoice_date", "DESC"]],
        ["invoice_date"],
        context=company_context(company),
    )
    rows = shaped(list[dict[str, Any]], found)
    return rows[0]["invoice_date"] if rows else None
