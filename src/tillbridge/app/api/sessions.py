"""A few database sessions that are kept open between single questions of the API."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator

import psycopg

from tillbridge.durable.rooms import Connection
from tillbridge.durable.session import connect

KEPT = 4
STATEMENT_MS = 5_000


class Sessions:
    """Sessions of one process, taken by threads; one that failed is closed, never kept."""

    def __init__(self, url: str) -> None:
        """Opens nothing."""
        self._url = url
        self._idle: deque[Connection] = deque()

    @contextlib.contextmanager
    def one(self) -> Iterator[Connection]:
        """A session for one question; what it does not commit is undone.

        Raises psycopg.OperationalError when the database is away.
        """
        session = self._taken()
        try:
            yield session
            session.rollback()
        except psycopg.Error:
            session.close()
            raise
        except BaseException:
            with contextlib.suppress(psycopg.Error):
                session.rollback()
            self._keep(session)
            raise
        self._keep(session)

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()

    def _taken(self) -> Connection:
        """An idle session that still answers, else a new one."""
        while True:
            try:
                session = self._idle.pop()
            except IndexError:
                return connect(self._url, name="tillbridge api", statement_timeout_ms=STATEMENT_MS)
            try:
                session.execute("select")
                return session
            except psycopg.Error:
                session.close()

    def _keep(self, session: Connection) -> None:
        if len(self._idle) < KEPT and not session.closed:
            self._idle.append(session)
        else:
            session.close()
