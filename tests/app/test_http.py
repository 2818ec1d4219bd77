"""The ASGI application as a whole, in process and as a real server that is killed."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from psycopg import Connection
from uvicorn.server import ServerState

from tests.app.http_server import start
from tests.inbox.signed_shop import ask, connections, signed
from tillbridge.app import http_guard
from tillbridge.app.http import Site
from tillbridge.inbox.answers import TEXT, Receive, Scope, Send, answer

AWAY = "postgresql://nobody@127.0.0.1:9/nothing"


@pytest.fixture
def server(database_url: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    child, port = start(database_url)
    yield child, port
    child.terminate()
    child.wait(20)


def test_the_process_is_live_even_when_the_store_is_away() -> None:
    reply = asyncio.run(ask(Site(AWAY, {}), "/health/live", method="GET"))
    assert reply.status == 200


def test_ready_says_why_it_is_not(database_url: str, empty_database_url: str) -> None:
    def ready(url: str) -> tuple[int, bytes]:
        reply = asyncio.run(ask(Site(url, {}), "/health/ready", method="GET"))
        return reply.status, reply.body

    assert ready(database_url)[0] == 200
    status, words = ready(AWAY)
    assert status == 503
    assert b"away" in words
    status, words = ready(empty_database_url)
    assert status == 503
    assert b"schema" in words


def test_metrics_tell_intake_by_connection_and_outcome(database_url: str) -> None:
    site = Site(database_url, connections())
    site.writer.start()

    async def told() -> str:
        await ask(site, "/in/web", b"1", signed(b"1"))
        await ask(site, "/in/web", b"2", {})
        return (await ask(site, "/metrics", method="GET")).body.decode()

    text = asyncio.run(told())
    site.writer.stop()
    assert 'tillbridge_intake_deliveries_total{connection="web",outcome="new"} 1.0' in text
    assert 'tillbridge_intake_deliveries_total{connection="web",outcome="not_signed"} 1.0' in text
    assert "tillbridge_store_up 1.0" in text
    assert "tillbridge_messages 1.0" in text


def test_metrics_are_there_when_the_store_is_away() -> None:
    reply = asyncio.run(ask(Site(AWAY, {}), "/metrics", method="GET"))
    assert reply.status == 200
    assert b"tillbridge_store_up 0.0" in reply.body


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [("/", "GET", 404), ("/int/web", "POST", 404), ("/metrics", "POST", 405)],
)
def test_other_addresses_are_answered_with_a_problem(path: str, method: str, status: int) -> None:
    reply = asyncio.run(ask(Site(AWAY, {}), path, method=method))
    assert reply.status == status
    assert reply.headers["content-type"] == "application/problem+json"


def test_other_applications_can_be_mounted() -> None:
    async def later(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(200, scope["path"].encode(), TEXT).send(send)

    site = Site(AWAY, {}, mounts={"/v1": later})
    assert asyncio.run(ask(site, "/v1/orders", method="GET")).body == b"/v1/orders"
    assert asyncio.run(ask(site, "/v10", method="GET")).status == 404


def test_a_killed_server_loses_nothing_that_it_acknowledged(
    server: tuple[subprocess.Popen[bytes], int], connection: Connection
) -> None:
    child, port = server
    acknowledged: set[str] = set()

    async def sender(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            for step in range(10_000):
                name = f"d-{number}-{step}"
                writer.write(request(name.encode(), delivery=name))
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200"), head
                acknowledged.add(name)
                if len(acknowledged) == 300:
                    child.send_signal(signal.SIGKILL)
        writer.close()

    async def kill_in_between() -> None:
        await asyncio.gather(*(sender(number) for number in range(16)))

    asyncio.run(kill_in_between())
    rows = connection.execute("select delivery, body from message").fetchall()
    assert len(acknowledged) >= 300
    assert acknowledged <= {row[0] for row in rows}
    assert all(row[1] == row[0].encode() for row in rows)


def test_an_asked_to_stop_server_answers_what_it_has_taken(
    server: tuple[subprocess.Popen[bytes], int], connection: Connection
) -> None:
    child, port = server
    with socket.create_connection(("127.0.0.1", port), timeout=20) as caller:
        caller.sendall(request(b"first"))
        assert caller.recv(4096).startswith(b"HTTP/1.1 200")
    child.terminate()
    assert child.wait(20) in (0, -signal.SIGTERM)
    assert connection.execute("select count(*) from record").fetchone() == (1,)


def test_two_processes_share_an_address(database_url: str, connection: Connection) -> None:
    child, port = start(database_url, processes=2)
    try:
        for number in range(20):
            with socket.create_connection(("127.0.0.1", port), timeout=20) as caller:
                caller.sendall(request(b"%d" % number))
                assert caller.recv(4096).startswith(b"HTTP/1.1 200")
    finally:
        child.terminate()
        child.wait(20)
    assert connection.execute("select count(*) from record").fetchone() == (20,)
    with pytest.raises(OSError, match="refused"):
        wait_for_refusal(port)


def test_an_endless_chunked_body_is_cut_and_the_others_go_on(
    server: tuple[subprocess.Popen[bytes], int],
) -> None:
    _, port = server
    with socket.create_connection(("127.0.0.1", port), timeout=20) as caller:
        caller.sendall(b"POST /in/web HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        chunk = b"400\r\n" + b"x" * 1024 + b"\r\n"
        with contextlib.suppress(OSError):
            for _ in range(100_000):
                caller.sendall(chunk)
            pytest.fail("a hundred megabytes were taken")
    with socket.create_connection(("127.0.0.1", port), timeout=20) as caller:
        caller.sendall(request(b"next"))
        assert caller.recv(4096).startswith(b"HTTP/1.1 200")


def test_an_endless_head_is_cut(server: tuple[subprocess.Popen[bytes], int]) -> None:
    _, port = server
    with socket.create_connection(("127.0.0.1", port), timeout=20) as caller:
        caller.sendall(b"POST /in/web HTTP/1.1\r\n")
        with contextlib.suppress(OSError):
            for number in range(100_000):
                caller.sendall(b"x-%d: %s\r\n" % (number, b"y" * 1000))
            pytest.fail("a hundred megabytes of headers were taken")


@pytest.mark.parametrize(
    "begin",
    [
        b"",
        b"GET / HTTP/1.1\r\nhost",
        b"POST /in/web HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n",
        b"POST /in/web HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhalf",
    ],
)
def test_a_request_that_never_ends_is_cut_in_time(
    monkeypatch: pytest.MonkeyPatch, begin: bytes
) -> None:
    monkeypatch.setattr(http_guard, "HEAD_SECONDS", 0.1)
    monkeypatch.setattr(http_guard, "BODY_SECONDS", 0.1)

    async def slow() -> bytes:
        site = Site(AWAY, connections())
        config = uvicorn.Config(site, http=http_guard.GuardedProtocol, lifespan="off")
        config.load()
        loop = asyncio.get_running_loop()

        def protocol() -> asyncio.Protocol:
            return http_guard.GuardedProtocol(config, ServerState(), {}, loop)

        listening = await loop.create_server(protocol, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begin)
        told = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        listening.close()
        return told

    assert asyncio.run(slow()) == b""


def request(body: bytes, **headers: Any) -> bytes:
    """A signed POST to the shop's connection as bytes."""
    named = {"host": "x", "content-length": str(len(body)), **signed(body, **headers)}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"POST /in/web HTTP/1.1\r\n{head}\r\n".encode() + body


def wait_for_refusal(port: int) -> None:
    """Raises once nobody listens there any more."""
    for _ in range(200):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        signal.sigtimedwait([], 0.02)
