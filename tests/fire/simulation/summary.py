"""What many seeds amount to, and the interesting things that must have happened among them."""

from __future__ import annotations

from collections import Counter

from tests.fire.simulation.world import Result

ENOUGH_SEEDS = 60
SOMETIMES = (
    "two runners contended for lanes",
    "a zombie was fenced off",
    "a lease ran out and became unknown",
    "an unknown outcome was looked up and found",
    "the breaker opened",
    "the breaker closed after a probe",
    "a record queued behind a parked key",
    "a name was given late",
    "a month was locked while it traded",
    "a refused document was sent again",
    "a deadlock was broken",
    "a parked record was replayed",
    "a parked key was replayed by hand",
    "a batch was bisected",
    "poison was given up",
    "a statement waited for a lock",
    "a lock conflict reran a batch",
    "a worker found the store away",
    "the server ended an idle transaction",
    "commit unknown but applied",
    "commit unknown: not applied",
    "intake: new",
    "intake: duplicate",
    "intake: store_away",
    "duplicate refused (file)",
    "a file was read again",
    "a poll brought something new",
    "a poll was put off",
    "schedule journals ran",
    "fault: crash at statement",
    "fault: crash at commit",
    "fault: crash at call",
    "fault: crash at answered",
    "fault: freeze",
    "fault: clock jumped back",
    "fault: clock jumped ahead",
    "fault: ERP away",
    "fault: call late",
    "fault: call unanswered",
    "fault: call garbled",
    "fault: call reject",
    "fault: delivery given up",
    "fault: delivery copied",
    "fault: request lost",
    "fault: answer to the shop lost",
    "a request was answered again",
    "a soft cart ended: expired",
    "a soft cart ended: released",
    "a soft cart ended: short",
    "a soft cart ended: taken_over",
    "a firm cart ended: taken_over",
    "a firm cart ended: short",
    "an order was promised goods out of supply",
    "an order was sourced or served anew",
    "a count corrected the book",
    "a sale was in the count already",
)
"""Over `ENOUGH_SEEDS` seeds each of these fires at least once, else the run proves less than it
seems to: a fault that never happens is no test of it.
"""


class Summary:
    """Counts over seeds."""

    def __init__(self) -> None:
        self.seeds = 0
        self.steps = 0
        self.hours = 0.0
        self.counts: Counter[str] = Counter()
        self.failed: list[int] = []

    def add(self, result: Result) -> None:
        """One seed more."""
        self.seeds += 1
        self.steps += result.steps
        self.hours += result.hours
        self.counts += result.counts
        if result.failures:
            self.failed.append(result.seed)

    @property
    def never(self) -> list[str]:
        """What should have happened and did not, once there were enough seeds."""
        if self.seeds < ENOUGH_SEEDS:
            return []
        return [name for name in SOMETIMES if not self.counts[name]]

    @property
    def ok(self) -> bool:
        """No seed failed, and everything interesting happened."""
        return not self.failed and not self.never

    def failure_lines(self, result: Result) -> list[str]:
        """A failed seed in words, with the command that plays it again."""
        if not result.failures:
            return []
        again = f"make simulate SEEDS=1 FIRST={result.seed}"
        return [
            f"seed {result.seed} FAILS: {result.plan}",
            *(f"  {words}" for words in result.failures),
            f"  again: {again} ARGS='--orders {result.plan.orders}'",
        ]

    def page(self, seconds: float) -> str:
        """The summary."""
        pace = self.seeds / max(seconds, 0.001)
        done = f"{self.seeds} seeds, {self.hours:,.0f} virtual hours, {self.steps:,} steps"
        lines = [f"{done}, {seconds:.1f} s ({pace:.2f} seeds/s)"]
        lines += [f"  {count:>9,}  {name}" for name, count in sorted(self.counts.items())]
        lines += [f"NEVER HAPPENED: {name}" for name in self.never]
        failed = ", ".join(map(str, self.failed)) or "none"
        lines.append(f"failing seeds: {failed}")
        return "\n".join(lines)
