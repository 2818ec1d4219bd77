"""The one way out: a port for HTTP calls with one method, and its httpx2 implementation.

Errors say what to do next: no answer, a cut connection or a time-out is RetryLater with
`unknown=True` when the request may have reached the other side. Status codes are the client's to
judge; the transport only carries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from tillbridge.atoms.errors import RetryLater

ANSWER_MAX_BYTES = 32 * 1024 * 1024


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
        """Retry-After in seconds, when given as a number."""
        text = self.headers.get("retry-after", "")
        try:
            return float(text) if text else None
        except ValueError:
            return None


class Transport(Protocol):
    """Sends one request and waits for its answer."""

    def send(self, request: Request) -> Response:
        """The answer, whatever its status. Raises RetryLater when there is none."""


class HttpTransport:
    """Transport over httpx2: no redirects, no proxies from the environment, answers capped."""

    def __init__(self) -> None:
        import httpx2

        self._httpx = httpx2
        self._client = httpx2.Client(follow_redirects=False, trust_env=False)

    def send(self, request: Request) -> Response:
        """The answer; RetryLater(unknown=False) when no connection was made, else unknown."""
        httpx = self._httpx
        try:
            with self._client.stream(
                request.method,
                request.url,
                headers=dict(request.headers),
                content=request.body or None,
                timeout=request.timeout_seconds,
            ) as answer:
                parts: list[bytes] = []
                size = 0
                for part in answer.iter_bytes():
                    size += len(part)
                    if size > ANSWER_MAX_BYTES:
                        raise RetryLater(f"the answer of {_host(request.url)} is too large")
                    parts.append(part)
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return Response(status=answer.status_code, headers=headers, body=b"".join(parts))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as problem:
            raise RetryLater(
                f"{_host(request.url)} cannot be reached ({type(problem).__name__})"
            ) from None
        except httpx.TransportError as problem:
            raise RetryLater(
                f"{_host(request.url)} gave no answer ({type(problem).__name__})", unknown=True
            ) from None

    def close(self) -> None:
        """Close idle connections."""
        self._client.close()


def _host(url: str) -> str:
    """Host and port of a URL, without user info, path or query, for messages and logs."""
    rest = url.split("://", 1)[-1].split("/", 1)[0]
    return rest.rsplit("@", 1)[-1]
