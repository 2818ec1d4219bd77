"""What a person may do alone: kept in the database, changed by an act that it audits itself."""

from __future__ import annotations

import msgspec

from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load("tillbridge.triage", "policy.sql")


class SecondPerson(msgspec.Struct, frozen=True):
    """second_person: whether anybody is asked at all. alone_amount: minor units of a case that one
    person may give up. alone_keys: how many cases one person may try again in one go.
    """

    second_person: bool = True
    alone_amount: int = 100_000
    alone_keys: int = 1_000


def read(connection: Connection) -> SecondPerson:
    """The policy in force."""
    row = connection.execute(QUERIES.read).fetchone()
    return SecondPerson(*row) if row else SecondPerson()


def write(connection: Connection, wanted: SecondPerson, by: str, reason: str) -> None:
    """Put another policy in force; the caller commits."""
    connection.execute(QUERIES.acting, (by, reason))
    connection.execute(
        QUERIES.write, (wanted.second_person, wanted.alone_amount, wanted.alone_keys)
    )


def several_admins(connection: Connection) -> bool:
    """Whether there is a second admin, who could approve what the first one proposes."""
    row = connection.execute(QUERIES.admins).fetchone()
    return bool(row and row[0] >= 2)
