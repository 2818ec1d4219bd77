"""Cuts a file into deliveries, streaming: one per sale, order, count, product or payment.

A row that cannot be read becomes an item with a problem at file:line:column, the others go on. A
file whose control totals do not agree, or whose header lacks a column, is one item with a problem:
half of it might be missing, so none of it is believed. Such a file is read twice, never kept.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, BinaryIO, cast

from tillbridge.atoms.ids import key_of
from tillbridge.atoms.money import MoneyError, to_minor
from tillbridge.connectors.feed.config import FeedConfig, mapping_of
from tillbridge.connectors.feed.control import compared, control_problem, is_control
from tillbridge.connectors.feed.fields import identity_of
from tillbridge.connectors.feed.kinds import SCHEMA
from tillbridge.connectors.feed.mapping import Mapping
from tillbridge.connectors.feed.rows import Row, raw, rows
from tillbridge.connectors.feed.till_fields import TILL_KINDS
from tillbridge.connectors.feed.transforms import WrongValue
from tillbridge.connectors.feed.wire import body_of
from tillbridge.contract.promises import Connection, Item
from tillbridge.contract.totals import FileTotals

GROUP_MAX = 10_000
KEPT_BELOW = 10**17
"""A figure of a control record that is larger is nonsense, and none the store could hold."""
BROKEN_MAX = 100
SPOOL_MAX = 16 * 1024 * 1024
KEPT_MAX = 1024 * 1024


def split(stream: BinaryIO, name: str, connection: Connection) -> Iterator[Item]:
    """Items of a feed file; `name` is only used to say where things stood."""
    mapping = mapping_of(cast("FeedConfig", connection.settings))
    if mapping.control is None:
        yield from _Cutter(mapping, name, connection).items(stream)
        return
    with rereadable(stream) as source:
        start = source.tell()
        line, words = control_problem(rows(source, mapping.layout), mapping)
        source.seek(start)
        if not words:
            yield from _Cutter(mapping, name, connection).items(source)
            return
        kept = source.read(KEPT_MAX)
        if kept.strip():
            yield _whole(mapping, f"{name}:{line}:1", words, kept)


def totals(stream: BinaryIO, name: str, connection: Connection) -> FileTotals | None:
    """What the control record of a feed file says, and what its rows are; None without one in the
    mapping.
    """
    del name
    mapping = mapping_of(cast("FeedConfig", connection.settings))
    if mapping.control is None:
        return None
    one = compared(rows(stream, mapping.layout), mapping)
    currency = connection.currency if _sums_money(mapping) else ""
    there, here = _minor(one.stated_sum, currency), _minor(one.counted_sum, currency)
    if there is None or here is None:
        currency, there, here = "", None, None
    return FileTotals(
        stream=mapping.kind,
        stated=one.stated if one.stated is not None and abs(one.stated) < KEPT_BELOW else None,
        counted=one.counted,
        currency=currency,
        stated_sum=there,
        counted_sum=here,
        words=one.words,
        refused=bool(one.words),
    )


def _sums_money(mapping: Mapping) -> bool:
    """Whether the column a control record sums up is read as an amount."""
    named = mapping.control.of if mapping.control is not None else ""
    sections = SCHEMA[mapping.kind]
    return any(
        named in source.columns and sections[part.section][field].kind == "amount"
        for part in mapping.parts
        for field, source in part.fields.items()
    )


def _minor(amount: Decimal | None, currency: str) -> int | None:
    try:
        found = None if amount is None or not currency else to_minor(amount, currency)
    except MoneyError:
        return None
    return found if found is None or abs(found) < KEPT_BELOW else None


class Columns:
    """The columns of a file: named by its mapping or by its header, which is the first row then.

    headed: whether they are known.
    """

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._names: tuple[str, ...] = mapping.layout.columns
        self.headed = not mapping.layout.header

    def take_header(self, row: Row) -> str:
        """Take the header's names; returns what is wrong with it."""
        if row.problem:
            return f"the header cannot be read: {row.problem}"
        found = [str(name).strip() for name in row.values or ()]
        twice = sorted({name for name in found if found.count(name) > 1})
        if twice:
            return f"the header names {twice[0]!r} twice"
        missing = [name for name in self._mapping.columns_used() if name not in found]
        if missing:
            return f"the header has no column {missing[0]!r} ({self._mapping.name} reads it)"
        self.headed = True
        self._names = tuple(found)
        return ""

    def values(self, row: Row) -> tuple[dict[str, Any] | None, str, int]:
        """Values by column, or what is wrong with the row and at which column."""
        if row.problem:
            return None, row.problem, row.column
        if isinstance(row.values, dict):
            return row.values, "", 1
        found = row.values or []
        if len(found) != len(self._names):
            words = f"{len(found)} values for {len(self._names)} columns: {row.text.strip()[:80]!r}"
            return None, words, min(len(found), len(self._names)) + 1
        return dict(zip(self._names, found, strict=True)), "", 1


