"""What was agreed for one order, and which line of the workspace's policies says so."""

from __future__ import annotations

from typing import Any

import msgspec

from tillbridge.app.channel_policies import policies_of
from tillbridge.app.settings import Workspace
from tillbridge.durable.rooms import Connection
from tillbridge.orchestration.orders.state import OrderState
from tillbridge.orchestration.terms import OrderTerms, whom

_STATE = b"select body from order_state where key = %b"


class Term(msgspec.Struct, frozen=True):
    """One term: its name, what it is, and `file:line` of the policy; "" when nothing is written
    and the program's own default counts.
    """

    name: str
    value: Any
    place: str


def terms_told(connection: Connection, workspace: Workspace, key: str) -> list[Term]:
    """All terms of an order; [] for a key that is none, or whose order was not told yet."""
    row = connection.execute(_STATE, (key,)).fetchone()
    if row is None:
        return []
    state = msgspec.json.decode(row[0], type=OrderState)
    if state.order is None:
        return []
    policies, entity = policies_of(workspace), state.entities.selling
    brand = policies.of(state.order.channel, entity).brand
    said = dict(policies.sale.said(whom(state.order, entity, brand)))
    usual = OrderTerms()
    return [
        Term(name, *said.get(name, (getattr(usual, name), "")))
        for name in OrderTerms.__struct_fields__
    ]
