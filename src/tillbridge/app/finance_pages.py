"""What finance reads at a month's end: the close list, the tie-outs, a payout down to the bank."""

from __future__ import annotations

from collections.abc import Sequence

from tillbridge.app.text_table import table
from tillbridge.atoms.money import to_text
from tillbridge.reconciliation.blocking import Blocker
from tillbridge.reconciliation.settlement.report import PayoutView
from tillbridge.reconciliation.sweeps.report import StreamState
from tillbridge.reconciliation.tie_outs import TieOut


def close_page(entity: str, month: str, state: str, found: Sequence[Blocker]) -> str:
    """The list as a person reads it."""
    if not found:
        after = "" if state == "locked" else "; it can be closed"
        return f"{entity} {month} is {state}, nothing blocks it{after}"
    rows = [
        (
            one.kind,
            one.owner,
            one.day,
            one.key,
            "" if one.amount is None else f"{to_text(one.amount, one.currency)} {one.currency}",
            one.words,
            one.remedy,
        )
        for one in found
    ]
    heads = ("what", "owner", "day", "of", "amount", "why", "to do")
    return f"{table(heads, rows)}\n{entity} {month} is {state}: {len(found)} thing(s) block it"


def tie_page(found: Sequence[TieOut]) -> str:
    """Every tie-out, then the parts of each difference, then what is still open."""
    headers = ("tie-out", "entity", "books", "theirs", "difference", "")
    rows = [
        (
            one.name,
            one.entity,
            *(to_text(sum_, one.currency) for sum_ in (one.books, one.theirs, one.difference)),
            one.currency,
        )
        for one in found
    ]
    lines = [table(headers, rows)]
    for one in found:
        parts = [f"  {to_text(part.amount, one.currency):>12}  {part.what}" for part in one.parts]
        if one.unexplained:
            parts.append(f"  {to_text(one.unexplained, one.currency):>12}  unexplained")
        if parts:
            lines += ["", f"{one.name} of {one.entity} differs by:", *parts]
        if one.open:
            lines += ["", f"{one.name} of {one.entity}, still open:"]
            lines += [f"  {to_text(p.amount, one.currency):>12}  {p.what}" for p in one.open]
    return "\n".join(lines)


def read_lines(found: Sequence[StreamState]) -> list[str]:
    """How far the accounts that are polled are read, and why one is not."""
    lines = []
    for one in found:
        known = f"{one.complete_through:%Y-%m-%d %H:%M} UTC" if one.complete_through else "no day"
        lines.append(f"{one.connection} is complete through {known}")
        if one.words:
            lines.append(f"  {one.connection}: not read: {one.words}")
    return ["", *lines] if lines else []


def payout_page(found: PayoutView) -> str:
    """A payout from its lines to its entries and the bank."""

    def text(amount: int | None) -> str:
        return "not told" if amount is None else to_text(amount, found.currency)

    head = (
        f"{found.account} {found.payout} of {found.entity}: {text(found.amount)} {found.currency},"
        f" {found.state or 'state not told'}, for {found.paid_on or 'some day'};"
        f" {'ties' if found.tied else 'held'}"
    )
    if found.carried:
        head += ", carried forward to the next payout"
    if found.brought:
        head += f", takes {text(found.brought)} brought forward"
    types = [(kind, count, *map(text, amounts)) for kind, count, *amounts in found.types]
    lines = [
        (line, kind, told, text(gross), how, key, text(off) if off else "")
        for line, kind, told, gross, how, key, off in found.lines
    ]
    entries = [(str(day), account, text(sum_)) for account, day, _, sum_ in found.entries]
    bank = [(name, of, str(day), text(sum_), words) for name, of, day, sum_, words in found.bank]
    return "\n\n".join(
        (
            head,
            table(("type", "lines", "gross", "fee", "net"), types),
            table(("line", "type", "told", "gross", "matched by", "key", "differs"), lines),
            table(("posted", "account", "amount"), entries),
            table(("bank", "statement", "booked", "amount", "text"), bank),
        )
    )
