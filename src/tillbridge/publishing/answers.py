"""What an answer of the other side becomes: a fact for the log, a case for a person. Pure."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.documents import DocumentAccepted, DocumentRefused, SubmitDocument
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.registry import decode
from tillbridge.canonical.returns import RefundIssued
from tillbridge.canonical.taxes import CALCULATE
from tillbridge.contract.promises import Receipt
from tillbridge.durable import jobs, parking
from tillbridge.durable.rooms import Record

MAPPING = "hub/1"


def command_of(one: jobs.Claimed) -> SubmitDocument:
    """The document a job holds."""
    body = decode(one.type, one.version, one.body)
    if not isinstance(body, SubmitDocument):
        raise TypeError(f"job {one.op} holds a {one.type}")
    return body


def answer_of(receipt: Receipt) -> jobs.Answer:
    """What is kept on the document."""
    return jobs.Answer(
        receipt.operation,
        receipt.outcome,
        remote_id=receipt.remote_id,
        number=receipt.number,
        move=receipt.move,
        move_total=receipt.move_total,
    )


def fact_of(
    one: jobs.Claimed, command: SubmitDocument, receipt: Receipt, destination: str, now: datetime
) -> Record:
    """DocumentAccepted or DocumentRefused under the key that asked for the document."""
    day = day_of(command, now)
    entities = Entities(selling=command.entity)
    body: DocumentAccepted | DocumentRefused
    if receipt.outcome == "accepted":
        body = DocumentAccepted(
            key=command.key,
            id=f"{command.id}/accepted",
            source="hub",
            mapping=MAPPING,
            occurred_at=now,
            business_date=day,
            entities=entities,
            operation=command.id,
            kind=command.kind,
            destination=destination,
            remote_id=receipt.remote_id,
            number=receipt.number,
            move=receipt.move,
            move_total=receipt.move_total,
            taxes=receipt.taxes,
            answer=receipt.answer,
            words=receipt.words if receipt.answer else "",
        )
    else:
        body = DocumentRefused(
            key=command.key,
            id=f"{command.id}/refused/{one.attempts}",
            source="hub",
            mapping=MAPPING,
            occurred_at=now,
            business_date=day,
            entities=entities,
            operation=command.id,
            kind=command.kind,
            destination=destination,
            words=receipt.words,
        )
    name = type(body).__name__
    return Record(key=command.key, type=name, body=body, lane=lane_of(command.key), trace=one.trace)


def told_by(
    one: jobs.Claimed, command: SubmitDocument, receipt: Receipt, now: datetime
) -> list[Record]:
    """What an acceptance tells besides: a refund the channel made at our word is a refund of its
    own, with its id and its transactions. Its own later telling is the newer one.
    """
    document = command.refund
    if document is None or receipt.outcome != "accepted":
        return []
    body = RefundIssued(
        key=command.key,
        id=f"{command.id}/made",
        source="hub",
        mapping=MAPPING,
        occurred_at=now,
        business_date=day_of(command, now),
        entities=Entities(selling=command.entity),
        refund=receipt.remote_id,
        version="",
        currency=document.currency,
        lines=document.lines,
        adjustments=document.adjustments,
        payments=receipt.payments,
    )
    lane = lane_of(command.key)
    return [Record(key=command.key, type="RefundIssued", body=body, lane=lane, trace=one.trace)]


def case_of(command: SubmitDocument, receipt: Receipt, destination: str) -> parking.CaseOpened:
    """The case for a refused document, in the other side's words."""
    record = Record(key=command.key, type="SubmitDocument", body=command, lane=lane_of(command.key))
    if command.tax is not None:
        return parking.CaseOpened("publishing", record, _tax_case(command, receipt, destination))
    decision = NeedsDecision(
        "document_refused",
        f"{destination} refused {command.kind} {command.id}: {receipt.words}",
        owner="finance" if command.kind == "journal" else "integration",
        remedy="mend the cause, then: tillbridge cases replay CASE",
        amount=getattr(command.body, "total", None),
        currency=getattr(command.body, "currency", ""),
        details={
            "operation": command.id,
            "destination": destination,
            "words": receipt.words,
        },
    )
    return parking.CaseOpened("publishing", record, decision)


def _tax_case(command: SubmitDocument, receipt: Receipt, destination: str) -> NeedsDecision:
    """What a tax service will not do: work out the tax of a return, that of an order, or keep what
    was charged. Its words name the line.
    """
    document = command.tax
    if document is None:
        raise TypeError(f"{command.id} is no tax document")
    words = f"{destination} refused {command.kind} of order {document.number}: {receipt.words}"
    told: dict[str, Any] = {
        "remedy": f"{receipt.remedy or 'mend the cause'}, then: tillbridge cases replay CASE",
        "amount": abs(document.amount),
        "currency": document.currency,
        "details": {
            "operation": command.id,
            "destination": destination,
            "words": receipt.words,
            "document": document.code,
        },
    }
    if command.kind != CALCULATE:
        return NeedsDecision("tax_document_refused", words, owner="finance", **told)
    if document.direction == "return":
        return NeedsDecision("tax_recalculation_failed", words, owner="finance", **told)
    return NeedsDecision("tax_calculation_failed", words, owner="finance", **told)


def day_of(command: SubmitDocument, now: datetime) -> date:
    """The document's own day."""
    for name in (
        "invoice_date", "journal_date", "order_date", "cancel_date", "goods_date", "document_date",
        "request_date",
    ):  # fmt: skip
        day = getattr(command.body, name, None)
        if isinstance(day, date):
            return day
    return now.date()
