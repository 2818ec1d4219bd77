"""Webhooks: what is let in, what is turned away, and that 200 means committed."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest
from psycopg import Connection

from tests.inbox.signed_shop import (
    OLD_SECRET,
    SECRET,
    Reply,
    ShopConnector,
    ask,
    connections,
    signed,
)
from tillbridge.inbox import bodies
from tillbridge.inbox.group_commit import IntakeWriter
from tillbridge.inbox.webhooks import Counts, IntakeConnection, Webhooks, kept_headers

BODY = b'{"id": 1, "total": "10.00"}'


@pytest.fixture
def writer(database_url: str) -> Iterator[IntakeWriter]:
    writer = IntakeWriter(database_url)
    writer.start()
    yield writer
    writer.stop()


@pytest.fixture
def webhooks(writer: IntakeWriter) -> Webhooks:
    return Webhooks(connections(), writer)


def post(webhooks: Webhooks, body: bytes | Sequence[bytes], **named: Any) -> Reply:
    path = named.pop("path", "/in/web")
    return asyncio.run(ask(webhooks, path, body, **named))


def messages(connection: Connection) -> list[tuple[Any, ...]]:
    connection.rollback()
    return connection.execute(
        "select topic, delivery, problem, body, headers from message order by id"
    ).fetchall()


def test_a_signed_delivery_is_stored_raw_and_told_to_the_log(
    webhooks: Webhooks, connection: Connection
) -> None:
    headers = signed(BODY, delivery="d-1", order="77", topic="orders/paid")
    reply = post(webhooks, BODY, headers=headers, path="/in/web/anything/else")
    assert (reply.status, reply.headers["delivery-outcome"]) == (200, "new")
    topic, delivery, problem, body, _ = messages(connection)[0]
    assert (topic, delivery, problem, body) == ("orders/paid", "d-1", "", BODY)
    (row,) = connection.execute("select key, type, fused, body from record").fetchall()
    assert row[:3] == ("order/web/77", "Received", False)
    assert msgspec.json.decode(row[3])["connection"] == "web"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-signature": ""},
        signed(BODY, "a wrong secret"),
        signed(BODY + b" "),
        {"x-signature": signed(BODY)["x-signature"][:-1]},
    ],
)
def test_a_wrong_signature_leaves_nothing_but_a_count(
    webhooks: Webhooks, connection: Connection, headers: dict[str, str]
) -> None:
    reply = post(webhooks, BODY, headers=headers)
    assert reply.status == 401
    assert reply.headers["content-type"] == "application/problem+json"
    assert webhooks.counts.values == {("web", "not_signed"): 1}
    for table in ("message", "delivery", "record"):
        assert connection.execute(f"select count(*) from {table}").fetchone() == (0,)


def test_a_second_signature_header_does_not_hide_the_first(webhooks: Webhooks) -> None:
    good = signed(BODY)["x-signature"].encode()

    async def twice() -> int:
        statuses: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": BODY}

        async def send(event: Any) -> None:
            statuses.append(event.get("status", 0))

        raw = [(b"x-signature", b"0" * 64), (b"x-signature", good)]
        scope = {"type": "http", "method": "POST", "path": "/in/web", "headers": raw}
        await webhooks(scope, receive, send)
        return statuses[0]

    assert asyncio.run(twice()) == 401


def test_each_live_secret_opens_the_door(webhooks: Webhooks) -> None:
    for number, secret in enumerate((SECRET, OLD_SECRET)):
        body = b'{"n": %d}' % number
        assert post(webhooks, body, headers=signed(body, secret)).status == 200


def test_a_connection_without_secrets_lets_nobody_in(writer: IntakeWriter) -> None:
    closed = IntakeConnection(name="web", connector=ShopConnector())
    assert post(Webhooks({"web": closed}, writer), BODY, headers=signed(BODY, "")).status == 401


def test_a_connector_that_fails_to_verify_lets_nobody_in(writer: IntakeWriter) -> None:
    class Broken(ShopConnector):
        def verify(self, *_: Any) -> bool:
            raise ValueError

    broken = IntakeConnection(name="web", connector=Broken(), secrets=(SECRET,))
    assert post(Webhooks({"web": broken}, writer), BODY, headers=signed(BODY)).status == 401


def test_a_connector_that_fails_to_address_loses_nothing(
    writer: IntakeWriter, connection: Connection
) -> None:
    class Broken(ShopConnector):
        def address(self, *_: Any) -> Any:
            raise ValueError

    broken = IntakeConnection(name="web", connector=Broken(), secrets=(SECRET,))
    assert post(Webhooks({"web": broken}, writer), BODY, headers=signed(BODY)).status == 200
    assert messages(connection)[0][3] == BODY


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/in/nobody", "POST", 404),
        ("/in/", "POST", 404),
        ("/in/silent", "POST", 405),
        ("/in/web", "GET", 405),
        ("/in/web", "PUT", 405),
    ],
)
def test_strangers_are_told_so(webhooks: Webhooks, path: str, method: str, status: int) -> None:
    reply = post(webhooks, BODY, path=path, headers=signed(BODY), method=method)
    assert reply.status == status
    assert msgspec.json.decode(reply.body)["status"] == status


def test_names_made_up_by_strangers_make_no_new_counters(webhooks: Webhooks) -> None:
    for number in range(20):
        post(webhooks, BODY, path=f"/in/stranger-{number}")
    assert webhooks.counts.values == {("", "unknown_connection"): 20}


def test_a_told_length_beyond_the_limit_is_refused_before_reading(webhooks: Webhooks) -> None:
    async def receive() -> dict[str, Any]:
        raise AssertionError("the body was read")

    async def refused() -> int:
        sent: list[Any] = []

        async def send(event: Any) -> None:
            sent.append(event)

        scope = {
            "type": "http", "method": "POST", "path": "/in/web",
            "headers": [(b"content-length", b"10001")],
        }  # fmt: skip
        await webhooks(scope, receive, send)
        assert (b"connection", b"close") in sent[0]["headers"]
        return int(sent[0]["status"])

    assert asyncio.run(refused()) == 413


def test_an_endless_body_is_cut_at_the_limit(webhooks: Webhooks) -> None:
    pulled = itertools.count(1)

    async def receive() -> dict[str, Any]:
        assert next(pulled) <= 11, "went on reading beyond the limit"
        return {"type": "http.request", "body": b"x" * 1_000, "more_body": True}

    async def refused() -> int:
        sent: list[Any] = []

        async def send(event: Any) -> None:
            sent.append(event)

        scope = {"type": "http", "method": "POST", "path": "/in/web", "headers": []}
        await webhooks(scope, receive, send)
        return int(sent[0]["status"])

    assert asyncio.run(refused()) == 413
    assert post(webhooks, BODY, headers=signed(BODY)).status == 200


def test_a_body_in_pieces_is_one_body(webhooks: Webhooks, connection: Connection) -> None:
    pieces = [BODY[:5], b"", BODY[5:]]
    assert post(webhooks, pieces, headers=signed(BODY)).status == 200
    assert messages(connection)[0][3] == BODY


def test_a_sender_that_leaves_half_way_stores_nothing(
    webhooks: Webhooks, connection: Connection
) -> None:
    async def leave() -> None:
        events: Iterator[dict[str, Any]] = iter(
            [
                {"type": "http.request", "body": BODY[:5], "more_body": True},
                {"type": "http.disconnect"},
            ]
        )

        async def receive() -> dict[str, Any]:
            return next(events)

        async def send(event: Any) -> None:
            return None

        scope = {"type": "http", "method": "POST", "path": "/in/web", "headers": []}
        await webhooks(scope, receive, send)

    asyncio.run(leave())
    assert messages(connection) == []
    assert webhooks.counts.values == {("web", "gone"): 1}


def test_a_body_that_stops_half_way_is_not_waited_for(
    webhooks: Webhooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.05)

    async def stall() -> int:
        sent: list[Any] = []
        pieces = [{"type": "http.request", "body": BODY[:5], "more_body": True}]

        async def receive() -> dict[str, Any]:
            return pieces.pop() if pieces else await asyncio.Future()

        async def send(event: Any) -> None:
            sent.append(event)

        scope = {"type": "http", "method": "POST", "path": "/in/web", "headers": []}
        await webhooks(scope, receive, send)
        return int(sent[0]["status"])

    assert asyncio.run(stall()) == 408


def test_unfinished_bodies_together_are_bounded(
    webhooks: Webhooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODIES_MOST", 8_000)

    async def two_at_once() -> list[int]:
        pieces = [b"x" * 3_000, b"x" * 3_000, b"x"]
        replies = await asyncio.gather(*(ask(webhooks, "/in/web", pieces) for _ in range(2)))
        return sorted(reply.status for reply in replies)

    assert asyncio.run(two_at_once()) == [401, 503]
    assert post(webhooks, BODY, headers=signed(BODY)).status == 200


@pytest.mark.parametrize(
    "body",
    [b"", b"\x00", b"not json", b'{"a": NaN}', b'{"a":"\\u0000"}', b"\xff\xfe", b"[" * 5_000],
)
def test_a_signed_body_that_does_not_parse_is_kept_as_it_came(
    webhooks: Webhooks, connection: Connection, body: bytes
) -> None:
    assert post(webhooks, body, headers=signed(body)).status == 200
    assert messages(connection)[0][3] == body


def test_compressed_bodies_are_refused(webhooks: Webhooks) -> None:
    headers = {**signed(BODY), "content-encoding": "gzip"}
    assert post(webhooks, BODY, headers=headers).status == 415


def test_the_same_delivery_again_is_acknowledged_and_kept_once(
    webhooks: Webhooks, connection: Connection
) -> None:
    headers = signed(BODY, delivery="d-1")
    replies = [post(webhooks, BODY, headers=headers) for _ in range(3)]
    assert [reply.status for reply in replies] == [200] * 3
    outcomes = [reply.headers["delivery-outcome"] for reply in replies]
    assert outcomes == ["new", "duplicate", "duplicate"]
    assert len(messages(connection)) == 1
    assert connection.execute("select copies from delivery").fetchone() == (3,)
    assert connection.execute("select count(*) from record").fetchone() == (1,)


def test_a_known_id_with_another_body_is_kept_with_a_problem(
    webhooks: Webhooks, connection: Connection
) -> None:
    post(webhooks, BODY, headers=signed(BODY, delivery="d-1"))
    other = BODY.replace(b"10.00", b"99.00")
    reply = post(webhooks, other, headers=signed(other, delivery="d-1"))
    assert (reply.status, reply.headers["delivery-outcome"]) == (200, "conflict")
    first, second = messages(connection)
    assert (first[2], first[3]) == ("", BODY)
    assert "another body" in second[2]
    assert second[3] == other


@pytest.mark.parametrize("odd", ["x" * 5_000, "\xff\x80", "a\x01b"])
def test_hostile_ids_and_keys_are_stored_all_the_same(
    webhooks: Webhooks, connection: Connection, odd: str
) -> None:
    reply = post(webhooks, BODY, headers=signed(BODY, delivery=odd, order=odd, topic=odd))
    assert reply.status == 200
    assert len(messages(connection)) == 1


def test_secrets_and_signatures_are_not_kept_and_the_trace_is(
    webhooks: Webhooks, connection: Connection
) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    headers = {
        **signed(BODY),
        "Authorization": "Bearer s3cret",
        "Cookie": "s3cret",
        "X-Api-Key": "s3cret",
        "X-Shop-Token": "s3cret",
        "X-Shop-Domain": "example.test",
        "Content-Type": "application/json",
        "Traceparent": trace,
    }
    assert post(webhooks, BODY, headers=headers).status == 200
    kept = msgspec.json.decode(messages(connection)[0][4])
    assert kept == {"x-shop-domain": "example.test", "content-type": "application/json"}
    assert connection.execute("select trace from record").fetchone() == (trace.encode(),)


def test_few_and_short_headers_are_kept() -> None:
    kept = kept_headers({f"x-{number}": "v" * 9_000 for number in range(500)})
    assert len(kept) <= 40
    assert max(map(len, kept.values())) <= 500


def test_a_nonsense_trace_is_not_kept(webhooks: Webhooks, connection: Connection) -> None:
    post(webhooks, BODY, headers={**signed(BODY), "traceparent": "'; drop table record"})
    assert connection.execute("select trace from record").fetchone() == (None,)


def test_sixty_four_at_once_are_each_stored_once(
    webhooks: Webhooks, writer: IntakeWriter, connection: Connection
) -> None:
    async def all_at_once() -> list[Reply]:
        bodies = [b'{"n": %d}' % number for number in range(64)]
        return await asyncio.gather(
            *(ask(webhooks, "/in/web", body, signed(body)) for body in bodies)
        )

    assert {reply.status for reply in asyncio.run(all_at_once())} == {200}
    assert len(messages(connection)) == 64
    assert writer.batches < 64


def test_secrets_can_be_changed_while_running(webhooks: Webhooks) -> None:
    new = IntakeConnection(name="web", connector=ShopConnector(), secrets=("brand new",))
    webhooks.connections = {"web": new}
    assert post(webhooks, BODY, headers=signed(BODY)).status == 401
    assert post(webhooks, BODY, headers=signed(BODY, "brand new")).status == 200


def test_counts_are_by_connection_and_outcome() -> None:
    counts = Counts()
    counts.add("web", "new")
    counts.add("web", "new")
    assert counts.values == {("web", "new"): 2}
