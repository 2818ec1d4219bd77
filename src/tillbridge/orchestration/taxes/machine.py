"""Tax documents as a machine of the deciding room: what is stored of each."""

from __future__ import annotations

from tillbridge.durable.queries import load
from tillbridge.orchestration.machine import Machine
from tillbridge.orchestration.taxes.decide import decide, tax_of
from tillbridge.orchestration.taxes.state import PREFIX, TaxState

QUERIES = load("tillbridge.orchestration.taxes", "state.sql")


def row(state: TaxState) -> tuple[object, ...]:
    """Columns beside the state itself."""
    document = state.document
    told = ("", "", 0)
    if document is not None:
        told = (document.direction, document.currency, document.amount)
    where = (state.order, state.subject, state.state, state.service, state.entity)
    return (*where, *told, tax_of(state), state.words)


TAXES = Machine(
    prefix=PREFIX,
    state=TaxState,
    empty=TaxState,
    decide=decide,
    row=row,
    read=QUERIES.read,
    save=QUERIES.save,
)
