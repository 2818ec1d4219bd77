"""Checks of tax services against what stands behind them: one document, whatever happens.

The tests hand over a `TaxTarget` per connector that signs Taxes (`tests/connectors/<name>/
tax_target.py`, a context manager `tax_target()`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from tillbridge.atoms.errors import RetryLater
from tillbridge.canonical.documents import SubmitDocument
from tillbridge.canonical.taxes import (
    ADJUST,
    CALCULATE,
    COMMIT,
    RECORD,
    VOID,
    LineTaxes,
    TaxDocument,
)
from tillbridge.contract.conformance.delivering import CALLS_MAX, FaultyTransport
from tillbridge.contract.promises import Assignment, Receipt
from tillbridge.contract.tax_receipts import settle
from tillbridge.contract.taxes import TaxService
from tillbridge.contract.transport import Transport


class TaxTarget(Protocol):
    """A live tax service."""

    @property
    def transport(self) -> Transport:
        """The way to it."""

    def service(self, transport: Transport) -> TaxService:
        """The service, called over this way."""

    def document(self, direction: str, *, inclusive: bool = False) -> TaxDocument:
        """A fresh document of two lines that it will tax, to be kept where it keeps any."""

    def refused(self) -> TaxDocument:
        """A fresh document that it refuses for good, with words."""

    def kept(self, document: TaxDocument) -> tuple[str, int] | None:
        """What stands there: `saved`, `committed` or `voided`, and the tax in the document's
        direction; None when it keeps nothing at all.
        """


def works_out_every_line(target: TaxTarget) -> list[str]:
    """Each item has its taxes, with names of ours; told again it says the same."""
    problems: list[str] = []
    for inclusive in (False, True):
        document = target.document("sale", inclusive=inclusive)
        first, again = _ask(target, CALCULATE, document), _ask(target, CALCULATE, document)
        if first.outcome != "accepted":
            return [f"a good document ended as {first}"]
        if [one.line for one in first.taxes] != [one.line for one in document.items]:
            problems.append("lines of the answer are not those of the document, in order")
        if not all(
            t.amount and t.code and t.jurisdiction for one in first.taxes for t in one.taxes
        ):
            problems.append("a tax without amount, code or jurisdiction")
        if first.taxes != again.taxes:
            problems.append("asked again it says otherwise")
        for item, one in zip(document.items, first.taxes, strict=False):
            tax = sum(tax.amount for tax in one.taxes)
            base = item.amount - tax if inclusive else item.amount
            if any(tax.base != base for tax in one.taxes):
                problems.append(f"line {item.line}: a base that is not {base}")
    return problems


def takes_back_what_it_taxed(target: TaxTarget) -> list[str]:
    """A return of everything has the taxes of its sale, to the cent, as positive amounts."""
    sale, back = target.document("sale"), target.document("return")
    there, here = _ask(target, CALCULATE, sale), _ask(target, CALCULATE, back)
    amounts = [
        [[tax.amount for tax in one.taxes] for one in receipt.taxes] for receipt in (there, here)
    ]
    if amounts[0] != amounts[1]:
        return [f"sold with {amounts[0]}, given back {amounts[1]}"]
    return []


def commits_once(target: TaxTarget) -> list[str]:
    """Calculated, then committed, told twice: one committed document with that tax."""
    problems: list[str] = []
    for direction in ("sale", "return"):
        document = target.document(direction)
        worked_out = _ask(target, CALCULATE, document)
        charged = charged_with(document, worked_out.taxes)
        _expect(problems, target, document, "saved", charged.tax)
        receipts = [_ask(target, COMMIT, charged, unknown=n > 0) for n in range(2)]
        if [receipt.outcome for receipt in receipts] != ["accepted", "accepted"]:
            problems.append(f"{direction}: committed twice it ended as {receipts}")
        if receipts[0].remote_id != receipts[1].remote_id:
            problems.append(f"{direction}: told twice it has two ids")
        _expect(problems, target, document, "committed", charged.tax)
    return problems


def keeps_what_was_charged(target: TaxTarget) -> list[str]:
    """Recorded with a tax of its own it keeps that one; other content takes its place; gone it is
    gone; each of it told twice.
    """
    problems: list[str] = []
    document = target.document("return")
    worked_out = _ask(target, CALCULATE, target.document("return"))
    charged = charged_with(document, worked_out.taxes, more=3)
    other = charged_with(document, worked_out.taxes, more=-2)
    for kind, told, state in (
        (RECORD, charged, "committed"),
        (RECORD, charged, "committed"),
        (ADJUST, other, "committed"),
        (ADJUST, other, "committed"),
        (VOID, other, "voided"),
        (VOID, other, "voided"),
    ):
        receipt = _ask(target, kind, told)
        if receipt.outcome != "accepted":
            problems.append(f"{kind} ended as {receipt}")
        _expect(problems, target, document, state, told.tax)
    return problems


def refuses_with_words(target: TaxTarget) -> list[str]:
    """What cannot be taxed is a refusal that says why."""
    receipt = _ask(target, CALCULATE, target.refused())
    if receipt.outcome != "refused" or len(receipt.words) < 8:
        return [f"a document that cannot be taxed ended as {receipt}"]
    return []


def survives_a_fault_at_every_tax_call(target: TaxTarget) -> list[str]:
    """An answer lost, 429 or 503 at any call of a record: afterwards one committed document."""
    problems: list[str] = []
    for fault in ("lost", "429", "503"):
        for at in range(CALLS_MAX):
            document = target.document("return")
            worked_out = _ask(target, CALCULATE, target.document("return"))
            charged = charged_with(document, worked_out.taxes)
            faulty = FaultyTransport(target.transport, at, fault)
            first = _ask(target, RECORD, charged, transport=faulty)
            if faulty.count <= at:
                break
            place = f"{fault} at call {at + 1}"
            if first.outcome == "refused":
                problems.append(f"{place}: ended as refused: {first.words}")
            again = _ask(target, RECORD, charged, unknown=first.outcome == "unknown")
            if again.outcome != "accepted":
                problems.append(f"{place}: then {again.outcome} ({again.words})")
            _expect(problems, target, document, "committed", charged.tax)
    return problems


LIVE_TAX_CHECKS = (
    works_out_every_line,
    takes_back_what_it_taxed,
    commits_once,
    keeps_what_was_charged,
    refuses_with_words,
    survives_a_fault_at_every_tax_call,
)


def charged_with(document: TaxDocument, lines: Sequence[LineTaxes], more: int = 0) -> TaxDocument:
    """The document with these taxes on its items; more: minor units on the first tax."""
    by_line = {one.line: one.taxes for one in lines}
    items = []
    for place, item in enumerate(document.items):
        taxes = by_line.get(item.line, ())
        if place == 0 and taxes:
            first = msgspec.structs.replace(taxes[0], amount=taxes[0].amount + more)
            taxes = (first, *taxes[1:])
        items.append(msgspec.structs.replace(item, taxes=taxes))
    return msgspec.structs.replace(document, items=tuple(items))


def _expect(
    problems: list[str], target: TaxTarget, document: TaxDocument, state: str, tax: int
) -> None:
    kept = target.kept(document)
    if kept is not None and kept != (state, tax):
        problems.append(f"{document.code} stands there as {kept}, not as {(state, tax)}")


def _ask(
    target: TaxTarget,
    kind: str,
    document: TaxDocument,
    *,
    transport: Transport | None = None,
    unknown: bool = False,
) -> Receipt:
    """The one receipt; RetryLater becomes a receipt `retry` or `unknown`."""
    command = SubmitDocument(
        key=document.code, id=f"{document.code}/{kind}", kind=kind, entity="us", tax=document
    )
    try:
        (receipt,) = settle(
            target.service(transport or target.transport),
            [Assignment(document=command, unknown=unknown)],
        )
    except RetryLater as later:
        outcome = "unknown" if later.unknown else "retry"
        return Receipt(operation=command.id, outcome=outcome, words=later.words)
    return receipt
