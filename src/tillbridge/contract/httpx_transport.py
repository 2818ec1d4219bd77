"""The transport over httpx2: no redirects, no proxies from the environment, answers capped."""

from __future__ import annotations

import httpx2

from tillbridge.atoms.errors import RetryLater
from tillbridge.contract.transport import Request, Response

ANSWER_MAX_BYTES = 32 * 1024 * 1024


class HttpTransport:
    """Transport over httpx2: no redirects, no proxies from the environment, answers capped."""

    def __init__(self) -> None:
        self._client = httpx2.Client(follow_redirects=False, trust_env=False)

    def send(self, request: Request) -> Response:
        """The answer; RetryLater(unknown=False) when no connection was made, else unknown."""
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
                        words = f"the answer of {_host(request.url)} is too large"
                        raise RetryLater(words, unknown=True)
                    parts.append(part)
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return Response(status=answer.status_code, headers=headers, body=b"".join(parts))
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as problem:
            raise RetryLater(
                f"{_host(request.url)} cannot be reached ({type(problem).__name__})"
            ) from None
        except httpx2.RequestError as problem:
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
