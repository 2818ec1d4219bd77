"""The one way out: a port for HTTP calls with one method (its implementation: `httpx_transport`).

Errors say what to do next: no answer, a cut connection or a time-out is RetryLater with
`unknown=True` when the request may have reached the other side. Status codes are the client's to
judge; the transport only carries.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

import msgspec


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP request. timeout_seconds covers connect and answer each."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes = b""
    timeout_seconds: float = 30.0


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP answer; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after(self) -> float | None:
        """Retry-After in seconds, when given as a number that can be waited for."""
        text = self.headers.get("retry-after", "")
        try:
            seconds = float(text)
        except ValueError:
            return None
        return seconds if 0 <= seconds < math.inf else None


class Transport(Protocol):
    """Sends one request and waits for its answer."""

    def send(self, request: Request) -> Response:
        """The answer, whatever its status. Raises RetryLater when there is none."""
