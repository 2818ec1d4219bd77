"""Limits on what a caller may send before any application sees it: size and time of the head.

uvicorn bounds neither with its C parser; a caller that sends headers for ever, or one byte a
minute, would hold memory and a connection. The size of
bodies is bounded by who reads them.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from tillbridge.app.one_write import OneWrite

HEAD_MOST = 64 * 1024
HEAD_SECONDS = 10.0
BODY_SECONDS = 60.0
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol with a bounded head and a time for the whole request.

    A request that comes in one piece sets no timer.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._in_head = True
        self._complete = False
        self._head = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A new connection: its first head is due."""
        super().connection_made(OneWrite(transport, self.loop))
        self._timer = self.loop.call_later(HEAD_SECONDS, self._cut)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, then look whether the request is still open."""
        super().data_received(data)
        if self._complete or self.transport.is_closing():
            return
        if self._in_head:
            self._head += len(data)
            if self._head > HEAD_MOST:
                self.transport.write(_TOO_LARGE)
                self._cut()
                return
        if self._timer is None:
            seconds = HEAD_SECONDS if self._in_head else BODY_SECONDS
            self._timer = self.loop.call_later(seconds, self._cut)

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = True
        self._complete = False
        self._head = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._complete = True
        self._stop_timer()
        super().on_message_complete()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cut(self) -> None:
        self._stop_timer()
        self.transport.close()
