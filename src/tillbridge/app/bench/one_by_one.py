"""The other side of `bench reserve`: the same HTTP stack, one transaction per request.

`python -m tillbridge.app.bench.one_by_one <workspace> <socket descriptor> <pool>`. It writes the
rows that the hub writes (a test compares them), with as few round trips as one request needs: the
stock rows are locked first, and everything else goes down in one pipeline with its COMMIT.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tillbridge.app.api import stored_answers
from tillbridge.app.api.group import Placed, plain, stored
from tillbridge.app.api.reservation_answers import told_of
from tillbridge.app.api.resources import Resources
from tillbridge.app.http_process import serve_workspace
from tillbridge.atoms.clock import Clock
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.stock import StockLine
from tillbridge.durable import log
from tillbridge.durable.group_writer import GroupWriter, Work
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record
from tillbridge.durable.session import connect
from tillbridge.inbox.answers import Answer
from tillbridge.posting.stock.desk import Told
from tillbridge.posting.stock.hold import Hold, held

QUERIES = load(
    "tillbridge.app.bench", "one_by_one.sql", "stored", "lock", "take", "hold", "reservations"
)


class OneByOneWork(Work[Placed, Answer]):
    """One new reservation at the first place of its list, which has to have everything."""

    what = "reservation"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def commit(self, connection: Connection, asks: Sequence[Placed]) -> Sequence[Answer]:
        """Answer the one request."""
        (placed,) = asks
        ask, location = placed.ask, placed.ask.locations[0]
        products = [line.product for line in ask.lines]
        places = ([location] * len(products), products)
        with connection.pipeline():
            known = connection.execute(QUERIES.stored, placed.identity)
            rows = connection.execute(QUERIES.lock, places)
        if known.fetchone() is not None:
            raise AssertionError("the bench sends no request twice")
        free = {product: left for _, product, left in rows.fetchall()}
        if any(free.get(line.product, 0) < line.quantity for line in ask.lines):
            raise AssertionError("the bench has stock for every request")
        now = self._clock.now()
        lines = tuple(
            StockLine(line.line, line.product, line.quantity, location) for line in ask.lines
        )
        told = Told(ok=True, status="held", kind=ask.kind, lines=lines, expires_at=ask.expires_at)
        answer = stored(placed, *told_of(ask, told))
        hold = Hold(
            ask.key,
            version=1,
            kind=ask.kind,
            channel=ask.channel,
            expires_at=ask.expires_at,
            locations=ask.locations,
            placed_at=now,
            desk=True,
            lines=lines,
        )
        fact = held(hold, now)
        record = Record(ask.key, "StockHeld", fact, lane_of(ask.key), trace=ask.trace)
        quantities = [line.quantity for line in ask.lines]
        with connection.pipeline():
            connection.execute(QUERIES.take, (now, *places, quantities), binary=True)
            connection.execute(
                QUERIES.hold,
                (ask.key, ask.kind, ask.channel, ask.expires_at, list(ask.locations), now),
            )
            columns = (
                [ask.key] * len(lines),
                [line.line for line in lines],
                *places,
                quantities,
            )
            connection.execute(QUERIES.reservations, columns, binary=True)
            stored_answers.keep(connection, [answer], now.date())
            log.append(connection, (), [record])
            connection.commit()
        return [plain(answer)]


def one_by_one(url: str, clock: Clock, pool: int) -> GroupWriter[Placed, Answer]:
    """A writer whose groups are of one, with so many connections."""
    return GroupWriter(
        lambda: connect(url, name="tillbridge bench"),
        lambda: OneByOneWork(clock),
        threads=pool,
        clock=clock,
        batch_most=1,
        name="one by one",
    )


def main(arguments: list[str]) -> None:
    """Serve until asked to stop."""
    workspace, number, pool = arguments

    def exchange(resources: Resources) -> None:
        resources.desk = one_by_one(resources.url, resources.clock, int(pool))

    serve_workspace(Path(workspace), int(number), exchange)


if __name__ == "__main__":
    main(sys.argv[1:])
