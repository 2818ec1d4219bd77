"""The scheduled `verify`: deep, on a connection of its own, kept, and a case for what is broken.

While it runs its snapshot is open, and rows that are updated often grow slower: so it has a limit
per statement and runs once a day, in a thread that nobody waits for.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from tillbridge.app.hub import Hub
from tillbridge.durable import schedules
from tillbridge.durable.session import connect
from tillbridge.watch.verification import keep
from tillbridge.watch.verify import verify

NAME = "verify"
FIRST_SECONDS = 600
AGAIN = timedelta(hours=1)
LOOK_SECONDS = 5.0


def run_due(hub: Hub) -> bool:
    """Check the hub if it is time, and keep what was found; says whether it was.

    Raises psycopg.OperationalError when the database goes away: it is then tried within the hour.
    """
    now = hub.clock.now()
    with connect(hub.url, name="tillbridge verify", statement_timeout_ms=0) as connection:
        due = schedules.begin(connection, NAME, now, AGAIN)
        connection.commit()
        if not due:
            return False
        verdict = verify(connection, deep=True, chart=hub.book.chart, clock=hub.clock)
        settled = keep(connection, verdict, now)
        words = (
            f"{verdict.checked} checked, {verdict.broken} broken in {verdict.seconds:.0f} s; "
            f"{settled.opened} cases opened, {settled.closed} closed"
        )
        schedules.done(connection, NAME, now, words)
        connection.commit()
    return True


def keep_running(hub: Hub, rest: Callable[[float], bool]) -> None:
    """Run at its times until `rest` says to stop; nothing at all where the settings say never."""
    hours = hub.workspace.settings.hub.verify_hours
    if hours > 0:
        with hub.connect() as connection:
            schedules.make(connection, {NAME: round(hours * 3600)}, FIRST_SECONDS)
            connection.commit()
    while not rest(LOOK_SECONDS):
        if hours > 0:
            run_due(hub)
