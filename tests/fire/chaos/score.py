"""The score table of a run: what was done to the hub, what it held, how quickly it recovered."""

from __future__ import annotations

import sys

import msgspec

from tests.fire.chaos.judge import Findings


def say(words: str) -> None:
    """A line for the person who watches."""
    sys.stderr.write(f"{words}\n")
    sys.stderr.flush()


class Score(msgspec.Struct, kw_only=True):
    """Sums over the rounds of a run; times are the worst of them, seconds."""

    seed: int = 0
    minutes: float = 0.0
    rounds: int = 0
    kills: dict[str, int] = {}
    stops: dict[str, int] = {}
    postgres_restarts: int = 0
    sessions_ended: int = 0
    cuts: int = 0
    disk_full: int = 0
    erp_modes: dict[str, int] = {}
    crash_points: dict[str, int] = {}
    skews: dict[str, int] = {}
    skipped: dict[str, str] = {}
    attempted: int = 0
    acked: int = 0
    unknown: int = 0
    recovered: int = 0
    poison: int = 0
    documents: int = 0
    files_lost: int = 0
    lost: int = 0
    altered: int = 0
    unasked: int = 0
    doubled: int = 0
    not_in_erp: int = 0
    not_in_hub: int = 0
    unequal: int = 0
    unbalanced: int = 0
    stuck: int = 0
    poison_without_case: int = 0
    lies: int = 0
    drain_seconds_worst: float = 0.0
    postgres_back_seconds_worst: float = 0.0
    healthy_p95_seconds: float | None = None
    poisoned_p95_seconds: float | None = None
    drain_share_of_allowed: float | None = None

    def add(self, found: Findings) -> None:
        """One round's findings."""
        self.rounds += 1
        for name in ("attempted", "acked", "unknown", "recovered", "poison", "documents"):
            setattr(self, name, getattr(self, name) + getattr(found, name))
        for name, rows in found.faults.items():
            setattr(self, name, getattr(self, name) + len(rows))
        self.drain_seconds_worst = max(self.drain_seconds_worst, found.drain_seconds)

    def count(self, table: str, name: str) -> None:
        """One more of something that is told by name."""
        counts: dict[str, int] = getattr(self, table)
        counts[name] = counts.get(name, 0) + 1

    @property
    def clean(self) -> bool:
        """Whether nothing was lost, doubled, unbalanced, stuck or untrue."""
        wrong = (self.lost, self.altered, self.unasked, self.doubled, self.files_lost)
        books = (self.not_in_erp, self.not_in_hub, self.unequal, self.unbalanced)
        return not any((*wrong, *books, self.stuck, self.poison_without_case, self.lies))

    def page(self) -> str:
        """The table for a person."""
        lines = []
        for name, value in msgspec.to_builtins(self).items():
            shown = value
            if isinstance(value, dict):
                shown = ", ".join(f"{key} {count}" for key, count in sorted(value.items())) or "-"
            lines.append(f"{name.replace('_', ' '):<30} {'-' if shown is None else shown}")
        return "\n".join(lines)
