"""What sweeps found, for people: windows, counts, sums, how much was missing and came since."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.sweeps.compare import Sums

QUERIES = load("tillbridge.reconciliation.sweeps", "report.sql", "sweeps", "sums_of", "streams")


class SweepReport(msgspec.Struct, frozen=True, kw_only=True):
    """One sweep. asked, fetched: objects it had read again, and those that have come by now."""

    id: int
    connection: str
    stream: str
    since: datetime
    until: datetime
    at: datetime
    source_count: int
    hub_count: int
    missing: int
    behind: int
    waiting: int
    differing: int
    asked: int
    fetched: int
    sums: dict[str, Sums]

    @property
    def miss_rate(self) -> float:
        """Share of the source's objects that nothing had told of."""
        return self.missing / self.source_count if self.source_count else 0.0


class StreamState(msgspec.Struct, frozen=True):
    """How far a stream is known to be complete: everything that changed at the source before that
    instant was received. swept_at, lacking: the last sweep, and how many were missing or behind.
    words: why it cannot be read, "" = it can.
    """

    connection: str
    stream: str
    complete_through: datetime | None
    swept_at: datetime | None
    lacking: int | None
    words: str = ""


def streams(connection: Connection) -> list[StreamState]:
    """Every stream that is polled or swept."""
    return [StreamState(*row) for row in connection.execute(QUERIES.streams).fetchall()]


def sweeps(
    connection: Connection, *, source: str = "", stream: str = "", limit: int = 20
) -> list[SweepReport]:
    """The last sweeps, newest first; "" for any connection or stream."""
    values = {"connection": source, "stream": stream, "limit": limit}
    rows = connection.execute(QUERIES.sweeps, values).fetchall()
    sums: dict[int, dict[str, Sums]] = {}
    numbers = [row[0] for row in rows]
    for sweep, currency, *figures in connection.execute(QUERIES.sums_of, (numbers,)).fetchall():
        sums.setdefault(sweep, {})[currency] = Sums(*figures)
    names = [name for name in SweepReport.__struct_fields__ if name != "sums"]
    return [
        SweepReport(**dict(zip(names, row, strict=True)), sums=sums.get(row[0], {})) for row in rows
    ]
