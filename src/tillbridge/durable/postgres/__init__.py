"""The embedded PostgreSQL: a real server, started from program files and owned by one process.

    with database(workspace) as url: ...   join or start; down with the last user
    start(workspace), stop(workspace)      leave it running between commands
    status(workspace)                      what runs where

`archive` saves and restores, `databases` makes further databases, `shell` runs psql.
"""

from tillbridge.durable.postgres.errors import PostgresError
from tillbridge.durable.postgres.lease import Status, database, external_url, start, status, stop

__all__ = ["PostgresError", "Status", "database", "external_url", "start", "status", "stop"]
