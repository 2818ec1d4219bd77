"""Deliveries in groups: every webhook in flight shares one transaction (`durable/group_writer`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from tillbridge.atoms.clock import Clock
from tillbridge.durable import log
from tillbridge.durable.crash_points import reach
from tillbridge.durable.group_writer import QUEUE_MOST, GroupWriter, Work
from tillbridge.durable.messages import Incoming, Stored, connection_ids, store
from tillbridge.durable.rooms import Connection
from tillbridge.durable.session import connect

STATEMENT_TIMEOUT_MS = 8_000


class IntakeWork(Work[Incoming, Stored]):
    """Body and identity, then the thin record, then COMMIT."""

    what = "delivery"

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def fresh(self) -> None:
        """Ids of connections are read anew."""
        self._numbers = {}

    def commit(self, connection: Connection, asks: Sequence[Incoming]) -> Sequence[Stored]:
        """Store deliveries; the same one again is told as such."""
        missing = {arrival.connection for arrival in asks} - self._numbers.keys()
        if missing:
            found = connection_ids(connection, sorted(missing))
            connection.commit()
            self._numbers.update(found)
        # One pipeline: the bodies travel while the record is made, and the COMMIT follows at once.
        with connection.pipeline():
            stored, records = store(connection, asks, self._numbers)
            reach("intake.before_append")
            log.append(connection, records)
            connection.commit()
        reach("intake.after_commit")
        return stored


class IntakeWriter(GroupWriter[Incoming, Stored]):
    """The group writer of deliveries."""

    def __init__(
        self,
        url: str,
        *,
        threads: int = 1,
        clock: Clock | None = None,
        queue_most: int = QUEUE_MOST,
        connector: Callable[[], Connection] | None = None,
    ) -> None:
        """See GroupWriter; url: the database's address."""
        super().__init__(
            connector
            or (
                lambda: connect(
                    url, name="tillbridge intake", statement_timeout_ms=STATEMENT_TIMEOUT_MS
                )
            ),
            IntakeWork,
            threads=threads,
            clock=clock,
            queue_most=queue_most,
            name="intake",
        )

    def submit(self, ask: Incoming, /, size: int = 0) -> asyncio.Future[Stored]:
        """Queue a delivery, counted by its body."""
        return super().submit(ask, size or len(ask.body))