class _Cutter:
    """State of one pass: the header's columns, the group that is being gathered."""

    def __init__(self, mapping: Mapping, name: str, connection: Connection) -> None:
        self._mapping = mapping
        self._name = name
        self._connection = connection
        self._columns = Columns(mapping)
        self._identity: tuple[str, ...] | None = None
        self._rows: list[dict[str, Any]] = []
        self._lines: list[int] = []
        self._skipped: list[Row] = []
        self._empty = True
        self._broken_rows: list[Item] = []
        self._torn = ""

    def items(self, stream: BinaryIO) -> Iterator[Item]:
        """Items in the file's order."""
        source = rows(stream, self._mapping.layout)
        for row in source:
            if row.skipped:
                self._skipped.append(row)
                continue
            self._empty = False
            if is_control(row, self._mapping.control):
                continue
            if not self._columns.headed:
                words = self._columns.take_header(row)
                if words:
                    kept = self._kept(row, source)
                    yield _whole(self._mapping, f"{self._name}:{row.line}:1", words, kept)
                    return
                continue
            yield from self._take(row)
        yield from self._flush()
        if self._empty and any(row.text.strip() for row in self._skipped):
            kept = raw("".join(row.text for row in self._skipped), self._mapping.layout.encoding)
            words = f"it has no row after its {self._mapping.layout.skip} skipped lines"
            yield _whole(self._mapping, f"{self._name}:1:1", words, kept)

    def _take(self, row: Row) -> Iterator[Item]:
        """Add a row to its group; what that completes or breaks comes out."""
        values, words, column = self._columns.values(row)
        identity: tuple[str, ...] = ()
        if values is not None:
            identity, words = self._identity_of(values)
        if values is None or words:
            if not self._mapping.identity or len(self._broken_rows) >= BROKEN_MAX:
                yield from self._flush()
            self._broken_rows.append(self._broken(row, words, column))
            return
        if identity != self._identity or not self._mapping.identity:
            yield from self._flush()
        elif self._broken_rows:
            # The broken row stands inside of this group: without it the group is not whole.
            self._torn = self._torn or f"its row at {self._broken_rows[0].place} is broken"
            yield from self._release()
        elif len(self._rows) >= GROUP_MAX:
            self._torn = f"it has more than {GROUP_MAX} rows"
            yield self._broken(row, self._torn, 1)
            return
        self._identity = identity
        self._rows.append(values)
        self._lines.append(row.line)

    def _release(self) -> Iterator[Item]:
        yield from self._broken_rows
        self._broken_rows = []

    def _kept(self, row: Row, source: Iterator[Row]) -> bytes:
        """Bytes of the rows from here on, up to a limit."""
        kept = raw(row.text, self._mapping.layout.encoding)
        for more in source:
            if len(kept) >= KEPT_MAX:
                break
            kept += raw(more.text, self._mapping.layout.encoding)
        return kept

    def _identity_of(self, values: dict[str, Any]) -> tuple[tuple[str, ...], str]:
        """Identity of the thing a row belongs to, or what is wrong with it."""
        try:
            return identity_of(self._mapping, values), ""
        except WrongValue as problem:
            return (), str(problem)

    def _flush(self) -> Iterator[Item]:
        """The group gathered so far, then the broken rows that followed it."""
        if self._rows:
            yield self._gathered()
        self._rows, self._lines, self._identity, self._torn = [], [], None, ""
        yield from self._release()

    def _gathered(self) -> Item:
        first = self._lines[0]
        body = body_of(self._rows, [line - first for line in self._lines])
        kind = self._mapping.kind
        identity = self._identity or ()
        digest = hashlib.sha256(body).hexdigest()
        about = "sale" if kind in TILL_KINDS else kind
        key = key_of(about, self._connection.name, *identity) if about in ("sale", "order") else ""
        return Item(
            topic=f"feed/{kind}",
            # A torn group never takes the identity that the whole one will come under.
            delivery="/".join(("broken" if self._torn else kind, *identity, digest[:32])),
            body=body,
            key=key,
            place=f"{self._name}:{first}:1",
            problem=f"the {kind} is not whole: {self._torn}" if self._torn else "",
        )

    def _broken(self, row: Row, words: str, column: int) -> Item:
        body = raw(row.text, self._mapping.layout.encoding)
        return Item(
            topic=f"feed/{self._mapping.kind}",
            delivery=f"broken/{hashlib.sha256(body).hexdigest()[:32]}",
            body=body,
            place=f"{self._name}:{row.line}:{column}",
            problem=words,
        )


def _whole(mapping: Mapping, place: str, words: str, kept: bytes) -> Item:
    """A file that is refused as a whole; its first MiB is kept here, the file is in the archive."""
    return Item(
        topic=f"feed/{mapping.kind}",
        delivery=f"broken/{hashlib.sha256(kept).hexdigest()[:32]}",
        body=kept,
        place=place,
        problem=f"the whole file is refused: {words}",
    )


def rereadable(stream: BinaryIO) -> BinaryIO:
    """A stream that can be read twice; what cannot be rewound goes through a temporary file."""
    if stream.seekable():
        return _KeptOpen(stream)
    spool = tempfile.SpooledTemporaryFile(max_size=SPOOL_MAX)  # noqa: SIM115 - closed by the caller
    shutil.copyfileobj(stream, spool)
    spool.seek(0)
    return cast("BinaryIO", spool)


class _KeptOpen(io.BufferedIOBase, BinaryIO):
    """A seekable stream of somebody else: closing this leaves it open."""

    def __init__(self, inner: BinaryIO) -> None:
        super().__init__()
        self._inner = inner

    def read(self, size: int | None = -1, /) -> bytes:
        """Read on."""
        return self._inner.read(-1 if size is None else size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place."""
        return self._inner.seek(offset, whence)

    def tell(self) -> int:
        """Where it stands."""
        return self._inner.tell()
