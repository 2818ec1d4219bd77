"""Places that failed an order, and which of them it does without. Pure.

A failure counts until the place is allowed again: by a person, or by a count taken since. Both are
told with their time, so that it does not matter which of them comes first.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from tillbridge.orchestration.orders.state import Failure, OrderState

ALLOWED, NO_PICK = "allowed", "no_pick"


def standing(state: OrderState) -> list[Failure]:
    """The failures that still count."""
    allowed: dict[str, datetime] = {}
    for one in state.failures.values():
        if one.reason == ALLOWED and one.at is not None:
            allowed[one.location] = max(one.at, allowed.get(one.location, one.at))
    return [
        one for one in state.failures.values() if one.reason != ALLOWED and _counts(one, allowed)
    ]


def _counts(one: Failure, allowed: dict[str, datetime]) -> bool:
    since = allowed.get(one.location)
    return since is None or (one.at is not None and one.at > since)


class Recount(msgspec.Struct, frozen=True):
    """Places that may serve again once they are counted after an instant."""

    places: tuple[str, ...] = ()
    failed_at: datetime | None = None


def recount(failures: list[Failure]) -> Recount:
    """Of failures that count: the places that did not find goods, and refused nothing."""
    refused = {one.location for one in failures if one.reason != NO_PICK or one.at is None}
    missed = [one for one in failures if one.location not in refused]
    times = [one.at for one in missed if one.at is not None]
    if not times:
        return Recount()
    return Recount(tuple(sorted({one.location for one in missed})), max(times))
