"""The database's time, told by the own clock in between.

Workers on several machines have to agree when a lease ends, a breaker lets one through and a bucket
has refilled. Their wall clocks need not agree, and may jump; so the database is asked now and then,
and the own monotonic clock counts on from its answer.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tillbridge.atoms.clock import Clock
from tillbridge.durable.rooms import Connection

QUICK_SECONDS = 0.5
"""An answer that took longer may be as old as that: it is asked for again."""
TRIES = 5


class AgreedClock:
    """A Clock that all workers of one database share. Until the first `set` it is the own clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._set: tuple[datetime, float] | None = None

    @property
    def known(self) -> bool:
        """Whether the database was asked."""
        return self._set is not None

    def set(self, connection: Connection) -> None:
        """Ask the database for its time. The connection stands outside a transaction around it.

        The process may be stopped between the answer and the look at its own clock, so the answer
        counts from before the question, and the quickest one of a few counts if none was quick.
        """
        quickest, found = float("inf"), self._set
        for _ in range(TRIES):
            asked = self._clock.monotonic()
            row = connection.execute("select now()").fetchone()
            connection.rollback()
            took = self._clock.monotonic() - asked
            if row is not None and took < quickest:
                quickest, found = took, (row[0], asked)
            if quickest <= QUICK_SECONDS:
                break
        self._set = found

    def now(self) -> datetime:
        """The present instant, UTC, with zone."""
        if self._set is None:
            return self._clock.now()
        then, began = self._set
        return then + timedelta(seconds=self._clock.monotonic() - began)

    def monotonic(self) -> float:
        """Seconds that only rise."""
        return self._clock.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""
        self._clock.sleep(seconds)
