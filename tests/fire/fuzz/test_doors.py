"""Damaged requests at the open door: nobody unsigned comes in, nothing ends the server."""

from __future__ import annotations

import base64
import contextlib
import hmac
import itertools
import random
import re
import select
import socket
from collections.abc import Callable, Iterator, Sequence

import pytest
from psycopg import Connection

from tests.app.http_server import start
from tests.fire.fuzz.mutations import mutants
from tests.inbox.signed_shop import SECRET, signature
from tillbridge.connectors.shopify import webhooks

SEED = 20260116
SHOP_SECRET = "the shop's own"
BODY = b'{"id":450789469,"total_price":"199.00","currency":"USD"}'
LONG = pytest.param(10_000, marks=[pytest.mark.long, pytest.mark.timeout(1_800)])
WAIT_SECONDS = 0.7
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


def request(body: bytes = BODY, secret: str = SECRET, path: str = "/in/web") -> bytes:
    """A signed delivery as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n"
        f"X-Signature: {signature(body, secret)}\r\nX-Topic: orders/create\r\n"
        f"X-Delivery: d-{hmac.digest(b'', body, 'sha256').hex()}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


CORPUS = [
    request(),
    request(b'{"id": 2}', path="/in/web/orders"),
    b"GET /metrics HTTP/1.1\r\nHost: hub\r\n\r\n",
    b"GET /health/ready HTTP/1.1\r\nHost: hub\r\n\r\n",
    b"POST /in/web HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n",
    b"POST /in/web HTTP/1.1\r\nHost: hub\r\nContent-Length: 3\r\nContent-Length: 30\r\n\r\n{}\n",
]


@pytest.fixture
def door(database_url: str) -> Iterator[int]:
    """The port of a real server."""
    child, port = start(database_url)
    for _ in range(60):  # it listens already and takes a moment to answer
        if answers(port, [b"GET /health/live HTTP/1.1\r\nHost: hub\r\n\r\n"]):
            break
    yield port
    child.terminate()
    child.wait(timeout=20)


def answers(port: int, raws: Sequence[bytes]) -> list[int]:
    """Status codes that come back for raw bytes, one connection each, all at once. What waits for
    more bytes is left after WAIT_SECONDS without any answer.
    """
    lines = [socket.create_connection(("127.0.0.1", port), timeout=5.0) for _ in raws]
    received = dict.fromkeys(lines, b"")
    for line, raw in zip(lines, raws, strict=True):
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            line.sendall(raw)
    waiting = set(lines)
    while waiting:
        ready, _, _ = select.select(waiting, (), (), WAIT_SECONDS)
        for line in ready:
            with contextlib.suppress(ConnectionResetError):
                if part := line.recv(65_536):
                    received[line] += part
                    continue
            waiting.discard(line)
        if not ready:
            break
    for line in lines:
        line.close()
    return [int(code) for text in received.values() for code in _STATUS.findall(text)]


@pytest.mark.parametrize("count", [300, LONG])
def test_no_damaged_request_is_the_servers_fault_or_ends_it(
    door: int, connection: Connection, count: int
) -> None:
    assert answers(door, [request()]) == [200]
    told: list[int] = []
    for _, group in itertools.groupby(mutants(CORPUS, count, SEED), lambda one: one[0] // 30):
        numbers, raws = zip(*group, strict=True)
        codes = answers(door, raws)
        assert not [code for code in codes if code >= 500], (SEED, numbers, codes)
        told += codes
    assert len(told) > count / 3
    assert {400, 401} <= set(told)
    assert answers(door, [request()]) == [200]
    stored = connection.execute("select body from message").fetchall()
    assert {bytes(body) for (body,) in stored} <= {BODY, b'{"id": 2}'}


Forged = tuple[bytes, str, str]


def forgeries(dice: random.Random) -> tuple[Callable[[], Forged], ...]:
    """Body, header and signature: each differs from what was signed, or from who signed it."""
    mac = hmac.digest(SHOP_SECRET.encode(), BODY, "sha256")
    good = base64.b64encode(mac).decode()
    name = "X-Shopify-Hmac-Sha256"

    def flipped(text: bytes, bits: int) -> bytes:
        at = dice.randrange(len(text))
        return text[:at] + bytes([text[at] ^ 1 << dice.randrange(bits)]) + text[at + 1 :]

    def by(secret: bytes, kind: str) -> str:
        return base64.b64encode(hmac.digest(secret, BODY, kind)).decode()

    return (
        lambda: (flipped(BODY, 8), name, good),
        lambda: (BODY[: dice.randrange(len(BODY))], name, good),
        lambda: (BODY + dice.choice((b" ", b"\n", b"\x00", b"{}")), name, good),
        lambda: (BODY, name, flipped(good.encode(), 7).decode()),
        lambda: (BODY, name, good[: dice.randrange(len(good))]),
        lambda: (BODY, name, dice.choice((f"{good}, {good}", f" {good}", f"{good}\n", f"{good}="))),
        lambda: (BODY, name, dice.choice((mac.hex(), good.lower(), good.swapcase(), f"x{good}"))),
        lambda: (BODY, name, base64.urlsafe_b64encode(mac).decode().rstrip("=")),
        lambda: (BODY, name, by(dice.choice((b"", b"another", b"the shop's own ")), "sha256")),
        lambda: (BODY, name, by(SHOP_SECRET.encode(), dice.choice(("sha1", "sha512", "md5")))),
        lambda: (BODY, dice.choice(("X-Shopify-Hmac", "Hmac-Sha256", f"{name} ", "X-H")), good),
        lambda: (BODY, name, bytes(dice.randrange(128) for _ in range(44)).decode()),
    )


@pytest.mark.parametrize("count", [300, LONG])
def test_no_forged_signature_is_taken(count: int) -> None:
    kinds = forgeries(random.Random(SEED))  # noqa: S311 - repeats with its seed
    live = (SHOP_SECRET, "", "another shop's")
    for number in range(count):
        body, name, text = kinds[number % len(kinds)]()
        assert not webhooks.verify(body, {name: text}, live), (number, body, name, text)
    mac = hmac.digest(SHOP_SECRET.encode(), BODY, "sha256")
    good = {"X-Shopify-Hmac-Sha256": base64.b64encode(mac).decode()}
    assert webhooks.verify(BODY, good, live)
