"""The demo's result as data (--json) and as tables for a person."""

from __future__ import annotations

import shlex
from collections import Counter
from datetime import date

import msgspec

from tillbridge.app.demo import monthend_page
from tillbridge.app.demo.look import DocumentRow, Glance
from tillbridge.app.demo.monthend import MonthEnd
from tillbridge.app.demo.trade import Sent
from tillbridge.app.text_table import table
from tillbridge.atoms.money import to_text
from tillbridge.posting.money.report import Balance
from tillbridge.reconciliation.ledger.tie import TieOut
from tillbridge.triage.cases import Case
from tillbridge.watch.verify import Verdict


class Mend(msgspec.Struct, frozen=True):
    """An open case and the command that mends it."""

    case: int
    reason: str
    owner: str
    words: str
    command: str


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the demo has to tell. day: of trade; program: how tillbridge is called here;
    timings: seconds; amounts: minor units.
    """

    ok: bool
    day: date
    program: str
    address: str
    workspace: str
    erp: str
    seed: int
    orders: int
    timings: dict[str, float]
    first_view: dict[str, int]
    counts: dict[str, int]
    facts: dict[str, int]
    documents: list[DocumentRow]
    balances: list[Balance]
    month: MonthEnd
    ties: list[TieOut]
    cases: list[Mend]
    verify: Verdict
    story: str
    problems: list[str]


def mend(case: Case, program: str, known: dict[str, str]) -> Mend:
    """A case with its command as it can be typed here. known: OUR-NAME by their name."""
    command = case.remedy.replace("tillbridge ", f"{program} ") if case.remedy else ""
    for theirs, ours in known.items():
        quoted = shlex.quote(theirs)
        command = command.replace(f" {quoted} OUR-NAME", f" {quoted} {ours}")
    command = command.replace(" CASE", f" {case.id}")
    return Mend(case.id, case.reason, case.owner, case.words, command)


def encoded(found: Outcome) -> str:
    """One JSON object and a line's end."""
    return msgspec.json.encode(found).decode() + "\n"


def viewed(found: Glance) -> dict[str, int]:
    """What was to be seen before the ERP was there."""
    return {
        "orders": found.orders + found.parked_orders,
        "orders_reserved": found.reserved,
        "entries": found.entries,
        "documents_waiting": found.waiting,
        "open_cases": found.cases,
    }


def counted(sent: Sent, found: Glance, duplicates: int) -> dict[str, int]:
    """Counts of the whole day."""
    return {
        "webhooks_sent": sent.attempts,
        "webhooks_acknowledged": sent.acknowledged,
        "forged_refused": int(sent.forged_status == 401),
        "messages": found.messages,
        "duplicates": duplicates,
        "records": found.records,
        "orders": found.orders + found.parked_orders,
        "orders_parked": found.parked_orders,
        "stock_movements": found.movements,
        "entries": found.entries,
        "documents": found.documents,
        "documents_accepted": found.accepted,
        "documents_refused": found.refused,
        "open_cases": found.cases,
    }


def problems(
    sent: Sent, found: Glance, verdict: Verdict, month: MonthEnd, ties: list[TieOut]
) -> list[str]:
    """What makes the demo fail, in words."""
    told = []
    if sent.acknowledged != sent.deliveries:
        told.append(f"{sent.deliveries - sent.acknowledged} webhooks were never acknowledged")
    if sent.forged_status != 401:
        told.append(f"a forged webhook was answered {sent.forged_status}, not 401")
    if found.refused:
        told.append(f"the ERP refused {found.refused} documents")
    if not verdict.ok:
        told.append(f"{verdict.broken} invariants are broken")
    told += [
        f"{entity} {month.period} cannot be closed: {listed[0].words}"
        for entity, listed in month.after.close_lists.items()
        if listed
    ]
    told += [
        f"{one.name} of {one.entity} has an unexplained difference"
        for one in month.after.tie_outs
        if one.unexplained
    ]
    told += [f"the ERP's ledger of {one.entity} differs" for one in ties if not one.agrees]
    return told


def first_view(found: Glance, seconds: float, erp: str) -> str:
    """What is to be seen while the ERP is not there yet."""
    return (
        f"{seconds:.1f} s after the hub's start: {found.orders + found.parked_orders} web orders"
        f" taken in, stock reserved for {found.reserved} of them,"
        f" {found.entries} entries in the books, {found.cases} open case(s);"
        f" {found.waiting} documents waiting for the ERP ({erp})"
    )


