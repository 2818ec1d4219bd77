"""A hub of one person, for tests that alter what otherwise takes two."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import Connection

from tillbridge.triage import policy


def works_alone(connection: Connection) -> None:
    """Ask for no second person any more, as `tillbridge approvals policy --alone` does."""
    with connection.transaction():
        policy.write(connection, policy.SecondPerson(second_person=False), "ann", "a house of one")
    if not connection.autocommit:
        connection.commit()


@contextmanager
def waived(connection: Connection) -> Iterator[None]:
    """What is done inside, in this transaction, needs nobody's approval."""
    before = policy.read(connection)
    alone = policy.SecondPerson(False, before.alone_amount, before.alone_keys)
    policy.write(connection, alone, "ann", "not what this test is about")
    yield
    policy.write(connection, before, "ann", "as it was")
