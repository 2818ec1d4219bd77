"""A hub of one person, for tests that alter what otherwise takes two."""

from __future__ import annotations

from psycopg import Connection

from tillbridge.triage import policy


def works_alone(connection: Connection) -> None:
    """Ask for no second person any more, as `tillbridge approvals policy --alone` does."""
    with connection.transaction():
        policy.write(connection, policy.SecondPerson(second_person=False), "ann", "a house of one")
    if not connection.autocommit:
        connection.commit()
