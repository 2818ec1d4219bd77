"""The one way out: every failure says whether the call may have been applied."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tillbridge.atoms.errors import RetryLater
from tillbridge.contract import httpx_transport
from tillbridge.contract.httpx_transport import HttpTransport
from tillbridge.contract.transport import Request, Response
from tillbridge.durable.postgres.supervisor import choose_port


class FarSide(BaseHTTPRequestHandler):
    """Answers by the path."""

    def do_POST(self) -> None:
        """One odd answer each."""
        self.rfile.read(int(self.headers.get("content-length", "0")))
        if self.path == "/cut":
            self.connection.close()
            return
        if self.path == "/slow":
            threading.Event().wait(1.0)
            return
        self.send_response({"/busy": 503, "/moved": 302}.get(self.path, 200))
        self.send_header("Retry-After", "7")
        self.send_header("Location", "/elsewhere")
        if self.path == "/garbled":
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(b"answer" * (1000 if self.path == "/large" else 1))

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def far_side() -> Iterator[str]:
    """The address of a far side on the loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", choose_port("far side")), FarSide)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://anna:secret@127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def send(url: str, seconds: float = 5.0) -> Response:
    transport = HttpTransport()
    try:
        return transport.send(Request(method="POST", url=url, body=b"{}", timeout_seconds=seconds))
    finally:
        transport.close()


def test_an_answer_is_carried_whatever_its_status(far_side: str) -> None:
    found = send(f"{far_side}/busy")
    assert (found.status, found.body, found.retry_after) == (503, b"answer", 7.0)
    assert send(f"{far_side}/moved").status == 302  # and not followed


@pytest.mark.parametrize("path", ["cut", "slow", "garbled", "large"])
def test_a_call_that_may_have_been_applied_is_unknown(
    far_side: str, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(httpx_transport, "ANSWER_MAX_BYTES", 1000)
    with pytest.raises(RetryLater) as caught:
        send(f"{far_side}/{path}", 0.3)
    assert caught.value.unknown
    assert "secret" not in caught.value.words


def test_a_call_that_reached_nobody_was_not_applied() -> None:
    with pytest.raises(RetryLater) as caught:
        send(f"http://127.0.0.1:{choose_port('nobody')}/x")
    assert not caught.value.unknown


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3", 3.0),
        ("0.5", 0.5),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
    ],
)
def test_a_wish_for_patience_is_a_number_that_can_be_waited_for(
    text: str, seconds: float | None
) -> None:
    found = Response(status=429, headers={"retry-after": text}, body=b"")
    assert found.retry_after == seconds


@pytest.mark.parametrize(
    ("until", "said", "seconds"),
    [
        ("Fri, 31 Jan 2026 23:59:59 GMT", "Fri, 31 Jan 2026 23:59:29 GMT", 30.0),
        ("Friday, 31-Jan-26 23:59:59 GMT", "Fri, 31 Jan 2026 23:59:29 GMT", 30.0),
        ("Fri, 31 Jan 2026 23:59:29 GMT", "Fri, 31 Jan 2026 23:59:59 GMT", 0.0),
        ("Fri, 31 Jan 2026 23:59:59 GMT", "", None),
        ("Fri, 99 Jan 2026 23:59:59 GMT", "Fri, 31 Jan 2026 23:59:29 GMT", None),
    ],
)
def test_a_date_to_wait_for_is_seen_from_the_clock_of_the_far_side(
    until: str, said: str, seconds: float | None
) -> None:
    headers = {"retry-after": until, "date": said}
    assert Response(status=503, headers=headers, body=b"").retry_after == seconds
