"""What keeps a month open: the words every check of the close list speaks.

A check is a function of the database and a Scope that gives Blockers; `close.checks` lists them
all. A room that knows of something more (a payout nobody explained) writes such a function and
adds it there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Protocol

import msgspec

from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.tills.rules import Expected


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """The month of an entity that is to be closed.

    period: `2026-03`. now: an instant. connections, locations: those of other entities; what
    belongs to nobody in particular counts for everybody. own: its places, which are its own
    whoever's connection tells of them. expected: what stores and tills have to
    tell; None where the workspace is not at hand, then only what was noticed before counts.
    """

    entity: str
    period: str
    now: datetime
    connections: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    expected: Expected | None = None

    @property
    def first(self) -> date:
        """The month's first day."""
        return date.fromisoformat(f"{self.period}-01")

    @property
    def before(self) -> date:
        """The last day before the month."""
        return self.first - timedelta(days=1)

    @property
    def last(self) -> date:
        """The month's last day."""
        return (self.first + timedelta(days=31)).replace(day=1) - timedelta(days=1)

    def values(self) -> dict[str, object]:
        """Parameters of the queries; days are texts, ISO 8601."""
        after = self.last + timedelta(days=1)
        return {
            "entity": self.entity,
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "month_after": (after + timedelta(days=31)).replace(day=1).isoformat(),
            "connections": list(self.connections),
            "locations": list(self.locations),
            "own": list(self.own),
            "now": self.now,
        }

    def leaves_out(self, source: str, location: str) -> bool:
        """Whether what a connection tells of a place is another entity's."""
        if location in self.own:
            return False
        return location in self.locations or source in self.connections


class Blocker(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that keeps a month open, whose it is and what to do about it.

    key: the aggregate, or what else people call it. count: how many of the kind the row stands
    for. amount: minor units of `currency` at stake. day: business day, "" where nothing tells it.
    """

    kind: str
    owner: str
    key: str
    words: str
    remedy: str
    day: str = ""
    count: int = 1
    amount: int | None = None
    currency: str = ""
    case: int | None = None


class Check(Protocol):
    """Finds what of one kind still blocks; reads in the caller's transaction."""

    def __call__(self, connection: Connection, scope: Scope, /) -> Iterable[Blocker]:
        """Everything of the kind, none when nothing blocks."""
