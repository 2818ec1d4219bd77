"""A bell: whoever waits for work is woken, one at a time.

Every commit that makes documents tells it once. If that woke all threads that deliver, they would
stand in line for one document; so it wakes one, and who finds work rings for the next.
"""

from __future__ import annotations

import threading


class Bell:
    """Threads of one process wait at it."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rung = False

    def ring(self) -> None:
        """Wake one who waits, or the next who comes to wait; rung twice is rung once."""
        with self._condition:
            self._rung = True
            self._condition.notify()

    def wait(self, seconds: float) -> bool:
        """Until it is rung (True) or the time is over."""
        with self._condition:
            found = self._condition.wait_for(lambda: self._rung, timeout=seconds)
            self._rung = False
            return found
