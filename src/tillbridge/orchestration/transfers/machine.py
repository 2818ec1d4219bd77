"""Transfers as a machine of the deciding room: what is stored of each."""

from __future__ import annotations

from tillbridge.durable.queries import load
from tillbridge.orchestration.machine import Machine
from tillbridge.orchestration.transfers.decide import decide
from tillbridge.orchestration.transfers.state import TransferState, ends_of, status_of

QUERIES = load("tillbridge.orchestration.transfers", "state.sql")


def row(state: TransferState) -> tuple[object, ...]:
    """Columns beside the state itself."""
    due = state.order.due_at if state.order is not None else None
    return (state.number, *ends_of(state), status_of(state), due, state.hold_version)


TRANSFERS = Machine(
    prefix="transfer",
    state=TransferState,
    empty=TransferState,
    decide=decide,
    row=row,
    read=QUERIES.read,
    save=QUERIES.save,
)
