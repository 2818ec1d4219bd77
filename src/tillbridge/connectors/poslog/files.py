"""Cuts POSLog files into transactions: streaming, in constant memory, byte by byte honest.

Each item is a small UTF-8 document of its own: the namespaces that were in force around the
transaction, and the transaction as it stood. Its delivery id is the hash of exactly that, so a file
sent again collapses and other content is another delivery. What is broken (a transaction without
end, garbage between, a DTD) becomes an item with a problem and a place `name:line:column`
(column counts bytes of the UTF-8 text); the rest goes on.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from tillbridge.atoms.ids import key_of
from tillbridge.connectors.poslog import fields, wire
from tillbridge.connectors.poslog.config import PoslogSettings
from tillbridge.connectors.poslog.encodings import Utf8Stream
from tillbridge.contract.promises import Connection, Item
from tillbridge.contract.totals import FileTotals
from tillbridge.contract.wire import WireError

PROBLEM_BYTES_MAX = 256 * 1024
TAIL_BYTES = 200
COUNT_DIGITS = 10

_NAME = rb"(?:[\w.\-\x80-\xff]+:)?"
_OPEN = re.compile(rb"<(" + _NAME + rb")Transaction(?=[\s/>])")
# Inside a transaction only these can matter; everything else is skipped without a look.
_INSIDE = re.compile(
    rb"<(?:(/)("
    + _NAME
    + rb")Transaction\s*>|("
    + _NAME
    + rb")Transaction(?=[\s/>])|(!--|!\[CDATA\[|\?))"
)
_ENDS = {b"!--": b"-->", b"![CDATA[": b"]]>", b"?": b"?>"}
_TAG = re.compile(
    rb"<(/?)([^\s<>/!?=\"'0-9.\-][^\s<>/=\"']*)((?:\s+[^\s<>/=\"']+\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'))*)\s*(/?)>"
)
_XMLNS = re.compile(rb"\sxmlns(?::([^\s=]+))?\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_LONGEST = len(b"<![CDATA[")


class Piece(msgspec.Struct, frozen=True):
    """Bytes cut from the stream. problem "": a whole transaction, else what is wrong with it."""

    data: bytes
    line: int
    column: int
    spaces: dict[bytes, bytes]
    problem: str = ""


def split(stream: BinaryIO, name: str, connection: Connection, topic: str = "") -> Iterator[Item]:
    """Items of a file, in its order, all of one topic; never raises for what stands in it."""
    del topic  # a file holds nothing but transactions
    settings = connection.settings
    limit = settings.piece_max_bytes if isinstance(settings, PoslogSettings) else 8 * 1024 * 1024
    for piece in Cutter(Utf8Stream(stream), limit).pieces():
        yield _item(piece, f"{name}:{piece.line}:{piece.column}", connection)


def totals(stream: BinaryIO, name: str, connection: Connection) -> FileTotals | None:
    """How many transactions a file says it holds, and how many are whole; None where the settings
    name no element that says so.
    """
    del name
    settings = connection.settings
    if not isinstance(settings, PoslogSettings) or not settings.count_element:
        return None
    element = settings.count_element
    cutter = Cutter(Utf8Stream(stream), settings.piece_max_bytes, element.encode())
    counted = sum(1 for piece in cutter.pieces() if not piece.problem)
    said = cutter.said.strip().decode("ascii", "replace")
    stated = int(said) if said.isascii() and said.isdigit() and len(said) < COUNT_DIGITS else None
    words = ""
    if stated is None:
        told = f"says {said[:40]!r}" if said else "is not there"
        words = f"the file's {element} {told}: nobody can tell whether transactions are missing"
    elif stated != counted:
        words = f"the file's {element} says {stated} transactions, {counted} are whole"
    return FileTotals(stream="transactions", stated=stated, counted=counted, words=words)


def _item(piece: Piece, place: str, connection: Connection) -> Item:
    """The item of a piece; a transaction that is no XML after all is a problem too."""
    problem = piece.problem
    body = piece.data
    key = ""
    if not problem:
        body = _document(piece)
        try:
            key = _key(body, connection)
        except WireError as case:
            problem, body = case.words, piece.data
    identity = body
    if problem:
        body = body[:PROBLEM_BYTES_MAX]
        identity = f"{piece.line}:{piece.column} {problem} ".encode() + body
    return Item(
        topic=wire.TOPIC,
        delivery=hashlib.sha256(identity).hexdigest(),
        body=body,
        key=key,
        place=place,
        problem=problem,
    )


def _document(piece: Piece) -> bytes:
    """A standalone document: only the namespaces the transaction uses, in a fixed order, so that
    the same transaction in another file has the same bytes.
    """
    used = []
    for prefix, uri in sorted(piece.spaces.items()):
        if not prefix or prefix + b":" in piece.data:
            colon = b":" if prefix else b""
            used.append(b" xmlns" + colon + prefix + b'="' + uri + b'"')
    return b"<POSLog" + b"".join(used) + b">" + piece.data + b"</POSLog>"


def _key(body: bytes, connection: Connection) -> str:
    """Aggregate key when the transaction names store, till, day and sequence at its top."""
    found = wire.transactions(fields.parse(body))
    if not found:
        return ""
    try:
        store, till, day, sequence = wire.shallow_identity(found[0])
        if not (store and till and day and sequence):
            return ""
        written = fields.day(day, "BusinessDayDate").isoformat()
    except WireError:
        return ""  # translating tells what is wrong, with the whole transaction as evidence
    return key_of("sale", connection.name, store, till, written, sequence)


class Cutter:
    """Walks through a UTF-8 stream and cuts it into pieces.

    Holds one transaction (at most `limit` bytes) and one chunk at a time.
    """

    def __init__(self, stream: Utf8Stream, limit: int, listen: bytes = b"") -> None:
        """listen: local name of an element beside the transactions whose text is kept in `said`."""
        self.said = b""
        self._listen = listen
        self._stream = stream
        self._limit = limit
        self._buffer = b""
        self._at = 0
        self._line = 1
        self._column = 1
        self._done = False
        # open elements around the present place: name and the namespaces in force inside
        self._open: list[tuple[bytes, dict[bytes, bytes]]] = []
        self._container = -1
        self._tail = b""  # the last bytes that were passed, as evidence of where a file ends
        self._cut = False  # the file ended inside of a transaction, which has said so
        # the markup at the present place is not all there yet
        self._starved = False

    def pieces(self) -> Iterator[Piece]:
        """Transactions and problems, in the order of the stream."""
        while True:
            here = self._buffer.find(b"<", self._at)
            if here < 0 and self._waits_for_text():
                self._more()
                continue
            yield from self._between(len(self._buffer) if here < 0 else here)
            if here >= 0:
                step = self._markup()
                if step is not None:
                    yield step
                if not self._starved:
                    continue
            if self._done:
                break
            self._more()
        if self._stream.problem:
            yield Piece(self._stream.head, 1, 1, {}, self._stream.problem)
        elif self._open and not self._cut:
            names = b"/".join(name for name, _ in self._open).decode("utf-8", "replace")
            words = f"the file ends inside of {names}"
            yield Piece(self._tail, self._line, self._column, {}, words)

    def _waits_for_text(self) -> bool:
        """Whether text has begun that may go on behind the end of the buffer."""
        rest = len(self._buffer) - self._at
        return not self._done and rest <= self._limit and bool(self._buffer[self._at :].strip())

    def _more(self) -> bool:
        """Read on; False at the end of the stream."""
        chunk = self._stream.read()
        if not chunk:
            self._done = True
            return False
        self._buffer = self._buffer[self._at :] + chunk
        self._at = 0
        return True

    def _advance(self, to: int) -> None:
        """Go on to an offset, counting lines and columns on the way."""
        lines = self._buffer.count(b"\n", self._at, to)
        if lines:
            self._line += lines
            self._column = to - self._buffer.rfind(b"\n", self._at, to)
        else:
            self._column += to - self._at
        if to > self._at:
            self._tail = self._buffer[max(self._at, to - TAIL_BYTES) : to]
        self._at = to

    def _problem(self, to: int, words: str) -> Piece:
        piece = Piece(self._buffer[self._at : to], self._line, self._column, {}, words)
        self._advance(to)
        return piece

    def _between(self, to: int) -> Iterator[Piece]:
        """Text between markup: white space is nothing, anything else beside transactions is lost
        content; inside of other elements (a header, a count) it is theirs.
        """
        data = self._buffer[self._at : to]
        depth = len(self._open)
        if self._listen and depth and self._open[-1][0].rpartition(b":")[2] == self._listen:
            self.said += data[:TAIL_BYTES]
        if data.strip() and (depth <= 1 or depth == self._container):
            self._advance(self._at + len(data) - len(data.lstrip()))
            yield self._problem(to, "text stands between the transactions")
        else:
            self._advance(to)

    def _markup(self) -> Piece | None:
        """Handle the markup at the present place; None with `_starved` set when it is cut off."""
        self._starved = False
        start = self._at
        buffer = self._buffer
        if len(buffer) - start < _LONGEST and not self._done:
            self._starved = True
            return None
        for mark, end in _ENDS.items():
            if buffer.startswith(mark, start + 1):
                return self._skip(mark, end)
        if buffer.startswith(b"<!", start):
            return self._declaration()
        tag = _TAG.match(buffer, start)
        if tag is None:
            return self._no_tag()
        if tag.group(2).rpartition(b":")[2] == b"Transaction" and not tag.group(1):
            return self._transaction(tag)
        return self._element(tag)

    def _skip(self, mark: bytes, end: bytes) -> Piece | None:
        """A comment, CDATA section or processing instruction outside of transactions."""
        found = self._buffer.find(end, self._at + 1 + len(mark))
        if found < 0:
            return self._wait("a comment has no end")
        self._advance(found + len(end))
        return None

    def _declaration(self) -> Piece | None:
        """A DTD: refused whole, so that no entity of it is ever known."""
        bracket = self._buffer.find(b"[", self._at)
        close = self._buffer.find(b">", self._at)
        if close >= 0 and 0 <= bracket < close:
            subset = re.compile(rb"\]\s*>").search(self._buffer, bracket)
            close = subset.end() - 1 if subset else -1
        if close < 0:
            return self._wait("a DTD has no end")
        return self._problem(close + 1, "the file declares a DTD, which is never read")

    def _wait(self, words: str) -> Piece | None:
        """Ask for more of the stream, unless what is there is too much already."""
        if self._done or len(self._buffer) - self._at > self._limit:
            return self._garbage(words)
        self._starved = True
        return None

    def _no_tag(self) -> Piece | None:
        """Not (yet) a whole tag."""
        if self._buffer.find(b"<", self._at + 1) < 0:
            return self._wait("a tag has no end")
        return self._garbage("this is no markup")

    def _garbage(self, words: str) -> Piece | None:
        """Everything up to the next transaction, or the end of what is open, is one problem."""
        found = _OPEN.search(self._buffer, self._at + 1)
        to = found.start() if found else len(self._buffer)
        close = -1
        if self._open:
            close = self._buffer.find(b"</" + self._open[-1][0] + b">", self._at + 1, to)
            to = close if close >= 0 else to
        if found or close >= 0 or self._done or len(self._buffer) - self._at > self._limit:
            return self._problem(to, words)
        self._starved = True
        return None

    def _element(self, tag: re.Match[bytes]) -> Piece | None:
        """An element around or beside the transactions."""
        closing, name, attributes, empty = tag.groups()
        if closing:
            if self._open and self._open[-1][0] == name:
                self._open.pop()
                self._advance(tag.end())
                return None
            if any(name == each for each, _ in self._open):
                while self._open.pop()[0] != name:
                    pass
                return self._problem(tag.end(), "an element before this end was never closed")
            return self._garbage("this end tag closes nothing")
        if not empty:
            self._open.append((name, self._spaces(attributes)))
        self._advance(tag.end())
        return None

    def _spaces(self, attributes: bytes) -> dict[bytes, bytes]:
        """Namespaces in force inside of an element."""
        around = self._open[-1][1] if self._open else {}
        if b"xmlns" not in attributes:
            return around
        declared = {
            prefix: double or single for prefix, double, single in _XMLNS.findall(attributes)
        }
        return {**around, **declared}

    def _transaction(self, tag: re.Match[bytes]) -> Piece:
        """Cut a transaction; one that starts before the last one ended makes that one broken."""
        spaces = self._open[-1][1] if self._open else {}
        if tag.group(4):
            end, words = tag.end(), ""
        else:
            end, words = self._end(tag.group(2))
        self._container = len(self._open)
        piece = Piece(self._buffer[self._at : end], self._line, self._column, spaces, words)
        self._advance(end)
        return piece

    def _end(self, name: bytes) -> tuple[int, str]:
        """Where the transaction at the present place ends, reading on as needed, and what is
        wrong with it ("" = nothing).
        """
        prefix = name[: -len(b"Transaction")]
        look = self._at + 1
        while True:
            found = _INSIDE.search(self._buffer, look)
            if found is None:
                keep = max(self._at + 1, len(self._buffer) - len(name) - 64)
                look = max(look, keep)
            elif found.group(4):
                close = self._buffer.find(_ENDS[found.group(4)], found.end())
                if close >= 0:
                    look = close + len(_ENDS[found.group(4)])
                    continue
                look = found.start()
            elif found.group(1):
                if found.group(2) == prefix:
                    return found.end(), ""
                return found.end(), "the transaction ends under another name"
            else:
                return found.start(), "the transaction has no end before the next one starts"
            look -= self._at
            if len(self._buffer) - self._at > self._limit:
                return len(self._buffer), f"the transaction is larger than {self._limit} bytes"
            if not self._more():
                self._cut = True
                return len(self._buffer), "the file ends inside of this transaction"
            look += self._at
