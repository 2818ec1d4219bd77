"""A basket before it is paid: what is checked, and that nothing is held by it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from psycopg import Connection

from tests.app.api.caller import Caller, client_key
from tests.app.api.stocked import SETTINGS, stock
from tillbridge.app.api.dispatch import Api
from tillbridge.app.api.resources import Resources
from tillbridge.app.settings_tables import ChannelSettings, ConnectionSettings
from tillbridge.atoms.ids import party_id
from tillbridge.inbox.group_commit import IntakeWriter
from tillbridge.posting.stock.activation import activate

WEB = ChannelSettings(
    code="web", entity="us", fulfil_from=("wh", "store"), tax_places=("DE", "US-NY")
)
SHOP = ConnectionSettings(connector="shopify", entity="us", channel="web")


class Shop:
    """Asks for baskets to be looked at."""

    def __init__(self, caller: Caller, key: str) -> None:
        self._caller, self._key = caller, key

    def ask(self, *lines: tuple[str, str], **more: Any) -> Any:
        basket = {
            "lines": [
                {"line": str(n), "product": product, "quantity": quantity}
                for n, (product, quantity) in enumerate(lines)
            ],
            **more,
        }
        return self._caller.ask("/v1/checkout/validate", self._key, body=basket)

    def result(self, check: str, *lines: tuple[str, str], **more: Any) -> tuple[str, str]:
        told = self.ask(*lines, **more)
        assert told.status == 200
        found = {one["check"]: (one["result"], one["detail"]) for one in told.body["checks"]}
        failed = any(result == "failed" for result, _ in found.values())
        assert told.body["ok"] is not failed
        return found[check]


@pytest.fixture
def shop(database_url: str, connection: Connection) -> Iterator[Shop]:
    settings = msgspec.structs.replace(
        SETTINGS, channel=[WEB, *SETTINGS.channel[1:]], connection={"shop": SHOP}
    )
    stock(connection, "wh", "P1", 5)
    stock(connection, "store", "P1", 3)
    stock(connection, "wh", "P2", 4)
    connection.execute(
        "insert into item (product, unit, step, sellable) values ('P2', 'EA', 1000, true),"
        " ('OLD', 'EA', 1000, false), ('BOX', 'EA', 1000, true)"
    )
    connection.execute(
        "insert into item_component (bundle, product, quantity)"
        " values ('BOX', 'P1', 1000), ('BOX', 'P2', 2000)"
    )
    connection.execute(
        "insert into item_pack (product, unit, quantity) values ('P2', 'CASE', 6000)"
    )
    connection.execute(
        "insert into party (party, connection) values (%s, 'shop')", (party_id("shop", "C-9"),)
    )
    connection.commit()
    resources = Resources(database_url, settings, IntakeWriter(database_url))
    resources.start()
    yield Shop(Caller(Api(resources)), client_key(connection, "checkout:validate"))
    resources.stop()


def test_a_basket_that_can_be_sold_passes_and_nothing_is_held(
    shop: Shop, connection: Connection
) -> None:
    told = shop.ask(("P1", "2"), ("BOX", "1"), ship_to={"country": "DE"}, customer="C-9")
    assert told.body["ok"] is True
    results = {one["check"]: one["result"] for one in told.body["checks"]}
    assert results == {
        "items": "passed",
        "availability": "passed",
        "tax_jurisdiction": "passed",
        "customer": "passed",
        "price": "not_checked",
        "payment": "not_checked",
    }
    assert [(line["product"], line["available"]) for line in told.body["lines"]] == [
        ("P1", "8"),
        ("BOX", "2"),
    ]
    row = connection.execute("select sum(reserved) from stock").fetchone()
    assert row == (0,)


def test_items_are_known_and_for_sale(shop: Shop) -> None:
    assert shop.result("items", ("P1", "1"), ("P9", "1")) == ("failed", "not known: P9")
    assert shop.result("items", ("OLD", "1")) == ("failed", "not for sale: OLD")


def test_availability_is_that_of_the_whole_basket_at_the_places_of_the_channel(
    shop: Shop, connection: Connection
) -> None:
    assert shop.result("availability", ("P1", "5")) == ("passed", "")
    assert shop.result("availability", ("P1", "6")) == ("failed", "P1: 6 wanted, 5 left")
    assert shop.result("availability", ("P1", "4"), location="store")[0] == "failed"
    # a box holds a P1 and two P2: two boxes and one more P2 are five P2
    assert shop.result("availability", ("BOX", "2"), ("P2", "0.5"))[0] == "failed"
    assert shop.result("availability", ("BOX", "2"), ("P2", "1"))[0] == "failed"
    assert shop.result("availability", ("BOX", "2"), ("P1", "3"))[0] == "passed"
    activate(connection, '[[rule]]\nchannel = "web"\nsafety_stock = 1\n', "ann", "")
    connection.commit()
    assert shop.result("availability", ("P1", "5"))[0] == "failed"


def test_tax_places_and_customers_are_those_of_the_channel(shop: Shop) -> None:
    def tax(**to: str) -> str:
        return shop.result("tax_jurisdiction", ("P1", "1"), ship_to=to)[0]

    assert tax(country="US", region="NY") == "passed"
    assert tax(country="US", region="CA") == "failed"
    assert tax(country="FR") == "failed"
    assert shop.result("tax_jurisdiction", ("P1", "1"))[0] == "not_checked"
    assert shop.result("tax_jurisdiction", ("P1", "1"), location="store")[0] == "passed"
    assert shop.result("customer", ("P1", "1")) == ("passed", "a guest")
    assert shop.result("customer", ("P1", "1"), customer="C-1")[0] == "failed"


@pytest.mark.parametrize(
    ("lines", "more", "problem"),
    [
        ((), {}, "request-invalid"),
        ((("P1", "0"),), {}, "request-invalid"),
        ((("P1", "-1"),), {}, "request-invalid"),
        ((("P1", "1.0001"),), {}, "request-invalid"),
        ((("P1", "1"),), {"location": "moon"}, "location-unknown"),
        ((("P1", "1"),), {"ship_to": {"country": "Germany"}}, "request-invalid"),
    ],
)
def test_a_basket_that_cannot_be_is_refused(
    shop: Shop, lines: tuple[tuple[str, str], ...], more: dict[str, Any], problem: str
) -> None:
    assert shop.ask(*lines, **more).body["type"] == f"/v1/problems/{problem}"


def test_two_lines_of_one_name_are_refused(shop: Shop) -> None:
    line = {"line": "1", "product": "P1", "quantity": "1"}
    told = shop.ask(lines=[line, line])
    assert (told.status, told.body["detail"]) == (400, "Two lines have one name.")


def test_lines_are_written_as_those_of_a_reservation(shop: Shop) -> None:
    told = shop.ask(lines=[{"product": "P1", "quantity": 8}, {"product": "P2", "quantity": "0.5"}])
    assert [line["line"] for line in told.body["lines"]] == ["1", "2"]
    found = {one["check"]: one["detail"] for one in told.body["checks"]}
    assert "P2" in found["availability"]
