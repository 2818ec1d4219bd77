"""Webhook subscriptions that a vendor deleted: made again, or a case when the token may not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import structlog

from tillbridge.atoms.errors import NeedsDecision, Refused, RetryLater
from tillbridge.contract.promises import Connection as Source
from tillbridge.contract.promises import Subscribes
from tillbridge.contract.transport import Transport
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.findings import settle

_log = structlog.get_logger("sweeps")


def keep_subscribed(
    connection: Connection,
    connector: Subscribes,
    source: Source,
    secrets: Mapping[str, str],
    transport: Transport,
    now: datetime,
) -> tuple[str, ...]:
    """Topics that had to be subscribed to again. A busy vendor is asked at the next time.

    The database connection stands outside of a transaction before and after.
    """
    key = f"subscriptions/{source.name}"
    found: dict[str, NeedsDecision] = {}
    made: tuple[str, ...] = ()
    try:
        made = connector.subscribe(source, secrets, transport)
    except RetryLater as later:
        _log.warning("subscriptions_not_seen", connection=source.name, why=later.words)
        return ()
    except (Refused, NeedsDecision) as problem:
        words = f"the webhook subscriptions of {source.name} cannot be kept: {problem.words}"
        found[key] = NeedsDecision("subscription_missing", words)
    if made:
        _log.warning("subscribed_again", connection=source.name, topics=list(made))
    settle(connection, "subscription_missing", found, now, checked={key})
    connection.commit()
    return made
