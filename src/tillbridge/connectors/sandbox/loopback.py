"""A small HTTP/1.1 server on 127.0.0.1 that the simulators stand on.

It carries a call to one function and its answer back; a call may also be cut (no answer at all).
Stopping it closes the listening socket and every live connection at once, as a killed process
would, and it can be started again on the same port.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import msgspec

HOST = "127.0.0.1"
# Below the kernel's ephemeral ports, so that no outgoing connection can hold one of ours.
FIRST_PORT, LAST_PORT = 20000, 32000
BODY_MAX_BYTES = 8 * 1024 * 1024


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """An incoming HTTP call; header names are lower case, query values keep their order."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP answer; status 0 means: cut the connection without a word."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}


CUT = Answer(status=0)


def json_answer(status: int, value: object, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer with a JSON body."""
    named = {"Content-Type": "application/json", **(headers or {})}
    return Answer(status=status, body=msgspec.json.encode(value), headers=named)


class LoopbackServer:
    """Serves one function over HTTP on 127.0.0.1, a thread per connection."""

    def __init__(self, answer: Callable[[Call], Answer], port: int = 0) -> None:
        """answer: called in many threads at once. port: 0 = a free one outside 32768-60999."""
        self._answer = answer
        self._port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        """`http://127.0.0.1:port`; the port is kept over stop and start."""
        return f"http://{HOST}:{self._port}"

    def start(self) -> str:
        """Begin to listen; gives the address. Raises OSError when the port is taken."""
        handler = type("Handler", (_Handler,), {"answer_call": staticmethod(self._answer)})
        self._server = _listen(self._port, handler)
        self._port = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()
        return self.address

    def stop(self) -> None:
        """Stop listening and cut every live connection. Harmless when not started."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._server.server_close()
        self._server.cut_all()
        self._thread.join(timeout=5)
        self._server = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._live: set[socket.socket] = set()
        self._live_lock = threading.Lock()
        super().__init__(address, handler)

    def server_bind(self) -> None:
        # HTTPServer asks DNS for the machine's name here; nobody needs it.
        socket_server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._live_lock:
            self._live.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._live_lock:
            self._live.discard(request)
        super().shutdown_request(request)

    def cut_all(self) -> None:
        with self._live_lock:
            live = list(self._live)
        for connection in live:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away is no event for the simulator's output."""


def socket_server_bind(server: _Server) -> None:
    """Bind without the look-up of a host name."""
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.socket.bind(server.server_address)
    server.server_address = server.socket.getsockname()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024  # head and body leave in one segment
    answer_call: ClassVar[Callable[[Call], Answer]]

    def handle_any(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        if size > BODY_MAX_BYTES:
            self._write(Answer(status=413))
            self.close_connection = True
            return
        parts = urlsplit(self.path)
        call = Call(
            method=self.command,
            path=parts.path,
            query=parse_qs(parts.query),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(size),
        )
        answer = type(self).answer_call(call)
        if answer.status == 0:
            self.close_connection = True
            return
        self._write(answer)

    do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815

    def _write(self, answer: Answer) -> None:
        if "Date" in answer.headers:  # of a simulator with a clock of its own
            self.send_response_only(answer.status)
        else:
            self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_arguments: object) -> None:
        """Calls are in the simulator's own request log, not on the terminal."""


def _listen(port: int, handler: type[BaseHTTPRequestHandler]) -> _Server:
    if port:
        return _Server((HOST, port), handler)
    span = LAST_PORT - FIRST_PORT
    begin = os.getpid() * 7 % span
    for step in range(span):
        try:
            return _Server((HOST, FIRST_PORT + (begin + step) % span), handler)
        except OSError:
            continue
    raise OSError(f"no free port between {FIRST_PORT} and {LAST_PORT}")
