"""Counts of tills' days: how much of a difference is booked; only the rest follows. Pure."""

from __future__ import annotations

import msgspec

from tillbridge.canonical.valued import TillCounted


class CountState(msgspec.Struct, omit_defaults=True):
    """The counts of one till's day that were taken. booked: difference by tender, minor units."""

    key: str
    version: int = 0
    booked: dict[str, int] = {}


def counted(state: CountState, body: TillCounted) -> CountState | None:
    """The state after a count; None for one that was taken before, or that others overtook: it was
    worked out from less than is booked by now, and will be again.
    """
    if body.version != state.version + 1:
        return None
    booked = dict(state.booked)
    for row in body.rows:
        booked[row.tender] = booked.get(row.tender, 0) + row.difference
    return CountState(state.key, body.version, booked)
