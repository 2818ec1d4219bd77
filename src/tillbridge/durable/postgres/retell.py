"""Tell a restored database that it is one, exactly before its first user."""

from __future__ import annotations

import psycopg

from tillbridge.durable.crash_points import reach
from tillbridge.durable.postgres.folder import Folder
from tillbridge.durable.restore import Aftermath, after_restore

LOCK = 7_702
"""Advisory lock of the command that tells a restored database."""


def tell_restored(folder: Folder, url: str) -> Aftermath | None:
    """Run `after_restore` once, before anybody works on the restored database."""
    with psycopg.connect(url) as connection:
        connection.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        record = folder.read_record()
        if record is None or not record.hook_due:
            return None
        done = after_restore(connection, above=record.incarnation)
        reach("restore.before_commit")
        connection.commit()
    reach("restore.after_commit")
    # A crash here tells it again: one incarnation is skipped, nothing else.
    record.hook_due = False
    record.incarnation = max(record.incarnation, done.incarnation)
    folder.write_record(record)
    return done
