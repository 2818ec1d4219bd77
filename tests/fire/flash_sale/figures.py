"""The figures of a run: per phase and per second, and the limits they are held to."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from tests.fire.flash_sale import shop
from tests.fire.flash_sale.check import Sold, key_of
from tests.fire.flash_sale.plan import PHASES, Plan
from tests.fire.flash_sale.watch import Backlog, Look
from tests.fire.flash_sale.witness import Fault, Witness
from tillbridge.app.text_table import table

RESERVED = "order reserved"
LIMITS_MS = {
    shop.AVAILABILITY: 100.0,
    shop.RESERVE: 100.0,
    shop.ORDER: 100.0,
    RESERVED: 2_000.0,
}
"""99th percentiles promised for the flash, from the instant at which the asker wanted to ask
(docs/reliability.md).
"""


class Times(msgspec.Struct, kw_only=True):
    """Requests of one route in a phase or second."""

    count: int = 0
    good: int = 0
    refused: int = 0
    faults: int = 0
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    max_ms: float = 0.0


class Second(msgspec.Struct, kw_only=True):
    """One second of the run; left and backlog as at its end."""

    at: int
    arrivals: int = 0
    routes: dict[str, Times] = {}
    left: int = 0
    erp_backlog: int = 0
    flow_backlog: int = 0


class Report(msgspec.Struct, kw_only=True):
    """Everything a run tells. Seconds unless named otherwise."""

    plan: Plan
    phases: dict[str, dict[str, Times]] = {}
    seconds: list[Second] = []
    erp_backlog_most: int = 0
    erp_drained_seconds: float = 0.0
    erp_documents: int = 0
    late_ms: float = 0.0
    sold: Sold = msgspec.field(default_factory=Sold)
    faults: list[Fault] = []
    cases: dict[str, int] = {}
    deadlocks: int = 0
    wrong: list[str] = []
    missed: list[str] = []

    @property
    def right(self) -> bool:
        """Whether counts and books are as they must be, whatever it took."""
        return not (self.wrong or self.sold.wrong or self.faults)


class Sample(msgspec.Struct, frozen=True):
    """A request, however it was timed."""

    route: str
    due: float
    ms: float
    status: int


def samples(witness: Witness, reserved: dict[str, float]) -> list[Sample]:
    """All requests, and for each order how long it took until the stock book had answered it."""
    found = [Sample(one.route, one.due, one.ms, one.status) for one in witness.asked]
    for cart in witness.carts:
        seen = reserved.get(key_of(cart.order)) if cart.taken else None
        if seen is not None:
            found.append(Sample(RESERVED, cart.ordered, (seen - cart.ordered) * 1000, 200))
    return found


def fill(
    report: Report, found: Sequence[Sample], looks: Sequence[Look], backlogs: Sequence[Backlog]
) -> None:
    """Phases, seconds and missed limits."""
    plan = report.plan
    groups: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    seconds: dict[int, dict[str, list[Sample]]] = defaultdict(lambda: defaultdict(list))
    for one in found:
        groups[plan.phase(one.due), one.route].append(one)
        seconds[int(one.due)][one.route].append(one)
    names = (*shop.ROUTES, RESERVED)
    report.phases = {p: {n: _times(groups[p, n]) for n in names} for p in PHASES}
    for at in range(math.ceil(max([plan.end, *(s + 1 for s in seconds)]))):
        routes = {name: _times(rows) for name, rows in sorted(seconds[at].items())}
        asked = sum(times.count for name, times in routes.items() if name != RESERVED)
        second = Second(at=at, arrivals=asked, routes=routes)
        second.left = next((one.left for one in reversed(looks) if one.at < at + 1), 0)
        last = next((one for one in reversed(backlogs) if one.at < at + 1), Backlog(0, 0, 0))
        second.erp_backlog, second.flow_backlog = last.documents, last.records
        report.seconds.append(second)
    report.erp_backlog_most = max((one.documents for one in backlogs), default=0)
    report.missed = _missed(report.phases["flash"])


def _missed(flash: dict[str, Times]) -> list[str]:
    missed = []
    for route, limit in LIMITS_MS.items():
        times = flash[route]
        if not times.count:
            missed.append(f"{route}: nobody asked in the flash")
        elif times.p99_ms > limit:
            missed.append(f"{route}: p99 {times.p99_ms:.0f} ms in the flash, promised {limit:.0f}")
    return missed


def _times(rows: Iterable[Sample]) -> Times:
    found = list(rows)
    if not found:
        return Times()
    times = sorted(one.ms for one in found)
    fine = sum(one.status == shop.GOOD.get(one.route, 200) for one in found)
    refused = sum(one.route in shop.REFUSALS and one.status == shop.REFUSED for one in found)
    return Times(
        count=len(found),
        good=fine,
        refused=refused,
        faults=len(found) - fine - refused,
        p50_ms=_share(times, 0.50),
        p99_ms=_share(times, 0.99),
        max_ms=round(times[-1], 1),
    )


def _share(times: Sequence[float], share: float) -> float:
    return round(times[max(0, math.ceil(share * len(times)) - 1)], 1)


def page(report: Report) -> str:
    """The table for a person."""
    rows: list[list[object]] = []
    for route in (*shop.ROUTES, RESERVED):
        for phase in PHASES:
            times = report.phases[phase][route]
            limit = LIMITS_MS.get(route) if phase == "flash" else None
            rate = f"{times.count / report.plan.seconds:.1f}"
            rows.append(
                [
                    route if phase == PHASES[0] else "",
                    phase,
                    rate,
                    times.good,
                    times.refused,
                    times.faults,
                    f"{times.p50_ms:.1f}",
                    f"{times.p99_ms:.1f}",
                    f"{times.max_ms:.1f}",
                    f"{limit:.0f}" if limit else "",
                ]
            )
    heads = ["", "phase", "per s", "good", "refused", "faults", "p50 ms", "p99 ms", "max ms"]
    lines = [table([*heads, "promised"], rows), ""]
    lines += [f"{name:<34} {value}" for name, value in _sums(report)]
    lines += [f"WRONG   {words}" for words in (*report.wrong, *report.sold.wrong)]
    lines += _faults(report.faults)
    lines += [f"MISSED  {words}" for words in report.missed]
    return "\n".join(lines)


def _faults(faults: Sequence[Fault]) -> list[str]:
    """Each kind of them once, with the first one's words."""
    kinds: dict[tuple[str, int], list[Fault]] = defaultdict(list)
    for one in faults:
        kinds[one.route, one.status].append(one)
    return [
        f"FAULT   {route} {status}, {len(rows)} times, first at {rows[0].due} s: {rows[0].words}"
        for (route, status), rows in sorted(kinds.items())
    ]


def _sums(report: Report) -> list[tuple[str, object]]:
    sold = report.sold
    cases = ", ".join(f"{name} {count}" for name, count in sorted(report.cases.items()))
    return [
        ("pieces offered", sold.offered),
        ("sold at tills, told late", sold.at_tills),
        ("orders of the product on sale", sold.ordered),
        ("of them with stock", sold.held),
        ("of them told short", sold.short),
        ("buyers sent away", sold.sent_away),
        ("pieces left unsold", sold.left),
        ("documents for the ERP", report.erp_documents),
        ("waiting for the ERP at most", report.erp_backlog_most),
        ("ERP drained after, s", report.erp_drained_seconds),
        ("load behind its schedule, ms", round(report.late_ms, 1)),
        ("cases", cases or "-"),
        ("deadlocks, broken and rerun", report.deadlocks),
    ]
