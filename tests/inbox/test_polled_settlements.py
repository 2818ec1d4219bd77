"""What a poll brings of a settlement is written with its page: lines and cursor, or none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO

import pytest
from psycopg import Connection

from tests.inbox.signed_shop import NoSettings
from tillbridge.atoms.clock import FixedClock
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import SeededIds
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.settlement import PayoutReported
from tillbridge.contract.promises import Connection as Source
from tillbridge.contract.promises import Item, Page
from tillbridge.contract.transport import Request, Response
from tillbridge.durable.rooms import Connection as Database
from tillbridge.durable.rooms import Record
from tillbridge.inbox.polls import Poller

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SOURCE = Source(name="acme", entity="us", channel="", currency="USD")


class NoNetwork:
    def send(self, request: Request) -> Response:
        raise AssertionError(request.url)


class Vendor:
    """Signs Polls: one page with these bodies."""

    name = "vendor"
    config = NoSettings
    streams: tuple[str, ...] = ("payouts",)

    def __init__(self, *bodies: bytes) -> None:
        self.bodies = bodies

    def poll(
        self, stream: str, cursor: str, connection: Source, secrets: Mapping[str, str], _: Any
    ) -> Page:
        items = tuple(
            Item(topic="t", delivery=f"{body!r}", body=body, place=f"payout {n}")
            for n, body in enumerate(self.bodies)
        )
        return Page(items=items, cursor=f"{cursor}.", complete_through=NOW)


class Taken:
    """What a file came to."""

    lines = 2
    broken: tuple[str, ...] = ("one",)


class Files:
    """Takes every file but those that begin with `order`; cannot read `no`."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []

    def takes(self, name: str, head: bytes) -> bool:
        del name
        return not head.startswith(b"order")

    def take(self, *_: object) -> Any:
        raise AssertionError("a poll appends for itself")

    def told(
        self, connection: Database, stream: BinaryIO, name: str, digest: bytes, now: datetime
    ) -> tuple[Any, list[Record]]:
        del connection, digest
        body = stream.read()
        if body == b"no":
            raise NeedsDecision("settlement_unreadable", "this is no settlement")
        self.taken.append((name, body))
        fact = PayoutReported(
            key=f"payout/acme/{name}",
            id=f"{name}/told",
            source="acme",
            mapping="settlement/1",
            occurred_at=now,
            business_date=now.date(),
            entities=Entities(selling="us"),
            account="acme",
            payout=name,
            currency="USD",
        )
        return Taken(), [Record(fact.key, "PayoutReported", fact, 1)]


@pytest.fixture
def files() -> Files:
    return Files()


def poller(files: Files, *bodies: bytes) -> Poller:
    return Poller(
        Vendor(*bodies),
        SOURCE,
        {},
        NoNetwork(),
        clock=FixedClock(NOW),
        ids=SeededIds(1),
        settlements=files,
    )


def records(connection: Connection) -> list[str]:
    found = connection.execute("select type from record order by id").fetchall()
    connection.rollback()
    return [name for (name,) in found]


def test_each_new_piece_is_taken_once_and_what_is_none_is_left(
    connection: Connection, files: Files
) -> None:
    told = poller(files, b"one", b"order", b"two").run(connection, "payouts")
    assert (told.items, told.new, told.lines, told.problems) == (3, 3, 4, 2)
    assert files.taken == [("payout 0", b"one"), ("payout 2", b"two")]
    assert sorted(records(connection)) == ["PayoutReported"] * 2 + ["Received"] * 3
    told = poller(files, b"one", b"two").run(connection, "payouts")
    assert (told.duplicates, told.lines) == (2, 0)
    assert len(files.taken) == 2


def test_a_page_that_cannot_be_read_is_a_case_and_the_cursor_stays_before_it(
    connection: Connection, files: Files
) -> None:
    told = poller(files, b"one", b"no").run(connection, "payouts")
    assert told.words == "this is no settlement"
    assert records(connection) == ["Received"]  # the problem, not the page
    row = connection.execute("select cursor, complete_through from poll_cursor").fetchone()
    assert row == ("", None)
    connection.rollback()
    told = poller(files, b"one").run(connection, "payouts")
    assert (told.new, told.words) == (1, "")
