"""Checks of file readers: streaming, the same in any chunks, garbage kept as items."""

from __future__ import annotations

import io
from collections.abc import Iterator

import msgspec

from tillbridge.atoms.ids import SeededIds
from tillbridge.contract.conformance.samples import Sample, Suite
from tillbridge.contract.promises import Item

MARKER = b"zz-garbage-4711"
STREAM_BYTES = 256 * 1024 * 1024
FIRST_ITEM_BYTES = 4 * 1024 * 1024
STREAM_ITEMS = 2_000


class Dribble(io.RawIOBase):
    """A stream that gives at most `size` bytes per read, as sockets and pipes do."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__()
        self._inner = io.BytesIO(data)
        self._size = size

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill at most `size` bytes."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        part = self._inner.read(min(self._size, len(view)))
        view[: len(part)] = part
        return len(part)


class Endless(io.RawIOBase):
    """head + middle again and again + tail, counting what was read; never held in memory."""

    def __init__(self, head: bytes, middle: bytes, tail: bytes, size: int) -> None:
        super().__init__()
        self.count = 0
        self._left = size
        self._parts = self._give(head, middle, tail)
        self._rest = b""

    def _give(self, head: bytes, middle: bytes, tail: bytes) -> Iterator[bytes]:
        yield head
        block = middle * max(1, 65_536 // max(1, len(middle)))
        while self._left > 0:
            self._left -= len(block)
            yield block
        yield tail

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill the buffer and count."""
        view = memoryview(buffer)  # type: ignore[arg-type]
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._rest = part
        given = self._rest[: len(view)]
        self._rest = self._rest[len(given) :]
        view[: len(given)] = given
        self.count += len(given)
        return len(given)


def reads_in_any_chunks(suite: Suite) -> list[str]:
    """A file cut into reads of any size gives the same items."""
    problems = []
    for sample, data in _files(suite):
        whole = _items(suite, sample, data)
        for size in (1, 2, 3, 7, 4_096):
            stream = io.BufferedReader(Dribble(data, size), buffer_size=16)
            parts = list(
                suite.reader.split(stream, sample.path.name, sample.connection, sample.topic)
            )
            if parts != whole:
                problems.append(f"{sample.name}: other items when read {size} bytes at a time")
    return problems


def reads_items_with_identity(suite: Suite) -> list[str]:
    """Each item has a delivery id; the same file twice has the same ids; other bytes, other ids."""
    problems = []
    for sample, data in _files(suite):
        items = _items(suite, sample, data)
        if any(not item.delivery or not item.topic for item in items):
            problems.append(f"{sample.name}: an item has no delivery id or no topic")
        if items != _items(suite, sample, data):
            problems.append(f"{sample.name}: other items when read again")
        renamed = suite.split(
            data, "another-name" + sample.path.suffix, sample.connection, sample.topic
        )
        if [item.delivery for item in renamed] != [item.delivery for item in items]:
            problems.append(f"{sample.name}: the file's name changes the delivery ids")
        bodies: dict[str, bytes] = {}
        problems += [
            f"{sample.name}: two contents share delivery {item.delivery}"
            for item in items
            if bodies.setdefault(item.delivery, item.body) != item.body
        ]
    return problems


def survives_garbage(suite: Suite) -> list[str]:
    """Garbage never raises; its bytes stay in items with problem and place; the rest goes on."""
    problems: list[str] = []
    noise = SeededIds(20260115)
    for sample, data in _files(suite):
        for label, spoilt in _spoilt(data, noise):
            place = f"{sample.name}: {label}"
            try:
                items = _items(suite, sample, spoilt)
            except Exception as problem:  # noqa: BLE001 - split promises never to raise
                problems.append(f"{place}: {type(problem).__name__}: {problem}"[:300])
                continue
            broken = [item for item in items if item.problem]
            if any(not item.place for item in broken):
                problems.append(f"{place}: a problem without a place")
            if any(not item.body for item in broken) and spoilt.strip():
                problems.append(f"{place}: a problem without its bytes")
            if not items and spoilt.strip():
                problems.append(f"{place}: nothing is left of {len(spoilt)} bytes")
        problems += _keeps_marker(suite, sample, data)
    return problems[:12]


