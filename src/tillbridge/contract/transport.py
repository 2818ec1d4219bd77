"""The one way out: a port for HTTP calls with one method (its implementation: `httpx_transport`).

Errors say what to do next: no answer, a cut connection or a time-out is RetryLater with
`unknown=True` when the request may have reached the other side. Status codes are the client's to
judge; the transport only carries.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
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
        """Retry-After in seconds: a number, or an HTTP date seen from the answer's own `Date`, so
        that the two clocks need not agree. None when it is neither (RFC 9110, 10.2.3).
        """
        text = self.headers.get("retry-after", "")
        try:
            seconds = float(text)
        except ValueError:
            until, said = _instant(text), _instant(self.headers.get("date", ""))
            if until is None or said is None:
                return None
            return max((until - said).total_seconds(), 0.0)
        return seconds if 0 <= seconds < math.inf else None


def _instant(text: str) -> datetime | None:
    """An HTTP date; None when it is none."""
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


class Transport(Protocol):
    """Sends one request and waits for its answer."""

    def send(self, request: Request) -> Response:
        """The answer, whatever its status. Raises RetryLater when there is none."""
