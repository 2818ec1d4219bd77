"""Time comes through a port, so that a simulation can drive the whole hub."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Where time comes from: the wall clock in production, a virtual one in a simulation."""

    def now(self) -> datetime:
        """The present instant, UTC, with zone."""

    def monotonic(self) -> float:
        """Seconds that only rise; for durations."""

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present instant, UTC, with zone."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that only rise."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""
        time.sleep(seconds)


class FixedClock:
    """A clock that stands still until it is told to move (tests and simulation)."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._elapsed = 0.0

    def now(self) -> datetime:
        """The instant it was set to."""
        return self._now

    def monotonic(self) -> float:
        """Seconds advanced so far."""
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        """Advance by that many seconds at once."""
        self._now += timedelta(seconds=seconds)
        self._elapsed += seconds
