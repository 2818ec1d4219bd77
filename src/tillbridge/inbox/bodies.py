"""Bodies of requests, read piece by piece within limits of size, time and memory."""

from __future__ import annotations

import asyncio

from tillbridge.inbox.answers import Event, Receive

BODIES_MOST = 64 * 1024 * 1024
"""Bytes of unfinished bodies one reader holds; slow senders cannot fill its memory."""
BODY_SECONDS = 30.0


class BodyRefused(Exception):
    """Why a body was not read to its end: `too_large`, `slow`, `crowded` (too many unfinished ones)
    or `gone` (the sender left).
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Bodies:
    """Reads the bodies of one application; single-threaded (the event loop's)."""

    def __init__(self) -> None:
        self._unfinished = 0

    async def read(self, receive: Receive, most: int) -> bytes:
        """The whole body, of `most` bytes at the most; raises BodyRefused.

        That the first piece comes in time is the server's business (`http_guard`).
        """
        event = await receive()
        if event["type"] == "http.request" and not event.get("more_body"):
            whole: bytes = event.get("body", b"")
            if len(whole) > most:
                raise BodyRefused("too_large")
            return whole
        try:
            async with asyncio.timeout(BODY_SECONDS):
                return await self._rest(event, receive, most)
        except TimeoutError:
            raise BodyRefused("slow") from None

    async def _rest(self, event: Event, receive: Receive, most: int) -> bytes:
        """The body from its first piece on, counted as it comes."""
        held = 0
        parts: list[bytes] = []
        try:
            while event["type"] == "http.request":
                part = event.get("body", b"")
                held += len(part)
                self._unfinished += len(part)
                if held > most:
                    raise BodyRefused("too_large")
                if self._unfinished > BODIES_MOST:
                    raise BodyRefused("crowded")
                parts.append(part)
                if not event.get("more_body"):
                    return b"".join(parts)
                event = await receive()
            raise BodyRefused("gone")
        finally:
            self._unfinished -= held
