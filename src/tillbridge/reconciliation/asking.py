"""One page from a source within its account's budget, waiting a little for who comes first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import psycopg
import structlog

from tillbridge.atoms.clock import Clock
from tillbridge.atoms.errors import NeedsDecision, Refused, RetryLater
from tillbridge.contract.transport import Transport
from tillbridge.durable import accounts
from tillbridge.durable.rooms import Connection

PATIENCE_SECONDS = 60
"""A page waits so long for its account; then it is tried again later."""
_log = structlog.get_logger("reconciliation")
T = TypeVar("T")


def asked(
    connection: Connection,
    name: str,
    what: str,
    transport: Transport,
    clock: Clock,
    leases: accounts.Leases,
    call: Callable[[Transport], T],
) -> T:
    """What a source answers. The database connection stands outside of a transaction meanwhile.

    what: what is asked for, in words for a person. Raises RetryLater, Refused and NeedsDecision as
    the source does; a connector's defect is Refused.
    """
    since = clock.now()
    for _ in range(PATIENCE_SECONDS):
        with accounts.polling(connection, name, transport, clock, leases, since) as way_out:
            if way_out is not None:
                return _tried(name, what, way_out, call)
        clock.sleep(1.0)
    raise RetryLater("the account is paused, away, or busy with what comes first")


def _tried(name: str, what: str, transport: Transport, call: Callable[[Transport], T]) -> T:
    try:
        return call(transport)
    except (RetryLater, NeedsDecision, Refused, psycopg.Error):  # the way out asks the store
        raise
    except Exception as problem:  # noqa: BLE001 - a connector's defect stops one comparison only
        _log.exception("source_defect", connection=name, what=what)
        words = f"{what} could not be read: {type(problem).__name__}: {problem}"
        raise Refused(words[:500], code="defect") from None
