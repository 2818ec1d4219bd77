"""What is expected of the tills of a connection, and of a store, as the workspace says it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

NUMBERS = ("till", "day", "store", "none")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class TillRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a connection's tills do.

    numbers: how transactions are numbered: `till` = each till runs on from day to day, `day` =
    each till begins every business day at first_number, `store` = the tills of a store share one
    sequence that runs on, `none` = numbers mean nothing. last_number: the one after which the
    sequence begins again at first_number; 0 = it never does. gap_hours: a number missing for
    longer is a case. allowed_hours: how long after its end (midnight of the store) a business day
    may still come before it is late. cash_float: minor units that stay in each drawer overnight
    and are counted with the day's takings, without being told as a loan.
    """

    numbers: str = "till"
    first_number: int = 1
    last_number: int = 0
    gap_hours: float = 24.0
    allowed_hours: float = 6.0
    cash_float: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be meant; the loader shows the words beside the setting."""
        if self.numbers not in NUMBERS:
            raise ValueError(f"numbers is one of {NUMBERS}")
        if self.first_number < 0 or (self.last_number and self.last_number <= self.first_number):
            raise ValueError("last_number is 0 or more than first_number, which is not negative")
        if self.gap_hours < 0 or self.allowed_hours < 0:
            raise ValueError("gap_hours and allowed_hours are not negative")

    @property
    def lap(self) -> int:
        """How many numbers there are before they begin again; 0 = no end."""
        return self.last_number - self.first_number + 1 if self.last_number else 0


class StoreRules(msgspec.Struct, frozen=True):
    """When a store trades: its zone, and its days as ISO weekdays (1 = Monday)."""

    timezone: str = "UTC"
    weekdays: frozenset[int] = frozenset(range(1, 8))

    def due_at(self, day: date, allowed_hours: float) -> datetime:
        """Instant (UTC) by which a business day has to be here."""
        end = datetime.combine(day + timedelta(days=1), time(), _zone(self.timezone))
        return end.astimezone(UTC) + timedelta(hours=allowed_hours)

    def opens(self, day: date) -> bool:
        """Whether the store trades on a day."""
        return day.isoweekday() in self.weekdays


class Expected(msgspec.Struct, frozen=True):
    """Rules of connections and stores by name; what is not named follows the defaults."""

    connections: Mapping[str, TillRules] = {}
    stores: Mapping[str, StoreRules] = {}

    def of(self, source: str) -> TillRules:
        """Rules of a connection."""
        return self.connections.get(source, _TILL_DEFAULT)

    def store(self, location: str) -> StoreRules:
        """Rules of a store."""
        return self.stores.get(location, _STORE_DEFAULT)


_TILL_DEFAULT = TillRules()
_STORE_DEFAULT = StoreRules()


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
