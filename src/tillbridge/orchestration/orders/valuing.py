"""What every valued fact that an order's decider publishes has alike. Pure."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from tillbridge.canonical.orders import Order
from tillbridge.orchestration.orders.state import OrderState

MAPPING = "hub/1"


class When(msgspec.Struct, frozen=True):
    """When the thing happened that set this off: instant (UTC) and business day."""

    occurred_at: datetime
    business_date: date


def about(state: OrderState, order: Order, when: When, step: str) -> dict[str, Any]:
    """The common fields of the next valued fact of a kind of step, which gets its number here."""
    return {
        "key": state.key,
        "id": f"{state.key}/{step}/{state.step(step)}",
        "source": "hub",
        "mapping": MAPPING,
        "occurred_at": when.occurred_at,
        "business_date": when.business_date,
        "entities": state.entities,
        "currency": order.currency,
        "order": state.key,
        "channel": order.channel,
    }
