"""Answers over ASGI: small ready-made ones, and problems in the words of RFC 9457."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

Scope = MutableMapping[str, Any]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]

JSON = b"application/json"
PROBLEM = b"application/problem+json"
TEXT = b"text/plain; charset=utf-8"
CLOSE: Headers = ((b"connection", b"close"),)
"""For answers given before the body was read: what still comes is not listened to."""


class Answer(msgspec.Struct, frozen=True):
    """A whole answer, ready to be sent any number of times."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]

    async def send(self, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def answer(status: int, body: bytes, kind: bytes = JSON, headers: Headers = ()) -> Answer:
    """An answer with its length told."""
    told = (
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *headers,
    )
    return Answer(status, body, told)


def problem(status: int, detail: str, headers: Headers = (), **members: Any) -> Answer:
    """An `application/problem+json` answer; detail is a sentence for the one who called."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **members,
    }
    return answer(status, msgspec.json.encode(document), PROBLEM, headers)
