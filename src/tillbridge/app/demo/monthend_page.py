"""The demo's month end for a person: as the verbs print it, with what people did in between."""

from __future__ import annotations

from tillbridge.app.demo.monthend import MonthEnd, View
from tillbridge.app.finance_pages import close_page, payout_page, tie_page
from tillbridge.app.text_table import table
from tillbridge.atoms.money import to_text


def page(found: MonthEnd, program: str) -> str:
    """From the payout to the empty lists. program: how tillbridge is called."""
    payout = found.before.payout.key
    parts = [
        f"the month end of {found.period}: {', '.join(found.files)} were dropped",
        f"$ {program} reconcile show {payout}\n{payout_page(found.before.payout)}",
        f"$ {program} reconcile status\n{tie_page(found.before.tie_outs)}",
        *_lists(found, found.before, program),
        _steps(found, program),
        "tills: tenders against counts\n" + _tills(found),
        f"$ {program} reconcile status\n{tie_page(found.after.tie_outs)}",
        *_lists(found, found.after, program),
    ]
    return "\n\n".join(parts)


def _lists(found: MonthEnd, view: View, program: str) -> list[str]:
    return [
        f"$ {program} close {entity} {found.period}\n"
        + close_page(entity, found.period, "open", listed)
        for entity, listed in view.close_lists.items()
    ]


def _steps(found: MonthEnd, program: str) -> str:
    rows = [
        (step.owner, step.by, f"{program} {step.did}" if step.verb else step.did)
        for step in found.steps
    ]
    return table(("owner", "who", "what was done"), rows)


def _tills(found: MonthEnd) -> str:
    rows = [
        (
            till.location,
            one.tender,
            *(_text(sum_, till.currency) for sum_ in (one.expected, one.counted, one.difference)),
            till.currency,
        )
        for till in found.tills
        for one in till.tenders
    ]
    return table(("store", "tender", "expected", "counted", "difference", ""), rows)


def _text(amount: int | None, currency: str) -> str:
    return "" if amount is None else to_text(amount, currency)
