"""Proposals as a machine of the deciding room: what is stored of each."""

from __future__ import annotations

from tillbridge.durable.queries import load
from tillbridge.orchestration.machine import Machine
from tillbridge.orchestration.proposals.decide import decide
from tillbridge.orchestration.proposals.state import ProposalState, status_of

QUERIES = load("tillbridge.orchestration.proposals", "state.sql")


def row(state: ProposalState) -> tuple[object, ...]:
    """Columns beside the state itself."""
    told = state.told
    kind, source, location = (told.kind, told.source, told.location) if told else ("", "", "")
    at, due_at = (told.at, told.due_at) if told else (None, None)
    return (state.number, kind, source, location, status_of(state), at, due_at, state.remote)


PROPOSALS = Machine(
    prefix="proposal",
    state=ProposalState,
    empty=ProposalState,
    decide=decide,
    row=row,
    read=QUERIES.read,
    save=QUERIES.save,
)
