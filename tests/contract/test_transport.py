"""The one way out: every failure says whether the call may have been applied."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tillbridge.atoms.errors import RetryLater
from tillbridge.contract import httpx_transport
from tillbridge.contract.addresses import LOOPBACK, Reach
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
    transport = HttpTransport(LOOPBACK)
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


class Lookups:
    """A resolver that gives one answer after the other, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def call(url: str, lookups: Lookups, *allow: str) -> Response:
    transport = HttpTransport(allow, resolver=lookups)
    try:
        return transport.send(Request(method="POST", url=url, body=b"{}", timeout_seconds=5.0))
    finally:
        transport.close()


def at_port(far_side: str, host: str) -> str:
    return f"http://{host}:{far_side.rsplit(':', 1)[1]}/busy"


def test_the_connection_goes_to_the_very_address_that_was_judged(far_side: str) -> None:
    lookups = Lookups(["127.0.0.1"], ["169.254.169.254"])
    assert call(at_port(far_side, "erp.invalid"), lookups, "erp.invalid").status == 503
    assert lookups.asked == ["erp.invalid"]  # no second look-up that could say something else


def test_a_name_that_means_another_address_a_moment_later_is_not_followed(far_side: str) -> None:
    lookups = Lookups(["127.0.0.1"], ["127.0.0.2"])
    url = at_port(far_side, "erp.invalid")
    reach = Reach(["127.0.0.1"])
    reach.check("erp.invalid", lookups("erp.invalid", 443))
    with pytest.raises(RetryLater, match="not a public one"):
        reach.check("erp.invalid", lookups("erp.invalid", 443))
    with pytest.raises(RetryLater) as caught:
        call(url.replace("http:", "https:"), lookups, "127.0.0.1")
    assert "not a public one" in caught.value.words
    assert not caught.value.unknown


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]", "[::]",
        "0.0.0.0",  # noqa: S104 - one of the refused
        "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "localhost", "good.example@127.0.0.1", "0",
        "\uff11\uff12\uff17.\uff10.\uff10.\uff11", "169.254.169.254",
        "[fe80::1]", "[64:ff9b::7f00:1]", "10.0.0.1", "192.168.0.1", "",
    ],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https", "ftp", "file", "gopher"])
def test_however_it_is_written_a_private_place_is_not_called(
    far_side: str, scheme: str, host: str
) -> None:
    transport = HttpTransport()
    port = far_side.rsplit(":", 1)[1]
    with pytest.raises(RetryLater) as caught:
        transport.send(Request(method="GET", url=f"{scheme}://{host}:{port}/busy"))
    transport.close()
    assert not caught.value.unknown
    assert re.search("not a public one|https only|names no host|is no URL", caught.value.words)


def test_one_private_address_among_public_ones_is_enough_to_refuse(far_side: str) -> None:
    for found in (["93.184.216.34", "127.0.0.1"], ["2606:2800:220:1::1", "::1"]):
        with pytest.raises(RetryLater, match="not a public one"):
            call("https://mixed.example/", Lookups(found))


def test_proxies_of_the_environment_are_not_asked(
    far_side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", far_side)
    monkeypatch.setenv("ALL_PROXY", far_side)
    with pytest.raises(RetryLater, match="cannot be reached"):
        send(f"http://127.0.0.1:{choose_port('nobody')}/x")


def test_an_answer_that_never_ends_is_cut_off(
    far_side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(httpx_transport, "ANSWER_MAX_SECONDS", -1.0)
    with pytest.raises(RetryLater, match="too slow") as caught:
        send(f"{far_side}/busy")
    assert caught.value.unknown


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
