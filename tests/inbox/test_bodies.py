"""Bodies are read within limits, and what is held is given back however it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tillbridge.inbox import bodies
from tillbridge.inbox.bodies import Bodies, BodyRefused


def read(*pieces: bytes, most: int = 10, leaves: bool = False) -> bytes:
    events: Iterator[Any] = iter(
        [
            {"type": "http.request", "body": piece, "more_body": number < len(pieces) or leaves}
            for number, piece in enumerate(pieces, start=1)
        ]
        + [{"type": "http.disconnect"}]
    )

    async def receive() -> Any:
        return next(events)

    reader = Bodies()
    try:
        return asyncio.run(reader.read(receive, most))
    finally:
        assert reader._unfinished == 0


def test_a_body_is_put_together_from_its_pieces() -> None:
    assert read(b"12345") == b"12345"
    assert read(b"12345", b"67890") == b"1234567890"


def test_a_body_that_is_too_large_or_ends_early_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def why(*pieces: bytes, leaves: bool = False) -> str:
        with pytest.raises(BodyRefused) as refused:
            read(*pieces, leaves=leaves)
        return refused.value.why

    assert why(b"12345678901") == "too_large"
    assert why(b"123456", b"789012") == "too_large"
    assert why(b"12", leaves=True) == "gone"
    monkeypatch.setattr(bodies, "BODIES_MOST", 3)
    assert why(b"12", b"34") == "crowded"
