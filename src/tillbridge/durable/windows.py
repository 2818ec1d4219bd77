"""Posting windows: when a connection takes what its ledger books, by its own clock on the wall.

A window is like a pause that opens by itself. Outside of it a key whose next document is of the
ledger is set aside with everything behind it, due at the opening; order per key holds, and nobody
asks again before. Sales orders, deliveries and stock go at any hour.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec

from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load("tillbridge.durable", "windows.sql", "ask_anew")
KINDS = ("invoice", "credit_note", "journal")
"""What a ledger books; other documents do not wait."""
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WEEK = 7
_WORDS = re.compile(r"(?:([a-z,-]+) +)?(\d\d):(\d\d)-(\d\d):(\d\d)")
_WHOLE_DAY = 24 * 60


class Window(msgspec.Struct, frozen=True):
    """Days (0 = Monday) on which it opens, minutes after midnight at which it opens and closes.

    It closes on the following day when `closes` is not after `opens`.
    """

    days: frozenset[int]
    opens: int
    closes: int


class Windows(msgspec.Struct, frozen=True):
    """All windows of a connection. zone: IANA name of its time zone."""

    windows: tuple[Window, ...]
    zone: str

    def opening(self, now: datetime) -> datetime | None:
        """When the next window opens, UTC; None = one is open now.

        Where the clocks are put back, an hour that comes twice belongs to the window both times.
        """
        zone = ZoneInfo(self.zone)
        today = now.astimezone(zone).date()
        later: list[datetime] = []
        # what began yesterday may still be open; a week later every window has opened again
        for back in range(-1, _WEEK + 2):
            day = today + timedelta(days=back)
            for one in self.windows:
                if day.weekday() not in one.days:
                    continue
                start, _ = _instants(day, one.opens, zone)
                closes = one.closes + (_WHOLE_DAY if one.closes <= one.opens else 0)
                _, end = _instants(day, closes, zone)
                if start > now:
                    later.append(start)
                elif now < end:
                    return None
        return min(later, default=None)


def _instants(day: date, minutes: int, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """A time on the wall in UTC, the first and the last one that comes; one that is skipped is as
    much later as the clocks are put forward.
    """
    days, rest = divmod(minutes, _WHOLE_DAY)
    wall = datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), tzinfo=zone)
    first, again = wall.astimezone(UTC), wall.replace(fold=1).astimezone(UTC)
    return first, max(first, again)


def windows_of(words: Sequence[str], zone: str) -> Windows | None:
    """Windows as a workspace writes them: `mon-fri 20:00-06:00`, `sat,sun 00:00-24:00`, and
    `20:00-06:00` on every day; None = none are written. Raises ValueError in words for a person.
    """
    return Windows(tuple(map(_window, words)), zone) if words else None


def _window(words: str) -> Window:
    found = _WORDS.fullmatch(words.strip().lower())
    if found is None:
        raise ValueError(f"{words!r} is no window; it is written like `mon-fri 20:00-06:00`")
    days, *numbers = found.groups()
    from_hour, from_minute, to_hour, to_minute = map(int, numbers)
    opens, closes = from_hour * 60 + from_minute, to_hour * 60 + to_minute
    if from_minute > 59 or to_minute > 59 or opens >= _WHOLE_DAY or closes > _WHOLE_DAY:
        raise ValueError(f"{words!r} holds no time of the day")
    if opens == closes:
        raise ValueError(f"{words!r} opens as it closes; a whole day is 00:00-24:00")
    return Window(_days(days or "mon-sun", words), opens, closes)


def _days(text: str, words: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        try:
            begin, end = _DAYS.index(first), _DAYS.index(last or first)
        except ValueError:
            raise ValueError(f"{words!r}: days are {', '.join(_DAYS)}") from None
        found.update((begin + n) % _WEEK for n in range((end - begin) % _WEEK + 1))
    return frozenset(found)


def ask_anew(connection: Connection, dest: int, opens: datetime | None, now: datetime) -> int:
    """Keys that wait for another opening than the next one are due now (the windows were changed);
    gives how many. opens: None = a window is open, or there is none. In the caller's transaction.
    """
    return connection.execute(QUERIES.ask_anew, {"dest": dest, "opens": opens, "now": now}).rowcount
