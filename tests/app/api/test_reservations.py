"""`/v1/reservations` on a real database: what is held, what is told, what never happens twice."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import Connection

from tests.app.api.caller import Caller, Told, client_key
from tests.app.api.stocked import SETTINGS, stock
from tillbridge.app.api.dispatch import Api
from tillbridge.app.api.resources import Resources
from tillbridge.inbox.group_commit import IntakeWriter


class Buyer(Caller):
    """A client that reserves."""

    def __init__(self, api: Api, key: str) -> None:
        super().__init__(api)
        self.key = key
        self._numbers = itertools.count()

    def post(self, path: str, body: Any, key: str = "") -> Told:
        """A change, under an Idempotency-Key of its own unless one is given."""
        return asyncio.run(self.posted(path, body, key))

    async def posted(self, path: str, body: Any, key: str = "") -> Told:
        heads = {b"idempotency-key": (key or f"k{next(self._numbers)}").encode()}
        return await self.asked(f"/v1/reservations{path}", self.key, body=body, heads=heads)

    def reserve(self, quantity: Any = 1, product: str = "P1", **more: Any) -> Told:
        return self.post("", {"lines": [{"product": product, "quantity": quantity}], **more})


@pytest.fixture
def resources(database_url: str) -> Iterator[Resources]:
    made = Resources(database_url, SETTINGS, IntakeWriter(database_url))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def buyer(resources: Resources, connection: Connection) -> Buyer:
    stock(connection, "wh", "P1", 5)
    stock(connection, "store", "P1", 2)
    return Buyer(Api(resources), client_key(connection, "reservations:write", rate=1000))


def counts(connection: Connection, question: str) -> list[tuple[Any, ...]]:
    connection.rollback()
    return connection.execute(question).fetchall()


RESERVED = "select location, reserved from stock where product = 'P1' order by 1 desc"


def test_what_is_held_is_told_with_its_place_and_its_end(
    buyer: Buyer, connection: Connection
) -> None:
    told = buyer.reserve(2, expires_in=60)
    assert told.status == 201
    assert told.body["status"] == "held"
    assert told.body["lines"] == [{"line": "1", "product": "P1", "quantity": "2", "location": "wh"}]
    assert told.body["expires_at"]
    again = buyer.ask(f"/v1/reservations/{told.body['id']}", buyer.key)
    assert again.body == told.body
    assert counts(connection, RESERVED) == [("wh", 2000), ("store", 0)]
    assert counts(connection, "select type, fused, cause from record") == [
        ("StockHeld", True, None)
    ]


def test_all_lines_or_none(buyer: Buyer, connection: Connection) -> None:
    stock(connection, "wh", "P2", 1)
    lines = [{"product": "P1", "quantity": 1}, {"product": "P2", "quantity": "2"}]
    told = buyer.post("", {"lines": lines, "locations": ["wh"]})
    assert told.status == 409
    assert told.body["type"] == "/v1/problems/stock-short"
    assert (told.body["product"], told.body["wanted"], told.body["free"]) == ("P2", "2", "1")
    assert counts(connection, RESERVED) == [("wh", 0), ("store", 0)]


def test_a_repeated_request_gets_its_first_answer_whatever_became_of_it(
    buyer: Buyer, connection: Connection
) -> None:
    body = {"lines": [{"product": "P1", "quantity": 5}]}
    first = buyer.post("", body, key="same")
    assert buyer.post(f"/{first.body['id']}/release", {}).status == 200
    again = buyer.post("", body, key="same")
    assert (again.status, again.body) == (201, first.body)
    assert again.headers[b"idempotent-replayed"] == b"true"
    other = buyer.post("", {"lines": [{"product": "P1", "quantity": 4}]}, key="same")
    assert other.body["type"] == "/v1/problems/idempotency-key-reused"
    assert counts(connection, RESERVED) == [("wh", 0), ("store", 0)]


def test_the_same_request_twice_in_one_group_is_one_reservation(
    buyer: Buyer, connection: Connection
) -> None:
    async def together() -> list[Told]:
        body = {"lines": [{"product": "P1", "quantity": 1}]}
        await buyer.posted("", body)  # the key is known from here on
        return await asyncio.gather(*(buyer.posted("", body, key="one") for _ in range(8)))

    told = asyncio.run(together())
    assert {one.body["id"] for one in told} == {told[0].body["id"]}
    assert counts(connection, "select count(*) from hold") == [(2,)]


def test_of_twenty_pieces_a_crowd_gets_twenty(buyer: Buyer, connection: Connection) -> None:
    stock(connection, "wh", "HOT", 20)

    async def crowd() -> list[Told]:
        body = {"lines": [{"product": "HOT", "quantity": 1}]}
        return await asyncio.gather(*(buyer.posted("", body) for _ in range(64)))

    told = asyncio.run(crowd())
    assert sorted(one.status for one in told) == [201] * 20 + [409] * 44
    assert counts(connection, "select on_hand, reserved from stock where product = 'HOT'") == [
        (20_000, 20_000)
    ]


def test_confirming_makes_it_firm_and_releasing_ends_it_once(buyer: Buyer) -> None:
    number = buyer.reserve().body["id"]
    confirmed = buyer.post(f"/{number}/confirm", {"order": "1001"})
    assert (confirmed.status, confirmed.body["kind"]) == (200, "firm")
    assert confirmed.body["expires_at"] is None
    released = buyer.post(f"/{number}/release", {})
    assert (released.status, released.body["status"]) == (200, "released")
    twice = buyer.post(f"/{number}/release", {})
    assert (twice.status, twice.body["type"]) == (409, "/v1/problems/reservation-ended")
    assert buyer.post(f"/{number}/confirm", {}).status == 409


def test_it_moves_only_to_where_there_is_room(buyer: Buyer, connection: Connection) -> None:
    number = buyer.reserve(2).body["id"]
    moved = buyer.post(f"/{number}/move", {"locations": ["store"]})
    assert moved.status == 200
    assert [line["location"] for line in moved.body["lines"]] == ["store"]
    assert counts(connection, RESERVED) == [("wh", 0), ("store", 2000)]
    other = buyer.reserve(1).body["id"]
    assert buyer.post(f"/{other}/move", {"locations": ["store"]}).status == 409
    assert counts(connection, RESERVED) == [("wh", 1000), ("store", 2000)]


def test_nobody_reaches_the_reservations_of_another_channel(
    buyer: Buyer, connection: Connection
) -> None:
    number = buyer.reserve().body["id"]
    buyer.key = client_key(connection, "reservations:write", rate=1000, name="other", channel="app")
    assert buyer.post(f"/{number}/release", {}).status == 404
    assert buyer.ask(f"/v1/reservations/{number}", buyer.key).status == 404


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({"lines": []}, 400, "request-invalid"),
        ({"lines": [{"product": "P1", "quantity": 0}]}, 400, "request-invalid"),
        ({"lines": [{"product": "P1", "quantity": -1}]}, 400, "request-invalid"),
        ({"lines": [{"product": "P1", "quantity": "0.000"}]}, 400, "request-invalid"),
        ({"lines": [{"product": "P1", "quantity": "0.0001"}]}, 400, "request-invalid"),
        ({"lines": [{"product": "P1", "quantity": 1.5}]}, 400, "request-invalid"),
        ({"lines": [{"product": "", "quantity": 1}]}, 400, "request-invalid"),
        ({"lines": [{"product": "P1", "quantity": 1, "line": "a"}] * 2}, 400, "request-invalid"),
        ({"lines": [{"product": "NIX", "quantity": 1}]}, 422, "product-unknown"),
        (
            {"lines": [{"product": "P1", "quantity": 1}], "locations": ["moon"]},
            422,
            "location-unknown",
        ),
    ],
)
def test_bad_input_is_a_clear_problem_and_changes_nothing(
    buyer: Buyer, connection: Connection, body: Any, status: int, kind: str
) -> None:
    told = buyer.post("", body)
    assert (told.status, told.body["type"]) == (status, f"/v1/problems/{kind}")
    assert counts(connection, "select count(*) from hold where ok") == [(0,)]
    assert counts(connection, RESERVED) == [("wh", 0), ("store", 0)]


def test_a_fraction_of_what_comes_in_pieces_is_refused(
    buyer: Buyer, connection: Connection
) -> None:
    connection.execute("insert into item (product, step) values ('P1', 1000)")
    connection.commit()
    told = buyer.reserve("1.5")
    assert (told.status, told.body["type"]) == (422, "/v1/problems/refused")
    assert "1.5" in told.body["detail"]


@pytest.mark.parametrize("number", ["x", "0" * 24])
def test_an_unknown_reservation_is_not_found(buyer: Buyer, number: str) -> None:
    assert buyer.ask(f"/v1/reservations/{number}", buyer.key).status == 404
    assert buyer.post(f"/{number}/confirm", {}).status == 404
