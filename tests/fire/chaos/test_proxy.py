"""The proxy passes on what it should, and makes the weather it is told to."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.fire.chaos.proxy import FAIR, Proxy, Weather
from tillbridge.app.http import listen


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A proxy before a server that says everything back."""
    echo = listen("127.0.0.1", 0)

    def serve() -> None:
        while True:
            try:
                plug, _ = echo.accept()
            except OSError:
                return
            threading.Thread(target=_say_back, args=(plug,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    free = listen("127.0.0.1", 0)
    port = free.getsockname()[1]
    free.close()
    found = Proxy(port, echo.getsockname()[1], seed=1)
    yield found
    found.close()
    echo.shutdown(socket.SHUT_RDWR)
    echo.close()


def _say_back(plug: socket.socket) -> None:
    with plug:
        try:
            while words := plug.recv(65_536):
                plug.sendall(words)
        except OSError:
            return


def said(proxy: Proxy, words: bytes, seconds: float = 5.0) -> bytes:
    """What comes back until everything, an end or the time; ConnectionError when it was reset."""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=seconds) as plug:
        plug.sendall(words)
        found = b""
        while len(found) < len(words):
            piece = plug.recv(65_536)
            if not piece:
                break
            found += piece
        return found


def test_fair_weather_passes_everything_on(proxy: Proxy) -> None:
    words = b"x" * 300_000
    assert said(proxy, words) == words


def test_slices_and_delay_pass_everything_on_later(proxy: Proxy) -> None:
    proxy.weather = Weather(delay=0.01, slices=10)
    began = time.monotonic()
    assert said(proxy, b"y" * 200) == b"y" * 200
    assert time.monotonic() - began > 0.2


@pytest.mark.parametrize("weather", [Weather(refuse=True), Weather(cut_after=50), Weather(reset=1)])
def test_bad_weather_is_a_reset(proxy: Proxy, weather: Weather) -> None:
    proxy.weather = weather
    with pytest.raises(ConnectionError):
        said(proxy, b"z" * 100_000)
    proxy.weather = FAIR
    assert said(proxy, b"again") == b"again"


@pytest.mark.parametrize("weather", [Weather(silent_up=True), Weather(silent_down=True)])
def test_silence_is_no_answer_and_no_error(proxy: Proxy, weather: Weather) -> None:
    proxy.weather = weather
    with pytest.raises(TimeoutError):
        said(proxy, b"hello", seconds=0.3)


def test_a_cut_ends_what_is_under_way(proxy: Proxy) -> None:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as plug:
        plug.sendall(b"one")
        assert plug.recv(10) == b"one"
        assert proxy.cut() == 1
        with pytest.raises(ConnectionError):
            plug.recv(10)
