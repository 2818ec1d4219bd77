"""Head and body of an answer leave in one system call and, small enough, in one packet.

uvicorn writes the head and then the body, and the event loop hands each to the kernel at once: two
system calls and two packets for every answer. Here what is written in one turn of the loop is
gathered and leaves at its end.
"""

from __future__ import annotations

import asyncio
from typing import Any


class OneWrite(asyncio.Transport):
    """A transport in front of the real one; everything but writing goes straight through."""

    __slots__ = ("_behind", "_loop", "_waiting")

    def __init__(self, behind: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._behind = behind
        self._loop = loop
        self._waiting: list[Any] = []

    def write(self, data: Any) -> None:
        """Gather; the first of a turn asks for the end of the turn."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(data)

    def _flush(self) -> None:
        if self._waiting:
            whole = b"".join(self._waiting)
            self._waiting.clear()
            self._behind.write(whole)

    def close(self) -> None:
        """What was written still leaves."""
        self._flush()
        self._behind.close()

    def abort(self) -> None:
        """Nothing leaves any more."""
        self._waiting.clear()
        self._behind.abort()

    def is_closing(self) -> bool:
        """Whether it is closing or closed."""
        return self._behind.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the real one says."""
        return self._behind.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """Read no more for now."""
        self._behind.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        self._behind.resume_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Who is told from now on."""
        self._behind.set_protocol(protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who is told."""
        return self._behind.get_protocol()
