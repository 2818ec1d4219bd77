"""One session at a time: work that two workers must not do together, over many transactions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load("tillbridge.durable", "alone.sql", "take", "give_back")


@contextmanager
def alone(connection: Connection, *names: str) -> Iterator[bool]:
    """Hold what the names stand for as long as this session needs it; False: another one has it.

    Commits when it is taken and when it is given back. A session that dies gives back by dying.
    """
    text = "\x1f".join(names)
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], signed=True)
    held = connection.execute(QUERIES.take, (number,)).fetchone() == (True,)
    connection.commit()
    try:
        yield held
    finally:
        if held and not connection.closed:
            connection.rollback()
            connection.execute(QUERIES.give_back, (number,))
            connection.commit()
