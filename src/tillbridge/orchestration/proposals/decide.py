"""What follows from a proposal: accepted, it becomes a transfer or a paper for the buyers. Pure."""

from __future__ import annotations

from tillbridge.canonical.documents import (
    DocumentAccepted,
    DocumentRefused,
    PurchaseProposalDocument,
    SubmitDocument,
    WantedLine,
)
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.registry import Body
from tillbridge.canonical.stock import StockLine
from tillbridge.canonical.supply import ProposalDecided, ReplenishmentProposed, TransferOrdered
from tillbridge.orchestration.decision import Decision
from tillbridge.orchestration.proposals.state import Proposal, ProposalState, Verdict


def decide(state: ProposalState, body: Body) -> Decision:
    """Fold `body` into `state` (changed in place) and give what follows."""
    decision = Decision([], [], [])
    if not isinstance(body, Fact) or not evolve(state, body):
        return decision
    state.revision += 1
    told, verdict = state.told, state.verdict
    if told is None or verdict is None or not verdict.accepted or state.passed_on:
        return decision
    state.passed_on = True
    if told.kind == "transfer":
        decision.emits.append(_transfer(state.number, told, body))
    else:
        state.document = "owed"
        decision.emits.append(_document(state, told, body))
    return decision


def evolve(state: ProposalState, body: Fact) -> bool:
    """Merge a fact into the state (changed in place); False when it told nothing new."""
    match body:
        case ReplenishmentProposed():
            if state.told is not None:
                return False
            state.number = body.number
            told = (body.kind, body.comes_from, body.location, body.lines, body.occurred_at)
            state.told = Proposal(*told, body.due_at, body.currency)
            return True
        case ProposalDecided():
            return _decided(state, body)
        case DocumentAccepted():
            known = state.document, state.remote
            state.document, state.remote = "accepted", body.number
            return known != (state.document, state.remote)
        case DocumentRefused() if state.document != "accepted":
            known_state, state.document = state.document, "refused"
            return known_state != "refused"
        case _:
            return False


def _decided(state: ProposalState, body: ProposalDecided) -> bool:
    """The first decision stands, by its own time; but a yes is never taken back."""
    told = Verdict(body.accepted, body.occurred_at, body.by, body.reason)
    known = state.verdict
    if known is not None and _rank(known) <= _rank(told):
        return False
    state.number, state.verdict = body.number, told
    return True


def _rank(verdict: Verdict) -> tuple[bool, object, str, str]:
    return (not verdict.accepted, verdict.at, verdict.by, verdict.reason)


def _transfer(number: str, told: Proposal, cause: Fact) -> TransferOrdered:
    key = f"transfer/{number}"
    return TransferOrdered(
        key=key,
        id=f"{key}@1",
        source="hub",
        mapping="hub/1",
        occurred_at=cause.occurred_at,
        business_date=cause.business_date,
        entities=cause.entities,
        transfer=number,
        version="1",
        origin=told.source,
        destination=told.location,
        lines=tuple(
            StockLine(str(n), line.product, line.quantity) for n, line in enumerate(told.lines, 1)
        ),
        due_at=told.due_at,
        asked="replenishment",
    )


def _document(state: ProposalState, told: Proposal, cause: Fact) -> SubmitDocument:
    document = PurchaseProposalDocument(
        number=state.number,
        supplier=told.source,
        location=told.location,
        proposal_date=told.at.date(),
        due_date=told.due_at.date(),
        lines=tuple(WantedLine(line.product, line.quantity) for line in told.lines),
        currency=told.currency,
    )
    return SubmitDocument(
        key=state.key,
        id=f"{state.key}/purchase_proposal",
        kind="purchase_proposal",
        entity=cause.entities.selling,
        purchase_proposal=document,
    )
