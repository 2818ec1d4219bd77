"""How the long steps of the ERP's bring-up are told, and how their times are kept."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from tillbridge.atoms.clock import Clock, SystemClock

# A step's name, how much of it is done, how much there is; for a progress bar.
Progress = Callable[[str, int, int], None]


def silent(step: str, done: int, total: int) -> None:
    """Tells nobody."""


class ErpError(Exception):
    """The ERP beside the hub cannot be had; its words say why and what to do."""


class NotInstallable(ErpError):
    """Its packages cannot be had on this machine (no network, no mirror)."""


class Step(msgspec.Struct, frozen=True):
    """A finished step and the seconds it took."""

    name: str
    seconds: float


class Watch:
    """Times steps one after the other."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._since = self._clock.monotonic()
        self.steps: list[Step] = []

    def lap(self, name: str) -> None:
        """The step that ran since the last lap is over."""
        now = self._clock.monotonic()
        self.steps.append(Step(name, round(now - self._since, 2)))
        self._since = now
