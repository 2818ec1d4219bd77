"""Raw HTTP from a load process: connections that are kept, one request on each at a time.

Who comes while all are busy gets a new one: nobody waits for an earlier answer (open loop).
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import cast

HOST = "127.0.0.1"
CONNECTIONS_MOST = 400
ANSWER_SECONDS = 20.0
IDLE_SECONDS = 2.0
"""Who has rested longer may be just about to be closed by the server."""
Told = tuple[int, bytes]
"""Status and body; status 0 = no answer."""


class _Line(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._buffer = b""
        self._waiting: asyncio.Future[Told] | None = None
        self._transport: asyncio.Transport | None = None
        self._last = False
        self.rests_since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected; uvloop's transports are asyncio's in all but name."""
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, request: bytes) -> asyncio.Future[Told]:
        """Send a whole request."""
        self._waiting = asyncio.get_running_loop().create_future()
        if self._transport is None:
            self._waiting.set_result((0, b"the connection is cut"))
        else:
            self._transport.write(request)
        return self._waiting

    def data_received(self, data: bytes) -> None:
        """A piece of the answer, usually all of it."""
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        told = self._buffer.find(b"content-length: ", 0, head)
        length = 0
        if told >= 0:
            length = int(self._buffer[told + 16 : self._buffer.find(b"\r", told)])
        if len(self._buffer) < head + 4 + length:
            return
        answer = int(self._buffer[9:12]), self._buffer[head + 4 : head + 4 + length]
        self._last = self._buffer.find(b"connection: close", 0, head) >= 0
        self._buffer = b""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """The server cut the connection."""
        self._transport = None
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result((0, b"the connection was cut"))

    @property
    def open(self) -> bool:
        """Whether it can be used again."""
        return self._transport is not None and not self._last

    def close(self) -> None:
        """Give it up."""
        if self._transport is not None:
            self._transport.abort()


class Door:
    """The hub's door for one client."""

    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self._head = (
            f"HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {key}\r\n"
            "Accept: application/json\r\n"
        )
        self._idle: deque[_Line] = deque()
        self._now = asyncio.get_running_loop().time
        self._room = asyncio.Semaphore(CONNECTIONS_MOST)

    async def ask(self, method: str, path: str, body: bytes = b"", key: str = "") -> Told:
        """One request and its answer. key: the Idempotency-Key."""
        head = f"{method} {path} {self._head}"
        if key:
            head += f"Idempotency-Key: {key}\r\n"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        elif method != "GET":
            head += "Content-Length: 0\r\n"
        async with self._room:
            line = await self._line()
            if line is None:
                return 0, b"no connection"
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    answer = await line.ask(f"{head}\r\n".encode() + body)
            except TimeoutError:
                line.close()
                return 0, b"no answer in time"
            if line.open:
                line.rests_since = self._now()
                self._idle.append(line)
            return answer

    async def _line(self) -> _Line | None:
        while self._idle:
            line = self._idle.pop()
            if line.open and self._now() - line.rests_since < IDLE_SECONDS:
                return line
            line.close()
        try:
            loop = asyncio.get_running_loop()
            _, line = await loop.create_connection(_Line, HOST, self._port)
        except OSError:
            return None
        return line
