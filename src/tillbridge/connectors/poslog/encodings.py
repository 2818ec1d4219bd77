"""Any encoding a file declares becomes UTF-8, chunk by chunk.

The byte order mark decides, then the XML declaration, then UTF-8 (XML 1.0, appendix F). UTF-8 goes
through untouched. Bytes that are no character of another encoding become NUL, which no XML parser
takes: the transaction that holds them is broken, the others go on.
"""

from __future__ import annotations

import codecs
import re
from typing import BinaryIO

CHUNK = 256 * 1024
HEAD = 256
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._\-]{1,40})[\"']")
# What a till may write; anything else is refused by name.
_KNOWN = re.compile(
    r"utf-?16(?:-?le|-?be)?|iso-?8859-\d{1,2}|latin-?[1-9]"
    r"|windows-125\d|cp125\d|cp437|cp850|ibm850|shift_jis|sjis|euc-jp|euc-kr|gb2312|gbk|gb18030"
    r"|big5|windows-874|tis-620|koi8-r|macroman",
    re.IGNORECASE,
)
BROKEN = "poslog-broken"


def _break(problem: UnicodeError) -> tuple[str, int]:
    """Error handler: NUL for the bytes that are no character."""
    if not isinstance(problem, UnicodeDecodeError):
        raise problem
    return "\x00", problem.end


codecs.register_error(BROKEN, _break)


class Utf8Stream:
    """Reads a binary stream as UTF-8. problem: why it cannot be read; head: its first bytes."""

    def __init__(self, stream: BinaryIO, chunk: int = CHUNK) -> None:
        self._stream = stream
        self._chunk = chunk
        self._decoder: codecs.IncrementalDecoder | None = None
        self._started = False
        self.problem = ""
        self.head = b""

    def read(self) -> bytes:
        """Next bytes of UTF-8, b"" at the end (or where the file cannot be read on)."""
        while not self.problem:
            data = self._stream.read(self._chunk)
            if not self._started:
                self._started = True
                data = self._begin(data)
            found = data if self._decoder is None else self._decoded(self._decoder, data)
            if found or not data:
                return found
        return b""

    def _begin(self, data: bytes) -> bytes:
        """Choose the decoder by the head of the file, however small the chunks are."""
        while len(data) < HEAD:
            more = self._stream.read(self._chunk)
            if not more:
                break
            data += more
        name = self._encoding(data)
        if name == "utf-8":
            return data.removeprefix(codecs.BOM_UTF8)
        try:
            self._decoder = codecs.getincrementaldecoder(name)(BROKEN)
        except LookupError:
            self.problem = f"encoding {name!r} is not read"
            self.head = data[:HEAD]
            return b""
        return data

    def _encoding(self, head: bytes) -> str:
        for mark, encoding in _MARKS:
            if head.startswith(mark):
                return encoding
        if head.startswith(b"<\x00"):
            return "utf-16-le"
        if head.startswith(b"\x00<"):
            return "utf-16-be"
        declared = _DECLARED.search(head[:HEAD].lstrip())
        name = declared.group(1).decode("ascii").lower() if declared else "utf-8"
        if name in ("utf-8", "utf8", "us-ascii", "ascii"):
            return "utf-8"
        return name if _KNOWN.fullmatch(name) else f"{name} (unknown)"

    def _decoded(self, decoder: codecs.IncrementalDecoder, data: bytes) -> bytes:
        return decoder.decode(data, final=not data).encode("utf-8", "replace")
