"""Cuts JSON text into values while it streams by: no tree, bounded memory, every byte kept.

It finds where a value ends (brackets and strings), not whether it is good JSON; the caller judges
the piece. Results do not depend on how the stream is chunked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

CHUNK = 65_536
VALUE_MAX = 8 * 1024 * 1024
PIECE_MAX = 1024 * 1024

_MARK = re.compile(rb'["\[\]{}]')
_IN_STRING = re.compile(rb'["\\]')
_SCALAR_END = re.compile(rb"[\s,\]}]")
_BLANK = re.compile(rb"[ \t\r\n]*")


class Scanner:
    """A position in a stream of JSON text. line and column (in bytes) count from 1."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._buffer = bytearray()
        self._ended = False
        self.line = 1
        self.column = 1

    @property
    def place(self) -> str:
        """`line:column` of the next byte."""
        return f"{self.line}:{self.column}"

    def ahead(self, size: int) -> bytes:
        """The next bytes without taking them: `size`, fewer only at the end."""
        while len(self._buffer) < size and self._fill():
            pass
        return bytes(self._buffer[:size])

    def blanks(self) -> bytes:
        """Skip white space; gives the next byte, b"" at the end."""
        while True:
            match = _BLANK.match(self._buffer)
            if match is not None and match.end():
                self.take(match.end())
            if self._buffer or not self._fill():
                return self.ahead(1)

    def take(self, size: int) -> bytes:
        """Take bytes that are known to be there."""
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        lines = taken.count(b"\n")
        self.line += lines
        self.column = len(taken) - taken.rfind(b"\n") if lines else self.column + len(taken)
        return taken

    def value(self) -> bytes | None:
        """Take the value that starts here; None when it does not end (nothing is taken then)."""
        first = self.ahead(1)
        size = self._container() if first in (b"{", b"[", b'"') else self._until(_SCALAR_END)
        # Judged by the value alone, so that the size of the reads cannot make a difference.
        return None if size is None or size > VALUE_MAX else self.take(size)

    def until(self, stop: bytes) -> Iterator[bytes]:
        """Take everything before the next of the stop bytes, in pieces of at most PIECE_MAX."""
        pattern = re.compile(b"[" + re.escape(stop) + b"]")
        while self.ahead(1):
            self.ahead(PIECE_MAX)
            match = pattern.search(self._buffer, 0, PIECE_MAX)
            piece = self.take(match.start() if match else min(len(self._buffer), PIECE_MAX))
            if piece:
                yield piece
            if match:
                return

    def rest(self) -> Iterator[bytes]:
        """Take everything that is left, in pieces of at most PIECE_MAX."""
        while self.ahead(1):
            yield self.take(len(self.ahead(PIECE_MAX)))

    def _fill(self) -> bool:
        if self._ended:
            return False
        chunk = self._stream.read(CHUNK)
        self._ended = not chunk
        self._buffer += chunk
        return not self._ended

    def _until(self, pattern: re.Pattern[bytes]) -> int | None:
        """Length of a scalar: up to what may follow one, or the end."""
        while True:
            match = pattern.search(self._buffer)
            if match is not None:
                return match.start()
            if len(self._buffer) > VALUE_MAX:
                return None
            if not self._fill():
                return len(self._buffer)

    def _container(self) -> int | None:
        """Length of a string, list or object; None when it does not end or is too long."""
        at = depth = 0
        in_string = False
        while True:
            match = (_IN_STRING if in_string else _MARK).search(self._buffer, at)
            if match is None:
                at = max(at, len(self._buffer))
                if at > VALUE_MAX or not self._fill():
                    return None
                continue
            mark = match[0]
            at = match.end()
            if mark == b"\\":
                at += 1
            elif mark == b'"':
                in_string = not in_string
            else:
                depth += 1 if mark in b"[{" else -1
            if depth == 0 and not in_string:
                return at
