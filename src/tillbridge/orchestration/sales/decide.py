"""What follows from a till transaction: nothing twice, nothing changed silently. Pure."""

from __future__ import annotations

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.registry import Body
from tillbridge.canonical.sales import CashMoved, SaleRung, SaleVoided, TillClosed, TillNoted
from tillbridge.orchestration.sales.returns import remembered, returned, voided
from tillbridge.orchestration.sales.state import SaleState, content_hash

TillFact = SaleRung | SaleVoided | CashMoved | TillClosed | TillNoted


def decide(state: SaleState, body: TillFact) -> tuple[bool, tuple[Body, ...]]:
    """Fold a till fact into its state: (whether it goes on to be booked, what follows).

    The same record told again goes no further; the same identity with other content raises
    NeedsDecision: such records are immutable, so somebody has to say which one is true.
    """
    if isinstance(body, SaleVoided):
        return _voided(state, body)
    digest = content_hash(body)
    if state.fact_hash:
        if state.fact_hash == digest:
            return False, ()
        raise NeedsDecision(
            "immutable_changed",
            f"till transaction {body.sequence} of till {body.till} ({body.business_date}) "
            f"was told before with other content",
            owner="stores",
            amount=body.total if isinstance(body, SaleRung) else None,
            currency=body.currency if isinstance(body, SaleRung) else None,
            details={"key": body.key, "known": state.fact_hash.hex(), "told": digest.hex()},
        )
    _learn(state, body, digest)
    back = returned(body) if isinstance(body, SaleRung) else ()
    remembered(state, back)
    return True, (*back, state.pending_void) if state.pending_void is not None else back


def _voided(state: SaleState, body: SaleVoided) -> tuple[bool, tuple[Body, ...]]:
    """A void of a known sale is booked once; one that comes first waits for its sale."""
    if not state.fact_hash:
        state.pending_void = body
        return False, ()
    if state.voided:
        return False, ()
    state.voided = True
    state.pending_void = None
    return True, voided(body, state.returns.told)


def _learn(
    state: SaleState, body: SaleRung | CashMoved | TillClosed | TillNoted, digest: bytes
) -> None:
    state.type = type(body).__name__
    state.fact_hash = digest
    state.source = body.source
    state.location = body.location
    state.till = body.till
    state.business_date = body.business_date
    state.sequence = body.sequence
    if isinstance(body, SaleRung):
        state.receipt = body.receipt
        state.total = body.total
    if isinstance(body, (SaleRung, CashMoved, TillClosed)):
        state.currency = body.currency
