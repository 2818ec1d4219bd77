"""Which promises a connector signs: those whose methods it has."""

from __future__ import annotations

from typing import Any

from tillbridge.contract.ledgers import TellsLedger
from tillbridge.contract.promises import (
    ChecksConnection,
    Delivers,
    Lists,
    Polls,
    PublishesAvailability,
    ReadsFiles,
    ReadsSettlements,
    ReceivesWebhooks,
    Rereads,
    Subscribes,
    Taxes,
    TellsStock,
    Translates,
)
from tillbridge.contract.totals import StatesTotals

PROMISES: tuple[type[Any], ...] = (
    Translates,
    ReceivesWebhooks,
    ReadsFiles,
    ReadsSettlements,
    StatesTotals,
    Polls,
    Lists,
    Subscribes,
    Rereads,
    Delivers,
    Taxes,
    PublishesAvailability,
    TellsStock,
    TellsLedger,
    ChecksConnection,
)


def promises_of(connector: object) -> tuple[str, ...]:
    """Names of the promises a connector signs, by looking at it."""
    return tuple(promise.__name__ for promise in PROMISES if isinstance(connector, promise))
