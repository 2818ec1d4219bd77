"""The other side of `bench reserve`: the same HTTP stack, one transaction per request.

`python -m tillbridge.app.bench.one_by_one <workspace> <socket descriptor> <pool>`. It writes the
rows that the hub writes (a test compares them), with as little talk as one request needs: the
stock rows are locked first; everything else is one statement and the record, which go down in one
pipeline with their COMMIT. A request told twice fails at the key of its answer.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from tillbridge.app.api.group import Placed, plain, stored
from tillbridge.app.api.reservation_answers import told_of
from tillbridge.app.api.resources import Resources
from tillbridge.app.api.stored_answers import Stored
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
from tillbridge.posting.stock.desk import Ask, Told
from tillbridge.posting.stock.hold import Hold, held

QUERIES = load("tillbridge.app.bench", "one_by_one.sql", "lock", "write")


class OneByOneWork(Work[Placed, Answer]):
    """One new reservation at the first place of its list, which has to have everything."""

    what = "reservation"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def commit(self, connection: Connection, asks: Sequence[Placed]) -> Sequence[Answer]:
        """Answer the one request."""
        (placed,) = asks
        now = self._clock.now()
        ask = placed.decided_at(now)
        location = ask.locations[0]
        products = [line.product for line in ask.lines]
        free = dict(connection.execute(QUERIES.lock, (location, products)).fetchall())
        if any(free.get(line.product, 0) < line.quantity for line in ask.lines):
            raise AssertionError("the bench has stock for every request")
        hold = _hold(ask, now)
        told = Told(
            ok=True, status="held", kind=ask.kind, lines=hold.lines, expires_at=ask.expires_at
        )
        answer = stored(placed, *told_of(ask, told))
        fact = held(hold, now)
        with connection.pipeline():
            connection.execute(QUERIES.write, _values(placed, answer, location, now))
            record = Record(ask.key, "StockHeld", fact, lane_of(ask.key), trace=ask.trace)
            log.append(connection, (), [record])
            connection.commit()
        return [plain(answer)]


def _hold(ask: Ask, now: datetime) -> Hold:
    location = ask.locations[0]
    lines = (StockLine(one.line, one.product, one.quantity, location) for one in ask.lines)
    return Hold(
        ask.key,
        version=1,
        kind=ask.kind,
        channel=ask.channel,
        expires_at=ask.expires_at,
        locations=ask.locations,
        split_most=ask.split_most,
        placed_at=now,
        desk=True,
        lines=tuple(lines),
    )


def _values(placed: Placed, answer: Stored, location: str, now: datetime) -> dict[str, Any]:
    ask = placed.decided_at(now)
    return {
        "now": now,
        "location": location,
        "products": [line.product for line in ask.lines],
        "quantities": [line.quantity for line in ask.lines],
        "names": [line.line for line in ask.lines],
        "key": ask.key,
        "kind": ask.kind,
        "channel": ask.channel,
        "expires_at": ask.expires_at,
        "locations": list(ask.locations),
        "split_most": ask.split_most,
        "client": answer.client,
        "id": answer.key,
        "asked": answer.asked,
        "status": answer.status,
        "body": answer.body,
    }


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