def never_reads_a_file_whole(suite: Suite) -> list[str]:
    """The first items of a file of 256 MB come after a few of them, and so do the next ones."""
    plan = suite.guide.stream
    if plan is None:
        return ["suite.json has no `stream`, so nothing proves that files are streamed"]
    sample = next((found for found in suite.samples if found.path.name == plan["sample"]), None)
    if sample is None or sample.file is None:
        return [f"suite.json: stream names {plan['sample']!r}, which is no file sample"]
    lines = sample.file.splitlines(keepends=True)
    head, tail = int(plan.get("head_lines", 0)), int(plan.get("tail_lines", 0))
    middle = lines[head : len(lines) - tail]
    endless = Endless(
        b"".join(lines[:head]), b"".join(middle), b"".join(lines[len(lines) - tail :]), STREAM_BYTES
    )
    stream = io.BufferedReader(endless)
    items = suite.reader.split(stream, sample.path.name, sample.connection, sample.topic)
    first = next(iter(items), None)
    if first is None:
        return ["a huge file gives no item"]
    if endless.count > FIRST_ITEM_BYTES:
        return [f"{endless.count} bytes were read before the first item came out"]
    size = len(first.body)
    for number, item in enumerate(items):
        size += len(item.body)
        if number >= STREAM_ITEMS:
            break
    allowed = FIRST_ITEM_BYTES + 40 * size
    if endless.count > allowed:
        return [f"{endless.count} bytes were read for {STREAM_ITEMS} items of {size} bytes"]
    return []


def _keeps_marker(suite: Suite, sample: Sample, data: bytes) -> list[str]:
    """A line of garbage in the middle stays visible in an item; pieces before it stay whole."""
    lines = data.splitlines(keepends=True)
    if len(lines) < 4:
        return []
    middle = len(lines) // 2
    spoilt = b"".join([*lines[:middle], MARKER + b"\n", *lines[middle:]])
    before = [item.delivery for item in _items(suite, sample, data) if not item.problem]
    items = _items(suite, sample, spoilt)
    seen = [item for item in items if MARKER in item.body]
    if not seen:
        return [f"{sample.name}: a line of garbage vanished"]
    good = {item.delivery for item in items if not item.problem}
    whole_file = len(items) == 1 and bool(items[0].problem)
    if len(before) > 2 and not whole_file and not good.intersection(before):
        return [f"{sample.name}: one line of garbage spoils every other piece"]
    return []


def _spoilt(data: bytes, noise: SeededIds) -> Iterator[tuple[str, bytes]]:
    yield "nothing", b""
    yield "a NUL", b"\x00"
    yield "blanks", b"\r\n\r\n"
    for size in (1, 100, 10_000):
        yield f"{size} random bytes", bytes.fromhex(noise.random_hex(size))
    for part in range(1, 16):
        yield f"cut after {part}/16", data[: len(data) * part // 16]
    yield "without its beginning", data[len(data) // 3 :]
    yield "told twice", data + data
    yield "random bytes at the end", data + bytes.fromhex(noise.random_hex(50))
    yield (
        "random bytes in the middle",
        (data[: len(data) // 2] + bytes.fromhex(noise.random_hex(50)) + data[len(data) // 2 :]),
    )
    yield "a line without end", b"x" * 3_000_000
    yield "quotes without end", b'"' * 9_999
    yield "brackets without end", b"[{" * 5_000
    yield "tags without end", b"<a>" * 5_000


def _files(suite: Suite) -> Iterator[tuple[Sample, bytes]]:
    """File samples; a connector with message samples only reads those bodies as files."""
    files = [sample for sample in suite.samples if sample.file is not None]
    if files:
        for sample in files:
            yield sample, sample.file or b""
        return
    for sample, message, _ in suite.telling():
        yield msgspec.structs.replace(sample, topic=message.topic), message.body


def _items(suite: Suite, sample: Sample, data: bytes) -> list[Item]:
    return suite.split(data, sample.path.name, sample.connection, sample.topic)
