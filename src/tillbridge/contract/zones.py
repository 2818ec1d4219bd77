"""Abbreviations of time zones in vendors' files, where each means one offset and no other.

`CST` and `IST` are several zones, so they are none here: an instant in them is not told.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

_HOURS = {
    "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "BST": 1, "WEST": 1, "CET": 1, "CEST": 2, "MEZ": 1,
    "MESZ": 2, "EET": 2, "EEST": 3, "SGT": 8, "HKT": 8, "JST": 9, "AEST": 10, "AEDT": 11,
    "NZST": 12, "NZDT": 13, "EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8,
    "PDT": -7, "BRT": -3,
}  # fmt: skip


def offset_of(zone: str) -> timedelta | None:
    """Offset of `CET`, `+02:00`, `-0800`; None = it is no zone, or more than one."""
    if zone in _HOURS:
        return timedelta(hours=_HOURS[zone])
    digits = zone[1:].replace(":", "")
    if (
        zone[:1] not in ("+", "-")
        or len(digits) != 4
        or not (digits.isascii() and digits.isdigit())
    ):
        return None
    found = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -found if zone[0] == "-" else found


def in_utc(at: datetime, zone: str) -> datetime | None:
    """A wall-clock time in a zone as an instant in UTC; None = no zone that is sure."""
    offset = offset_of(zone)
    if offset is None or abs(offset) >= timedelta(hours=24):
        return None
    try:
        return at.replace(tzinfo=timezone(offset)).astimezone(UTC)
    except OverflowError:
        return None
