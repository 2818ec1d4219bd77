"""`GET /v1/availability`: many questions, one query, answers that say how old their sources are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from psycopg import Connection

from tests.app.api.caller import Caller, client_key
from tests.app.api.stocked import SETTINGS, stock
from tillbridge.app.api.dispatch import Api
from tillbridge.app.api.questions import AvailabilityWork, Question
from tillbridge.app.api.resources import Resources
from tillbridge.atoms.clock import FixedClock, SystemClock
from tillbridge.inbox.group_commit import IntakeWriter
from tillbridge.posting.stock.activation import RulesInForce, activate

NOW = SystemClock().now().replace(microsecond=0)
HEARD = NOW - timedelta(minutes=10)
RULES = """
[[rule]]
channel = "web"
safety_stock = 2
stale_after_minutes = 30
stale_buffer = 1
"""


@pytest.fixture
def resources(database_url: str) -> Iterator[Resources]:
    made = Resources(database_url, SETTINGS, IntakeWriter(database_url), clock=FixedClock(NOW))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def caller(resources: Resources, connection: Connection) -> Caller:
    stock(connection, "wh", "P1", 5)
    stock(connection, "store", "P1", 3)
    stock(connection, "annex", "P1", 100)
    connection.execute(
        "update stock set heard_at = %s where location = 'wh'",
        (HEARD,),
    )
    connection.commit()
    return Caller(Api(resources))


def test_several_products_at_the_places_of_the_channel(
    caller: Caller, connection: Connection
) -> None:
    key = client_key(connection, "availability:read")
    told = caller.ask("/v1/availability?product=P1&product=NIX&product=P1", key)
    assert told.status == 200
    assert told.body["channel"] == "web"
    assert told.body["at"] == _told(NOW)
    assert told.body["oldest"] is None  # the store was never heard of
    first, second = told.body["products"]
    assert (first["product"], first["known"], first["available"]) == ("P1", True, "8")
    assert {at["location"]: at["available"] for at in first["locations"]} == {
        "wh": "5",
        "store": "3",
    }
    assert (second["product"], second["known"], second["available"]) == ("NIX", False, "0")


def test_the_rules_of_the_channel_and_the_age_of_the_source_count(
    caller: Caller, connection: Connection
) -> None:
    key = client_key(connection, "availability:read")
    activate(connection, RULES, "ann", "test")
    connection.commit()
    told = caller.ask("/v1/availability?product=P1", key)
    places = {at["location"]: at for at in told.body["products"][0]["locations"]}
    assert (places["wh"]["available"], places["wh"]["safety_stock"]) == ("3", "2")
    assert places["wh"]["heard_at"] == _told(HEARD)
    assert (places["store"]["available"], places["store"]["buffer"]) == ("0", "1")
    fresh = caller.ask("/v1/availability?product=P1&location=wh", key)
    assert fresh.body["oldest"] == _told(HEARD)
    assert fresh.body["products"][0]["available"] == "3"


def test_a_crowd_of_questions_is_one_query(database_url: str, connection: Connection) -> None:
    stock(connection, "wh", "P1", 5)
    work = AvailabilityWork(RulesInForce(), FixedClock(NOW))
    asks = [Question("web", ("P1",), ("wh",)), Question("web", ("P2", "P1"), ())] * 50
    with Counted.connect(database_url) as counted:
        told = work.commit(counted, asks)
        assert counted.statements == 2  # the rules in force, and the stock
    assert len(set(told)) == 2
    assert told[0] is told[2]


class Counted(Connection[Any]):
    """Counts what it is asked."""

    statements = 0

    def execute(self, *arguments: Any, **more: Any) -> Any:
        self.statements += 1
        return super().execute(*arguments, **more)


def _told(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("query", "status", "kind"),
    [
        ("", 400, "request-invalid"),
        ("?product=", 400, "request-invalid"),
        ("?product=P1&colour=red", 400, "request-invalid"),
        ("?product=P1&location=moon", 422, "location-unknown"),
        ("?" + "&".join(f"product=P{n}" for n in range(101)), 400, "request-invalid"),
    ],
)
def test_a_question_nobody_can_answer_is_a_clear_problem(
    caller: Caller, connection: Connection, query: str, status: int, kind: str
) -> None:
    told = caller.ask(f"/v1/availability{query}", client_key(connection, "availability:read"))
    assert (told.status, told.body["type"]) == (status, f"/v1/problems/{kind}")


def test_a_key_for_reservations_does_not_read_availability(
    caller: Caller, connection: Connection
) -> None:
    key = client_key(connection, "reservations:write")
    assert caller.ask("/v1/availability?product=P1", key).status == 403
