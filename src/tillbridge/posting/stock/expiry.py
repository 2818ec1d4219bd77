"""Expiry: soft holds past their time end, and what they held is free again.

The worker sweeps about once a second; the desk ends what stands in a buyer's way before it says
no. Nobody confirms a hold past its time, swept or not.
"""

from __future__ import annotations

from datetime import datetime

from psycopg import errors

from tillbridge.atoms.ids import lane_of
from tillbridge.durable import log
from tillbridge.durable.rooms import Connection, Record
from tillbridge.posting.stock.hold import released
from tillbridge.posting.stock.holds import Holds
from tillbridge.posting.stock.levels import Levels

SWEPT_MOST = 500
"""Holds that one transaction ends; their stock rows stay locked meanwhile."""


def end_due(connection: Connection, now: datetime, most: int = SWEPT_MOST) -> int:
    """End soft holds past their time and tell the log; the caller commits next and nothing else.

    Gives how many ended; `most` of them when more may be left. A deadlock may be tried again.
    """
    levels = Levels(connection)
    holds = Holds(connection, levels)
    due = holds.due(now, most)
    if not due:
        return 0
    holds.take(due, set().union(*due.values()))
    facts = [released(holds.cut(key, "expired"), now) for key in due if holds[key].is_past(now)]
    levels.save(now)
    holds.save()
    log.append(
        connection,
        (),
        [Record(fact.key, type(fact).__name__, fact, lane_of(fact.key)) for fact in facts],
    )
    return len(due)


def sweep(connection: Connection, now: datetime) -> int:
    """End all that is due, in transactions of its own; gives how many. Who stands in somebody's way
    gives up until the next time.
    """
    ended = 0
    while True:
        try:
            with connection.pipeline():
                log.bound(connection)
                found = end_due(connection, now)
                connection.commit()
        except (errors.DeadlockDetected, errors.LockNotAvailable):
            connection.rollback()
            return ended
        ended += found
        if found < SWEPT_MOST:
            return ended