def sending_table(sent: Sent, found: Glance, duplicates: int, files: int) -> str:
    """Messages: what was sent, and what the hub made of it."""
    rows: list[tuple[object, ...]] = [
        ("webhooks sent", sent.attempts, f"{sent.odd} doubled, overtaking or late"),
        ("acknowledged", sent.acknowledged, "each stored before its answer"),
        ("forged", sent.forged, f"answered {sent.forged_status}, nothing stored"),
        ("files dropped", files, "stock, gift cards, a POSLog per store (one twice), payout, bank"),
        ("deliveries kept", found.messages, f"{duplicates} repeated, taken once"),
        ("web orders", found.orders + found.parked_orders, f"{found.parked_orders} held by a case"),
        ("stock movements", found.movements, f"{found.held_pieces} pieces reserved now"),
        ("ledger entries", found.entries, ""),
    ]
    return table(("messages", "count", ""), rows)


def facts_table(facts: dict[str, int]) -> str:
    """Records of the log by type, in two columns."""
    names = sorted(facts)
    half = (len(names) + 1) // 2
    rows = []
    for left, right in zip(names[:half], [*names[half:], ""], strict=False):
        rows.append((left, facts[left], right, facts.get(right)))
    return table(("facts and commands", "count", "", "count"), rows)


def documents_table(documents: list[DocumentRow], most: int = 80) -> str:
    """Each document with its number; the first ones of a large day."""
    rows = [
        (
            row.about,
            row.kind,
            row.state,
            row.number,
            "" if row.total is None else to_text(row.total, row.currency or "USD"),
            row.move,
        )
        for row in documents[:most]
    ]
    text = table(("about", "document", "state", "number in the ERP", "total", "ledger move"), rows)
    if len(documents) > most:
        text += f"\n... and {len(documents) - most} more"
    states = Counter((row.kind, row.state) for row in documents)
    told = ", ".join(f"{count} {kind} {state}" for (kind, state), count in sorted(states.items()))
    return f"{text}\n{told}"


def balances_table(balances: list[Balance]) -> str:
    """Trial balance per entity, with its sum."""
    parts = []
    for entity in sorted({balance.entity for balance in balances}):
        own = [balance for balance in balances if balance.entity == entity]
        rows = [(b.account, _right(b.amount, b.currency)) for b in own if b.amount]
        total = sum(balance.amount for balance in own)
        rows.append(("sum", _right(total, own[0].currency)))
        parts.append(table((f"trial balance {entity}, {own[0].currency}", f"{'amount':>14}"), rows))
    return "\n\n".join(parts)


def _right(amount: int, currency: str) -> str:
    return f"{to_text(amount, currency):>14}"


def tie_lines(ties: list[TieOut], erp: str) -> str:
    """One line per entity: whether the ERP's ledger says the same."""
    lines = []
    for one in ties:
        debits = sum(account.erp for account in one.accounts if account.erp > 0)
        turnover = f"{to_text(debits, one.currency)} {one.currency}"
        if one.agrees:
            kept = sum(1 for account in one.accounts if account.hub or account.erp)
            lines.append(f"{one.entity}: {erp} agrees on {kept} accounts, debits {turnover}")
            continue
        lines.append(f"{one.entity}: {erp} DIFFERS")
        lines += [
            f"    {account.account}: hub {to_text(account.hub, one.currency)},"
            f" ERP {to_text(account.erp, one.currency)}"
            for account in one.accounts
            if account.difference
        ]
        lines += [f"    {loose.operation}: {loose.why}" for loose in one.loose]
    return "\n".join(lines)


def cases_text(cases: list[Mend]) -> str:
    """Open cases, each with the command that mends it."""
    if not cases:
        return "no open cases"
    lines = []
    for case in cases:
        lines.append(f"case {case.case}: {case.reason}, owner {case.owner}")
        lines.append(f"  {case.words}")
        if case.command:
            lines.append(f"  mended by: {case.command}")
    return "\n".join(lines)


def verify_line(verdict: Verdict) -> str:
    """Green, or what is broken."""
    lines = [f"verify: {verdict.checked} invariants checked, {verdict.broken} broken"]
    for invariant in verdict.invariants:
        if invariant.lies:
            lines.append(f"  BROKEN {invariant.name}: {invariant.lies}, first {invariant.rows[:1]}")
    return "\n".join(lines)


def page(outcome: Outcome, sending: str) -> str:
    """All tables."""
    timings = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in outcome.timings.items())
    parts = [
        sending,
        facts_table(outcome.facts),
        documents_table(outcome.documents),
        outcome.story,
        monthend_page.page(outcome.month, outcome.program),
        balances_table(outcome.balances),
        "ledger of the ERP against the books of the hub\n" + tie_lines(outcome.ties, outcome.erp),
        "open cases\n" + cases_text(outcome.cases),
        verify_line(outcome.verify),
        f"timings: {timings}",
    ]
    parts += [f"NOT AS IT SHOULD BE: {problem}" for problem in outcome.problems]
    return "\n\n".join(parts)
