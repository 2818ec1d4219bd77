"""Lines of files that are no tables: numbered, of bounded length, in whatever letters they came.

Banks write UTF-8, ISO 8859-1 and older code pages without saying which. Everything that counts is
ASCII, so each line is read as UTF-8 where it is that, else as ISO 8859-1: no line is ever lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from tillbridge.canonical.settlement import Broken

LINE_MOST = 65_536
_EDGES = "\ufeff\x01\x03\x1a\r\n"


def lines_of(stream: BinaryIO) -> Iterator[tuple[int, str] | Broken]:
    """(number, text without its end) of each line; one that is too long or holds a NUL is Broken.

    Control characters of old transmissions (SOH, ETX, SUB) and a byte order mark are taken off.
    """
    n = 0
    while line := stream.readline(LINE_MOST):
        n += 1
        if len(line) == LINE_MOST and not line.endswith(b"\n"):
            yield Broken(n, f"the line has more than {LINE_MOST} bytes")
            while (rest := stream.readline(LINE_MOST)) and not rest.endswith(b"\n"):
                pass
        elif b"\0" in line:
            yield Broken(n, "the line holds a NUL, so it is no text")
        else:
            yield n, _text(line)


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8").strip(_EDGES)
    except UnicodeDecodeError:
        return line.decode("latin-1").strip(_EDGES)
