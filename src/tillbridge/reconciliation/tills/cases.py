"""What is wrong with the tills as cases of the stores; each closes by itself when it is mended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import key_of
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.findings import Settled, settle
from tillbridge.reconciliation.tills.health import Health, StoreHealth
from tillbridge.reconciliation.tills.numbers import Run, shown
from tillbridge.reconciliation.tills.rules import Expected
from tillbridge.reconciliation.tills.sequences import Gap

RUNS_NAMED = 10
DAYS_NAMED = 7
Found = tuple[str, NeedsDecision]


def tell(connection: Connection, found: Health, expected: Expected, now: datetime) -> Settled:
    """Open and close the cases of gaps, closes and store days. The caller commits."""
    stores = found.stores
    gaps = dict(_gap_cases(stores, expected, now))
    closes = dict(_close_cases(stores))
    days = dict(_day_cases(stores))
    settled = [
        settle(connection, "till_sequence_gap", gaps, now),
        settle(connection, "till_close_missing", closes, now),
        settle(connection, "store_day_missing", days, now),
    ]
    return Settled(sum(one.opened for one in settled), sum(one.closed for one in settled))


def _gap_cases(stores: Iterable[StoreHealth], expected: Expected, now: datetime) -> Iterator[Found]:
    """One case per till and business day, over all of its gaps that are old enough."""
    by_day: dict[str, list[Gap]] = {}
    for store in stores:
        patience = timedelta(hours=expected.of(store.source).gap_hours)
        for gap in (*store.gaps, *(gap for till in store.tills for gap in till.gaps)):
            if gap.missing > gap.waiting and now - gap.noticed_at >= patience:
                by_day.setdefault(_key(gap), []).append(gap)
    for key, found in by_day.items():
        first = found[0]
        numbers = [shown(Run(gap.first, gap.last)) for gap in found]
        count = sum(gap.missing - gap.waiting for gap in found)
        who = f"till {first.till}" if first.till else "the tills"
        named = ", ".join(numbers[:RUNS_NAMED]) + (" ..." if len(numbers) > RUNS_NAMED else "")
        yield (
            key,
            NeedsDecision(
                "till_sequence_gap",
                f"{who} of {first.location} on {first.business_date}: {count} transaction(s) "
                f"never came, number {named}",
                owner="stores",
                details={"finding": ", ".join(numbers), "connection": first.source},
            ),
        )


def _key(gap: Gap) -> str:
    day = gap.business_date.isoformat()
    return key_of("till", gap.source, gap.location, gap.till or "all", day)


def _close_cases(stores: Iterable[StoreHealth]) -> Iterator[Found]:
    for store in stores:
        for till in store.tills:
            for day in till.unclosed:
                yield (
                    key_of("till", store.source, store.location, till.till, day.isoformat()),
                    NeedsDecision(
                        "till_close_missing",
                        f"till {till.till} of {store.location} traded on {day}; "
                        f"its close never came",
                        owner="stores",
                        details={"connection": store.source},
                    ),
                )


def _day_cases(stores: Iterable[StoreHealth]) -> Iterator[Found]:
    """One case per store, however long it is silent."""
    for store in stores:
        if not store.absent_days:
            continue
        days = [day.isoformat() for day in store.absent_days]
        named = ", ".join(days[-DAYS_NAMED:])
        yield (
            key_of("store", store.source, store.location),
            NeedsDecision(
                "store_day_missing",
                f"nothing was heard of {store.location} for {len(days)} day(s) it trades: {named}"
                f"{' and before' if len(days) > DAYS_NAMED else ''}",
                owner="stores",
                details={"finding": ", ".join(days), "connection": store.source},
            ),
        )
