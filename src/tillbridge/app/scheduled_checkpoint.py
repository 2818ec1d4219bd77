"""The scheduled checkpoint: a day's copy of the state, where the settings let the log be dropped.

Only then does anything depend on it (`keep_records_days`). It reads in a snapshot of its own and
may take minutes, so it runs in a thread that nobody waits for.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from tillbridge.app.hub import Hub
from tillbridge.app.replay.checkpoint import take
from tillbridge.durable import schedules

NAME = "checkpoint"
EVERY_SECONDS = 86_400
FIRST_SECONDS = 1_800
AGAIN = timedelta(hours=2)
LOOK_SECONDS = 5.0


def run_due(hub: Hub) -> bool:
    """Take a checkpoint if it is time; says whether it was.

    Raises psycopg.OperationalError when the database goes away: it is then tried within two hours.
    """
    now = hub.clock.now()
    with hub.connect() as connection:
        due = schedules.begin(connection, NAME, now, AGAIN)
        connection.commit()
        if not due:
            return False
        taken = take(hub)
        words = f"record {taken.position}, {taken.bytes:,} bytes in checkpoints/{taken.folder}"
        schedules.done(connection, NAME, now, words)
        connection.commit()
    return True


def keep_running(hub: Hub, rest: Callable[[float], bool]) -> None:
    """Run at its times until `rest` says to stop; nothing at all where the log is kept for ever."""
    wanted = hub.workspace.settings.hub.keep_records_days > 0
    if wanted:
        with hub.connect() as connection:
            schedules.make(connection, {NAME: EVERY_SECONDS}, FIRST_SECONDS)
            connection.commit()
    while not rest(LOOK_SECONDS):
        if wanted:
            run_due(hub)
