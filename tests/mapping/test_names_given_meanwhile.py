"""A name given while a batch is under way: used at once, or its giver sees the parked key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from psycopg import Connection, errors

from tillbridge.contract.names import Names
from tillbridge.contract.promises import Connection as Source
from tillbridge.contract.promises import Message, Translation
from tillbridge.durable import messages
from tillbridge.durable.rooms import Outcome
from tillbridge.durable.session import connect
from tillbridge.mapping.names import NameRow, NameTables, set_names
from tillbridge.mapping.room import MappingRoom, Translator

NOW = datetime(2026, 1, 5, tzinfo=UTC)
GIVEN = [NameRow("web", "tender", "stripe", "card")]


class Asking:
    """A translator that only asks for one name; `first` runs before it asks."""

    name = "asking"

    def __init__(self, first: Callable[[], None]) -> None:
        self._first = first

    def translate(self, message: Message, connection: Source, names: Names) -> Translation:
        self._first()
        names.ours("tender", "stripe", where="line 1")
        return Translation()


def translated(connection: Connection, first: Callable[[], None]) -> Outcome:
    """The room's answer to one stored message; the transaction stays open."""
    numbers = messages.connection_ids(connection, ["web"])
    came = messages.Incoming("web", "orders", "1", b"{}", NOW, key="order/web/1")
    _, records = messages.store(connection, [came], numbers)
    connection.commit()
    source = Source(name="web", entity="us", channel="web", currency="USD", timezone="UTC")
    room = MappingRoom({"web": Translator(Asking(first), source)}, NameTables())
    return room.open(connection, NOW).take(records)[0]


def test_a_name_given_after_the_batch_began_is_used(
    connection: Connection, database_url: str
) -> None:
    rows = list(GIVEN)

    def give() -> None:
        with connect(database_url) as clerk:
            while rows:
                set_names(clerk, [rows.pop()])

    assert translated(connection, give).decision is None


def test_who_gives_a_name_waits_for_who_parks_a_key_for_it(
    connection: Connection, database_url: str
) -> None:
    found = translated(connection, lambda: None)
    assert found.decision is not None
    with connect(database_url) as clerk:
        clerk.execute("set lock_timeout = '100ms'")
        with pytest.raises(errors.LockNotAvailable):
            set_names(clerk, GIVEN)
        clerk.rollback()
        connection.rollback()
        assert set_names(clerk, GIVEN) == 1
