"""A proposal is accepted once, whatever comes first, and becomes one transfer or one document."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

from tillbridge.canonical.documents import DocumentAccepted, DocumentRefused, SubmitDocument
from tillbridge.canonical.fact import Entities, Fact
from tillbridge.canonical.registry import Body
from tillbridge.canonical.supply import (
    ProposalDecided,
    ProposedLine,
    ReplenishmentProposed,
    TransferOrdered,
)
from tillbridge.orchestration.proposals.decide import decide
from tillbridge.orchestration.proposals.state import ProposalState, status_of

KEY = "proposal/R1"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def about(name: str, minutes: int = 0) -> dict[str, Any]:
    at = NOON + timedelta(minutes=minutes)
    return {
        "key": KEY,
        "id": f"{KEY}/{name}",
        "source": "hub",
        "mapping": "hub/1",
        "occurred_at": at,
        "business_date": at.date(),
        "entities": Entities(selling="us"),
    }


def proposed(kind: str = "transfer") -> ReplenishmentProposed:
    lines = (ProposedLine(product="p", quantity=6000), ProposedLine(product="q", quantity=2000))
    return ReplenishmentProposed(
        **about("proposed"), number="R1", kind=kind, comes_from="wh", location="store",
        lines=lines, due_at=NOON, currency="USD",
    )  # fmt: skip


def decided(minutes: int, *, accepted: bool = True) -> ProposalDecided:
    told: dict[str, Any] = {"number": "R1", "accepted": accepted, "by": f"pat{minutes}"}
    return ProposalDecided(**about(f"decided/{minutes}", minutes), **told)


def tell(*facts: Fact) -> tuple[ProposalState, list[Body]]:
    state, emitted = ProposalState(KEY), list[Body]()
    for fact in facts:
        emitted += decide(state, fact).emits
    return state, emitted


def test_an_accepted_proposal_is_one_transfer_in_any_order_of_telling() -> None:
    told = (proposed(), decided(1), decided(2), proposed(), decided(3, accepted=False))
    ends = set()
    for order in permutations(told):
        state, emitted = tell(*order)
        (one,) = emitted
        assert isinstance(one, TransferOrdered)
        assert (one.origin, one.destination, one.asked) == ("wh", "store", "replenishment")
        assert [(line.product, line.quantity) for line in one.lines] == [("p", 6000), ("q", 2000)]
        verdict = state.verdict
        ends.add((status_of(state), one.key, verdict.by if verdict else ""))
    assert ends == {("ordered", "transfer/R1", "pat1")}


def test_a_rejected_proposal_leads_to_nothing() -> None:
    state, emitted = tell(proposed(), decided(1, accepted=False))
    assert (status_of(state), emitted) == ("rejected", [])


def test_a_purchase_is_ordered_once_the_erp_took_its_document() -> None:
    state, emitted = tell(proposed("purchase"), decided(1))
    (one,) = emitted
    assert isinstance(one, SubmitDocument)
    document = one.purchase_proposal
    assert document is not None
    assert (document.supplier, document.location, document.currency) == ("wh", "store", "USD")
    assert status_of(state) == "accepted"
    told: dict[str, Any] = {"operation": one.id, "kind": one.kind, "destination": "erp"}
    decide(state, DocumentRefused(**about("no"), **told, words="no"))
    assert status_of(state) == "accepted"
    decide(state, DocumentAccepted(**about("yes"), **told, remote_id="7", number="PP7"))
    decide(state, DocumentRefused(**about("late"), **told, words="no"))
    assert (status_of(state), state.remote) == ("ordered", "PP7")
