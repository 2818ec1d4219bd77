"""Back-pressure: what the hub fetches by itself waits while the flow is far behind.

Above a number of records not carried, polls and drop folders wait until half of it is left; the two
marks keep them from starting and stopping all the time. Webhooks cannot wait: intake takes them in,
and refuses for a moment when its own queue is full.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from tillbridge.atoms.clock import Clock
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load("tillbridge.inbox", "backpressure.sql", "judge", "held_back")
LOOK_SECONDS = 1.0
CONSUMER = "flow"


Asked = Callable[[Connection], bool]


def never(_connection: Connection) -> bool:
    """For those whom a person has asked to work: they do not wait."""
    return False


class Backpressure:
    """Asked often, looks once a second; for many threads, each with a connection of its own."""

    def __init__(self, clock: Clock, most: int) -> None:
        """most: records that may wait for the flow; 0 = any number."""
        self._clock = clock
        self._most = most
        self._looked = float("-inf")
        self._held_back = False
        self._released = threading.Event()

    def held_back(self, connection: Connection) -> bool:
        """Whether to wait now. The connection stands outside a transaction before and after."""
        now = self._clock.monotonic()
        if self._most and now - self._looked >= LOOK_SECONDS:
            given = {"consumer": CONSUMER, "most": self._most, "now": self._clock.now()}
            connection.execute(QUERIES.judge, given)
            self._held_back = connection.execute(QUERIES.held_back).fetchone() == (True,)
            connection.commit()
            self._looked = now
        return self._held_back

    def wait(self, connection: Connection) -> None:
        """Wait as long as needed, in the middle of a file; not when told to release."""
        while self.held_back(connection) and not self._released.is_set():
            self._clock.sleep(LOOK_SECONDS)

    def release(self) -> None:
        """Let go whoever waits, because the process ends."""
        self._released.set()
