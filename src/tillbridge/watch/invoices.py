"""Invoices and credit notes as objects: one by one, by order, buyer or entity, and by age.

A paper is what the hub decided and, where the ERP books by papers, sent. Of an order on account it
is owed as well; of one paid as it was placed nothing stands open here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from tillbridge.atoms.errors import Refused
from tillbridge.atoms.money import to_text
from tillbridge.canonical.documents import (
    CreditNoteDocument,
    DocumentLine,
    InvoiceDocument,
    SubmitDocument,
)
from tillbridge.canonical.receivables import CreditNoteIssued, InvoiceIssued
from tillbridge.canonical.registry import decode
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load("tillbridge.watch", "invoices.sql")
BUCKETS = (("not due", 0), ("1-30", 30), ("31-60", 60), ("61-90", 90))
"""Ages in days past due, each up to and with its number; what is older is `OLDEST`."""
OLDEST = "over 90"
_TOLD = ("SubmitDocument", "InvoiceIssued", "CreditNoteIssued")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which papers. entities: () = all; open: only invoices with something left to pay; order: its
    key; party: the buyer's id; key: of one paper.
    """

    entities: tuple[str, ...] = ()
    open: bool = False
    order: str = ""
    party: str = ""
    key: str = ""
    limit: int = 1000


class Invoice(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice or credit note, amounts in minor units and positive.

    key: its operation id. number: the ERP's, ours before it gave one. state: of its document,
    `ours` where none goes to the ERP. due_on, credited, paid, open: None when the order is not on
    account. taxes: by jurisdiction. party: the buyer's id.
    """

    key: str
    kind: str
    number: str
    order: str
    order_key: str
    entity: str
    channel: str
    party: str
    currency: str
    state: str
    issued_on: date
    due_on: date | None
    total: int
    credited: int | None
    paid: int | None
    open: int | None
    taxes: dict[str, int]
    lines: tuple[DocumentLine, ...]


class Aged(msgspec.Struct, frozen=True, kw_only=True):
    """What is open of an invoice on a day, minor units; bucket: how long past due."""

    key: str
    number: str
    order: str
    order_key: str
    entity: str
    party: str
    currency: str
    issued_on: date
    due_on: date
    open: int
    bucket: str


class _Paper(msgspec.Struct, frozen=True):
    """What the log says of a paper."""

    entity: str
    party: str
    day: date | None
    lines: tuple[DocumentLine, ...]


def invoices(connection: Connection, wanted: Wanted) -> list[Invoice]:
    """Papers, the newest first."""
    rows = connection.execute(
        QUERIES.listed, msgspec.structs.asdict(wanted) | {"entities": list(wanted.entities)}
    ).fetchall()
    papers = _papers(connection, sorted({row[1] for row in rows}))
    found = []
    for key, order_key, kind, number, state, total, day, due, credited, paid, open_, *rest in rows:
        paper = papers.get(key, _Paper("", "", None, ()))
        order, channel, currency = rest
        found.append(
            Invoice(
                key=key,
                kind=kind,
                number=number,
                order=order,
                order_key=order_key,
                entity=paper.entity,
                channel=channel,
                party=paper.party,
                currency=currency,
                state=state,
                issued_on=paper.day or day,
                due_on=due,
                total=total,
                credited=abs(credited) if credited is not None else None,
                paid=paid,
                open=open_,
                taxes=_taxes(paper.lines),
                lines=paper.lines,
            )
        )
    return found


def invoice(connection: Connection, text: str, entities: Sequence[str] = ()) -> Invoice:
    """One paper by key or number; raises Refused when it is none or several."""
    keys = sorted({key for (key,) in connection.execute(QUERIES.keys_of, {"text": text})})
    if len(keys) > 1:
        raise Refused(f"{text!r} may be any of: {', '.join(keys)}")
    found = invoices(connection, Wanted(key=keys[0], entities=tuple(entities))) if keys else []
    if not found:
        raise Refused(f"nothing is known of an invoice {text!r}", code="not_found")
    return found[0]


def ageing(connection: Connection, wanted: Wanted, day: date) -> list[Aged]:
    """What was open at the end of a day, as the books say, the longest overdue first."""
    given = {
        "day": day,
        "entities": list(wanted.entities),
        "order": wanted.order,
        "party": wanted.party,
    }
    return [
        Aged(
            key=key,
            order_key=order_key,
            number=number,
            order=order,
            entity=entity,
            party=party,
            currency=currency,
            issued_on=issued_on,
            due_on=due_on,
            open=open_,
            bucket=bucket_of((day - due_on).days),
        )
        for (
            key, order_key, number, order, entity, party, currency, issued_on, due_on, open_
        ) in connection.execute(QUERIES.aged, given)
    ]  # fmt: skip


def bucket_of(days: int) -> str:
    """The bucket of so many days past due; not positive = not due."""
    return next((name for name, most in BUCKETS if days <= most), OLDEST)


def sums_of(aged: Iterable[Aged]) -> dict[str, dict[str, int]]:
    """What is open by currency and bucket, minor units."""
    sums: dict[str, dict[str, int]] = {}
    for one in aged:
        of = sums.setdefault(one.currency, dict.fromkeys((*(n for n, _ in BUCKETS), OLDEST), 0))
        of[one.bucket] += one.open
    return sums


def _taxes(lines: Iterable[DocumentLine]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for line in lines:
        for code, amount in line.taxes:
            sums[code] = sums.get(code, 0) + amount
    return dict(sorted(sums.items()))


def _papers(connection: Connection, keys: list[str]) -> dict[str, _Paper]:
    """What the log holds of the papers of these orders, by key."""
    found: dict[str, _Paper] = {}
    for name, version, body in connection.execute(QUERIES.bodies, (keys, list(_TOLD)), binary=True):
        told = decode(name, version, body)
        if isinstance(told, SubmitDocument):
            paper = told.invoice or told.credit_note
            if paper is not None:
                found[told.id] = _of_document(told.entity, paper)
        elif isinstance(told, InvoiceIssued | CreditNoteIssued):
            key = told.invoice if isinstance(told, InvoiceIssued) else told.credit_note
            entity = told.entities.selling
            found[key] = _Paper(entity, told.party, told.business_date, told.lines)
    return found


def _of_document(entity: str, paper: InvoiceDocument | CreditNoteDocument) -> _Paper:
    return _Paper(entity, paper.party, paper.invoice_date, paper.lines)


def page(found: Invoice) -> str:
    """One paper as text for a terminal."""

    def text(amount: int | None) -> str:
        return "" if amount is None else to_text(amount, found.currency)

    kind = found.kind.replace("_", " ")
    head = f"{kind} {found.number} of order {found.order}: {text(found.total)} {found.currency}"
    lines = [
        head,
        f"of {found.issued_on} by {found.entity}, {found.state}, key {found.key}",
        f"buyer {found.party or 'not named'}",
    ]
    if found.due_on is not None and found.kind == "invoice":
        lines.append(
            f"due {found.due_on}: credited {text(found.credited)}, paid {text(found.paid)},"
            f" open {text(found.open)}"
        )
    lines += [""] + [
        f"  {line.product or line.kind:<20} {text(line.net):>12}"
        f"  {', '.join(f'{code} {text(tax)}' for code, tax in line.taxes)}"
        for line in found.lines
    ]
    return "\n".join(lines)
