"""What is asked of a tax service for one document: always what is wanted less what stands. Pure.

Told twice has one effect: a wish that is the last one again asks nothing. An operation is numbered
once and keeps its number however often it is tried.
"""

from __future__ import annotations

from tillbridge.canonical.documents import DocumentAccepted, DocumentRefused, SubmitDocument
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.orders import TaxLine
from tillbridge.canonical.registry import Body
from tillbridge.canonical.taxes import (
    ADJUST,
    CALCULATE,
    COMMIT,
    RECORD,
    VOID,
    TaxAsked,
    TaxCalculated,
    TaxDocument,
    TaxRefused,
)
from tillbridge.orchestration.decision import Decision
from tillbridge.orchestration.taxes.state import (
    ASKED,
    CALCULATED,
    COMMITTED,
    REFUSED,
    VOIDED,
    TaxState,
)

MAPPING = "hub/1"
_REACHED = {CALCULATE: CALCULATED, RECORD: COMMITTED, COMMIT: COMMITTED, ADJUST: COMMITTED,
            VOID: VOIDED}  # fmt: skip


def decide(state: TaxState, body: Body) -> Decision:
    """Fold `body` into `state` (changed in place) and give what follows."""
    decision = Decision([], [], [])
    match body:
        case TaxAsked():
            decision.emits += _asked(state, body)
        case DocumentAccepted():
            decision.emits += _accepted(state, body)
        case DocumentRefused():
            decision.emits += _refused(state, body)
        case _:
            pass
    return decision


def _asked(state: TaxState, body: TaxAsked) -> list[Body]:
    if (body.goal, body.digest) == (state.goal, state.digest):
        return []
    if body.goal == "voided" and not state.kept and state.state != ASKED:
        return []
    state.revision += 1
    kind = _kind(state, body)
    state.order, state.subject = body.order, body.subject
    state.service, state.entity = body.service, body.entity
    state.goal, state.digest, state.document = body.goal, body.digest, body.document
    state.state, state.kind, state.words = ASKED, kind, ""
    state.kept = state.kept or body.document.recorded
    state.n += 1
    operation = f"{state.key}/{state.n}"
    state.about[operation] = body.digest
    return [
        SubmitDocument(
            key=state.key,
            id=operation,
            kind=kind,
            entity=body.entity,
            connection=body.service,
            tax=body.document,
        )
    ]


def _kind(state: TaxState, body: TaxAsked) -> str:
    if body.goal == "voided":
        return VOID
    if body.goal == "calculated":
        return CALCULATE
    if state.state == CALCULATED and state.kept and _as_answered(body.document, state):
        return COMMIT
    return ADJUST if state.state == COMMITTED else RECORD


def _as_answered(document: TaxDocument, state: TaxState) -> bool:
    """Whether a document is of the lines that were worked out, with the taxes that came of it."""
    asked = state.document
    if asked is None:
        return False
    told = {item.line: (item.quantity, _amounts(item.taxes)) for item in document.items}
    known = {one.line: _amounts(one.taxes) for one in state.answered}
    return told == {item.line: (item.quantity, known.get(item.line)) for item in asked.items}


def _amounts(taxes: tuple[TaxLine, ...]) -> dict[tuple[str, str], int]:
    amounts: dict[tuple[str, str], int] = {}
    for tax in taxes:
        place = (tax.jurisdiction, tax.code)
        amounts[place] = amounts.get(place, 0) + tax.amount
    return {place: amount for place, amount in amounts.items() if amount}


def _accepted(state: TaxState, body: DocumentAccepted) -> list[Body]:
    if body.operation not in state.about:
        return []
    if body.operation == f"{state.key}/{state.n}":
        if state.state not in (ASKED, REFUSED):
            return []
        state.state, state.words = _REACHED[body.kind], ""
    state.revision += 1
    if body.kind != CALCULATE:
        return []
    state.answered = body.taxes
    return [
        TaxCalculated(
            key=state.order,
            id=f"{body.operation}/calculated",
            source="hub",
            mapping=MAPPING,
            occurred_at=body.occurred_at,
            business_date=body.business_date,
            entities=Entities(selling=state.entity),
            document=state.key,
            subject=state.subject,
            digest=state.about[body.operation],
            currency="" if state.document is None else state.document.currency,
            lines=body.taxes,
        )
    ]


def _refused(state: TaxState, body: DocumentRefused) -> list[Body]:
    """Refused for good, until a person mends the cause and has the same operation tried again."""
    if body.operation != f"{state.key}/{state.n}" or state.state != ASKED:
        return []
    state.revision += 1
    state.state, state.words = REFUSED, body.words
    if body.kind != CALCULATE:
        return []
    return [
        TaxRefused(
            key=state.order,
            id=body.id + "/tax",
            source="hub",
            mapping=MAPPING,
            occurred_at=body.occurred_at,
            business_date=body.business_date,
            entities=Entities(selling=state.entity),
            document=state.key,
            subject=state.subject,
            digest=state.digest,
            words=body.words,
        )
    ]


def tax_of(state: TaxState) -> int:
    """Tax of the document in minor units, in its own direction: as charged, else as worked out."""
    if state.goal == "committed" and state.document is not None:
        return state.document.tax
    return sum(tax.amount for one in state.answered for tax in one.taxes)
