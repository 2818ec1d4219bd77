"""What follows from a till transaction: nothing twice, nothing changed silently. Pure."""

from __future__ import annotations

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.registry import Body
from tillbridge.canonical.sales import CashMoved, SaleRung, SaleVoided, TillClosed, TillNoted
from tillbridge.orchestration.sales import aisle, returns
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
    ordered = aisle.aisle_of(body) if isinstance(body, SaleRung) else None
    _learn(state, body, digest)
    back = returns.returned(body) if isinstance(body, SaleRung) else ()
    returns.remembered(state, back)
    state.aisle = ordered
    told: tuple[Body, ...] = back
    if ordered is not None:
        told = (*ordered.placed, *ordered.given_up, *back)
    return True, told if state.pending_void is None else (*told, state.pending_void)


def _voided(state: SaleState, body: SaleVoided) -> tuple[bool, tuple[Body, ...]]:
    """A void of a known sale is booked once; one that comes first waits for its sale."""
    if not state.fact_hash:
        state.pending_void = body
        return False, ()
    if state.voided:
        return False, ()
    state.voided = True
    state.pending_void = None
    told: tuple[Body, ...] = returns.voided(body, state.returns.told)
    return True, told if state.aisle is None else (*aisle.voided(state.aisle, body), *told)


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
