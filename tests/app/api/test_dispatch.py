"""How a request is judged before its handler: each refusal is a problem of its own type."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from psycopg import Connection

from tests.app.api.caller import AWAY, SETTINGS, Caller, client_key
from tests.app.api.conftest import Opens
from tillbridge.app.api.dispatch import Api
from tillbridge.app.api.problems import PROBLEMS, TYPES
from tillbridge.app.api.resources import Resources
from tillbridge.app.api.routes import Call, Route, Table
from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.inbox.answers import Answer, answer

TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Basket(msgspec.Struct, forbid_unknown_fields=True):
    lines: list[str]


class Note(msgspec.Struct, forbid_unknown_fields=True):
    words: str = ""


class Wanted(msgspec.Struct):
    product: list[str]
    most: int = 5


async def _told(_: Resources, call: Call) -> Answer:
    """Everything the call holds, as JSON."""
    if call.query is not None and call.query.most == 13:
        raise RuntimeError("a defect")
    if call.query is not None and call.query.most == 14:
        raise RetryLater("the desk is full", after_seconds=3)
    if call.query is not None and call.query.most == 15:
        raise Refused("no such thing is sold")
    found = {
        "who": call.who.name,
        "channel": call.who.channel,
        "path": dict(call.path),
        "query": call.query,
        "body": call.body,
        "key": call.key,
        "asked": call.asked.hex(),
        "trace": (call.trace or b"").decode(),
    }
    return answer(200, msgspec.json.encode(found))


ROUTES = (
    Route(
        method="POST",
        path="/v1/baskets",
        words="",
        handle=_told,
        answers={200: dict},
        scope="orders:write",
        asks=Basket,
        keyed=True,
        body_most=100,
    ),
    Route(
        method="GET",
        path="/v1/baskets/{id}/lines/{line}",
        words="",
        handle=_told,
        answers={200: dict},
        scope="availability:read",
        query=Wanted,
        deprecated=date(2026, 9, 1),
        sunset=date(2027, 9, 1),
        instead="/v2/baskets",
    ),
    Route(
        method="POST",
        path="/v1/notes",
        words="",
        handle=_told,
        answers={200: dict},
        scope="orders:write",
        asks=Note,
    ),
    Route(method="GET", path="/v1/open", words="", handle=_told, answers={200: dict}),
)


@pytest.fixture
def caller(database_url: str, opens: Opens) -> Caller:
    return Caller(Api(opens(database_url), ROUTES))


@pytest.fixture
def key(connection: Connection) -> str:
    return client_key(connection, "orders:write", "availability:read")


def refused(told: Any, name: str) -> None:
    """Whether an answer is this problem."""
    status = PROBLEMS[name].status
    assert (told.status, told.body["status"], told.body["type"]) == (status, status, TYPES + name)
    assert told.headers[b"content-type"] == b"application/problem+json"


def test_a_handler_is_given_what_its_row_says(caller: Caller, key: str) -> None:
    heads = {b"idempotency-key": b'"k-1"', b"traceparent": TRACE}
    told = caller.ask("/v1/baskets", key, body=Basket(["a"]), heads=heads)
    assert told.status == 200
    assert told.body["who"] == "shop"
    assert told.body["channel"] == "web"
    assert told.body["body"] == {"lines": ["a"]}
    assert told.body["key"] == "k-1"
    assert told.body["trace"].encode() == told.headers[b"traceparent"] == TRACE
    told = caller.ask("/v1/baskets/7%20b/lines/2?product=x&product=y&most=2", key)
    assert told.body["path"] == {"id": "7 b", "line": "2"}
    assert told.body["query"] == {"product": ["x", "y"], "most": 2}
    assert caller.ask("/v1/open").body["who"] == ""


def test_the_same_request_and_no_other_has_the_same_hash(caller: Caller, key: str) -> None:
    def asked(body: bytes) -> str:
        heads = {b"idempotency-key": b"k"}
        return str(caller.ask("/v1/baskets", key, body=body, heads=heads).body["asked"])

    assert asked(b'{"lines":[]}') == asked(b'{"lines":[]}') != asked(b'{"lines":["a"]}')


def test_addresses_and_methods_that_are_not_there(caller: Caller, key: str) -> None:
    refused(caller.ask("/v1/basket", key), "not-found")
    refused(caller.ask("/v1/baskets/1/lines/", key), "not-found")
    told = caller.ask("/v1/baskets", key)
    refused(told, "method-not-allowed")
    assert told.headers[b"allow"] == b"POST"


def test_a_key_without_the_scope_is_refused(connection: Connection, caller: Caller) -> None:
    key = client_key(connection, "checkout:validate")
    refused(caller.ask("/v1/baskets/1/lines/1?product=x", key), "scope-missing")
    told = caller.ask("/v1/baskets/1/lines/1?product=x")
    refused(told, "key-missing")
    assert told.headers[b"www-authenticate"] == b"Bearer"
    refused(caller.ask("/v1/baskets/1/lines/1?product=x", key[:-1]), "key-wrong")


def test_a_body_that_need_not_say_anything_may_be_left_out(caller: Caller, key: str) -> None:
    assert caller.ask("/v1/notes", key, method="POST").body["body"] == {"words": ""}
    assert caller.ask("/v1/notes", key, body={"words": "x"}).body["body"] == {"words": "x"}
    typed = {b"content-type": b"text/plain"}
    refused(caller.ask("/v1/notes", key, method="POST", heads=typed), "media-type")
    longer = {b"content-length": b"2"}
    refused(caller.ask("/v1/notes", key, method="POST", heads=longer), "media-type")
    heads = {b"idempotency-key": b"k"}
    refused(caller.ask("/v1/baskets", key, method="POST", heads=heads), "media-type")


@pytest.mark.parametrize(
    ("heads", "body", "name"),
    [
        ({b"accept": b"text/html"}, b"{}", "not-acceptable"),
        ({b"content-type": b"text/json"}, b"{}", "media-type"),
        ({b"content-type": b"application/json", b"content-encoding": b"gzip"}, b"{}", "media-type"),
        ({b"content-length": b"101"}, b"{}", "body-too-large"),
        ({}, b" " * 101, "body-too-large"),
        ({b"idempotency-key": b""}, b'{"lines":[]}', "idempotency-key-missing"),
        ({b"idempotency-key": b"a b"}, b'{"lines":[]}', "idempotency-key-missing"),
        ({b"idempotency-key": b"k" * 256}, b'{"lines":[]}', "idempotency-key-missing"),
        ({}, b"{", "request-invalid"),
        ({}, b"[" * 90, "request-invalid"),
        ({}, b'{"lines":[1]}', "request-invalid"),
        ({}, b'{"lines":[],"line":1}', "request-invalid"),
        ({}, b'{"lines":[],"lines":[]}', "request-invalid"),
    ],
)
def test_what_breaks_the_contract_is_told(
    caller: Caller, key: str, heads: dict[bytes, bytes], body: bytes, name: str
) -> None:
    given = {b"idempotency-key": b"k", **heads}
    refused(caller.ask("/v1/baskets", key, body=body, heads=given), name)


@pytest.mark.parametrize(
    "query",
    ["", "product=x&produkt=y", "product=x&most=1&most=2", "product=x&most=z", "product=%00",
     "product=%ff"],
)  # fmt: skip
def test_a_query_is_as_strict_as_a_body(caller: Caller, key: str, query: str) -> None:
    refused(caller.ask(f"/v1/baskets/1/lines/1?{query}", key), "request-invalid")


def test_defects_and_errors_of_rooms_become_problems(caller: Caller, key: str) -> None:
    path = "/v1/baskets/1/lines/1?product=x&most="
    told = caller.ask(path + "13", key)
    refused(told, "unexpected")
    assert "RuntimeError" not in str(told.body)
    told = caller.ask(path + "14", key)
    refused(told, "store-away")
    assert told.headers[b"retry-after"] == b"3"
    refused(caller.ask(path + "15", key), "refused")


def test_a_database_that_is_away_is_told_as_such(key: str, opens: Opens) -> None:
    told = Caller(Api(opens(AWAY), ROUTES)).ask("/v1/baskets/1/lines/1?product=x", key)
    refused(told, "store-away")
    assert told.headers[b"retry-after"] == b"5"


def test_an_old_route_says_until_when_it_is_there(caller: Caller, key: str) -> None:
    headers = caller.ask("/v1/baskets/1/lines/1?product=x", key).headers
    assert headers[b"deprecation"] == b"@1788220800"
    assert headers[b"sunset"] == b"Wed, 01 Sep 2027 00:00:00 GMT"
    assert headers[b"link"] == b'</v2/baskets>; rel="successor-version"'
    assert b"deprecation" not in caller.ask("/v1/open").headers


def test_who_asks_too_much_waits_and_everybody_is_told_what_is_left(
    connection: Connection, database_url: str, opens: Opens
) -> None:
    hub = msgspec.structs.replace(SETTINGS.hub, api_rate=1)
    settings = msgspec.structs.replace(SETTINGS, hub=hub)
    caller = Caller(Api(opens(database_url, settings), ROUTES))
    key = client_key(connection, "availability:read")
    path = "/v1/baskets/1/lines/1?product=x"
    told = [caller.ask(path, key) for _ in range(11)]
    assert [one.status for one in told[:10]] == [200] * 10
    assert told[0].headers[b"ratelimit-policy"] == b'"key";q=10;w=10'
    assert told[0].headers[b"ratelimit"] == b'"key";r=9;t=1'
    refused(told[10], "rate-limited")
    assert told[10].headers[b"retry-after"] == b"1"
    other = client_key(connection, "availability:read", rate=500, name="till")
    assert caller.ask(path, other).headers[b"ratelimit-policy"] == b'"key";q=5000;w=10'


def test_answers_are_counted_by_route_and_status(caller: Caller, key: str) -> None:
    caller.ask("/v1/open")
    caller.ask("/v1/baskets/1/lines/1", key)
    assert caller.api.counts == {
        ("GET", "/v1/open", 200): 1,
        ("GET", "/v1/baskets/{id}/lines/{line}", 400): 1,
    }


def test_two_routes_of_one_address_and_method_are_refused() -> None:
    with pytest.raises(ValueError, match="GET /v1/open stands twice"):
        Table((ROUTES[-1], ROUTES[-1]))
