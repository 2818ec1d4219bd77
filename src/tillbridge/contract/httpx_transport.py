"""The transport over httpx2: only where the connection may call, no redirects, no proxies from the
environment, answers capped in size and time.

A host is resolved here, every address it has is judged (`addresses.Reach`), and the connection is
made to exactly the address that was judged, so that a name cannot mean another one a moment later.
TLS still checks the certificate against the name. What the far side answers is never in our words.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlsplit

import httpcore2
import httpx2

from tillbridge.atoms.clock import Clock, SystemClock
from tillbridge.atoms.errors import RetryLater
from tillbridge.contract.addresses import Reach
from tillbridge.contract.transport import Request, Response

ANSWER_MAX_BYTES = 32 * 1024 * 1024
ANSWER_MAX_SECONDS = 300.0
"""A far side that sends a byte now and then breaks no time-out between two of them."""

Resolver = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, as the machine's resolver gives them. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class HttpTransport:
    """Transport over httpx2 for connections that may call the same places."""

    def __init__(
        self,
        allow: Sequence[str] = (),
        *,
        resolver: Resolver = resolve,
        clock: Clock | None = None,
    ) -> None:
        """allow: places without a public address that may be called (see `Reach`)."""
        self._reach = Reach(allow)
        self._clock = clock or SystemClock()
        guarded = _GuardedTransport(self._reach, resolver)
        self._client = httpx2.Client(follow_redirects=False, trust_env=False, transport=guarded)

    def send(self, request: Request) -> Response:
        """The answer; RetryLater(unknown=False) when no connection was made, else unknown."""
        try:
            url = httpx2.URL(request.url)
        except (httpx2.InvalidURL, ValueError):
            raise RetryLater("the address to call is no URL") from None
        if not url.host:
            raise RetryLater("the address to call names no host")
        self._reach.check_scheme(url.scheme, url.host)
        try:
            return self._answer(request)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as problem:
            raise RetryLater(
                f"{_host(request.url)} cannot be reached ({type(problem).__name__})"
            ) from None
        except httpx2.RequestError as problem:
            raise RetryLater(
                f"{_host(request.url)} gave no answer ({type(problem).__name__})", unknown=True
            ) from None

    def _answer(self, request: Request) -> Response:
        end = self._clock.monotonic() + ANSWER_MAX_SECONDS
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
                if size > ANSWER_MAX_BYTES or self._clock.monotonic() > end:
                    words = f"the answer of {_host(request.url)} is too large or too slow"
                    raise RetryLater(words, unknown=True)
                parts.append(part)
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Response(status=answer.status_code, headers=headers, body=b"".join(parts))

    def close(self) -> None:
        """Close idle connections."""
        self._client.close()


class _GuardedTransport(httpx2.HTTPTransport):
    """httpx2's transport with a pool whose connections are judged when they are made."""

    def __init__(self, reach: Reach, resolver: Resolver) -> None:
        super().__init__(trust_env=False)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(trust_env=False),
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=_Guard(reach, resolver),
        )


class _Guard(httpcore2.NetworkBackend):
    """Resolves, judges, and connects to what was judged."""

    def __init__(self, reach: Reach, resolver: Resolver) -> None:
        self._reach = reach
        self._resolver = resolver
        self._network = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """A connection to one of the host's addresses, tried in order."""
        try:
            found = self._resolver(host, port)
        except (OSError, UnicodeError):
            raise httpcore2.ConnectError(f"{host} has no address") from None
        self._reach.check(host, found)
        problem: Exception = httpcore2.ConnectError(f"{host} has no address")
        for address in found:
            try:
                stream = self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as away:
                problem = away
                continue
            peer = stream.get_extra_info("server_addr")
            if not peer or peer[0].partition("%")[0] != address.partition("%")[0]:
                stream.close()
                raise httpcore2.ConnectError(f"{host} is not where it was looked up")
            return stream
        raise problem


def _host(url: str) -> str:
    """Host and port of a URL, without user info, path or query, for messages and logs."""
    return urlsplit(url).netloc.rsplit("@", 1)[-1]
