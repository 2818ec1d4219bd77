"""What can go wrong at the sandbox ERP on request: a script of faults, a token bucket, a door.

A fault is one of
- `refuse`   every document of the call is refused with the given words, nothing is applied
- `error`    500, nothing is applied
- `throttle` 429 with Retry-After, nothing is applied
- `busy`     503 with Retry-After, nothing is applied
- `drop`     the connection is cut before anything is applied
- `hang`     no answer for `seconds`, then cut; nothing is applied
- `slow`     applied at once, answered after `seconds`
- `lost`     applied, but the connection is cut instead of an answer
- `late`     answered never; applied `seconds` after the call (the hardest one: no look-up made in
             between can see it)
for the next `count` calls, or for every call with `probability` by `seed` until cleared.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from tillbridge.atoms.clock import Clock
from tillbridge.atoms.ids import SeededIds
from tillbridge.connectors.sandbox.loopback import CUT, Answer

FaultKind = Literal["refuse", "error", "throttle", "busy", "drop", "hang", "slow", "lost", "late"]


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of the script.

    count: how many calls it hits, None = no end. on: `create` (default), `read` or `any` calls.
    skip: calls let through before the first hit. seconds: for hang, slow and late, and the
    Retry-After of throttle and busy. words: for refuse.
    """

    do: FaultKind
    count: int | None = 1
    on: Literal["create", "read", "any"] = "create"
    skip: int = 0
    probability: float = 1.0
    seed: int = 0
    seconds: float = 1.0
    words: str = "the document is refused by the fault script"


def suffered(
    fault: Fault | None,
    refusals: Mapping[FaultKind, Callable[[], Answer]],
    apply: Callable[[], Answer],
    stopping: threading.Event,
) -> Answer:
    """The answer as a fault makes it; without one, what `apply` answers.

    refusals: the vendor's own words for faults that apply nothing (refuse, error, throttle, busy).
    stopping: set when the simulator ends, so that nobody waits for it.
    """
    if fault is None:
        return apply()
    if fault.do in refusals:
        return refusals[fault.do]()
    if fault.do == "slow":
        answer = apply()
        stopping.wait(fault.seconds)
        return answer
    if fault.do == "lost":
        apply()
    elif fault.do in ("hang", "late"):
        stopped = stopping.wait(fault.seconds)
        if fault.do == "late" and not stopped:
            apply()
    return CUT


class FaultScript:
    """The faults in force, asked once per call; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: list[_Line] = []
        self.hits = 0

    def add(self, fault: Fault) -> None:
        """Append a fault; the first one that applies to a call wins."""
        with self._lock:
            self._lines.append(_Line(fault))

    def clear(self) -> None:
        """Take all faults back."""
        with self._lock:
            self._lines.clear()

    def draw(self, kind: str) -> Fault | None:
        """The fault that hits this call (`create` or `read`), or None."""
        with self._lock:
            for line in self._lines:
                if line.hits(kind):
                    self.hits += 1
                    return line.fault
        return None

    def pending(self) -> list[Fault]:
        """Faults that can still hit."""
        with self._lock:
            return [line.fault for line in self._lines if line.left != 0]


class _Line:
    """A fault with what is left of it."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.left = -1 if fault.count is None else fault.count
        self._skip = fault.skip
        self._ids = SeededIds(fault.seed)

    def hits(self, kind: str) -> bool:
        fault = self.fault
        if self.left == 0 or fault.on not in ("any", kind):
            return False
        if self._skip > 0:
            self._skip -= 1
            return False
        if fault.probability < 1.0 and self._ids.jitter() >= fault.probability:
            return False
        if self.left > 0:
            self.left -= 1
        return True


class TokenBucket:
    """Calls per second with a burst; tells how long to wait when empty."""

    def __init__(self, clock: Clock, rate: float, burst: float) -> None:
        """rate: tokens per second. burst: how many may be saved up."""
        self._clock = clock
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = clock.monotonic()
        self._lock = threading.Lock()

    def take(self) -> float:
        """Take one token: 0.0, or the seconds until there is one (nothing taken)."""
        with self._lock:
            now = self._clock.monotonic()
            self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
            self._at = now
            if self._tokens >= 1.0:
                self._tokens -= 1.0
                return 0.0
            return (1.0 - self._tokens) / self._rate
