"""Checks of outgoing calls, deliveries and file reading can fail: a rude connector is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec
import pytest

from tests.contract import sloppy
from tests.contract.rude import ForgetfulSide, RudeConnector, document
from tillbridge.contract.conformance import Suite, delivering, load_suite, outgoing, reading
from tillbridge.contract.promises import Connection, Item


@pytest.fixture
def rude(tmp_path: Path) -> Suite:
    folder = tmp_path / "rude"
    (folder / "samples").mkdir(parents=True)
    (folder / "samples" / "suite.json").write_text('{"secrets": ["key"]}')
    sample = folder / "samples" / "one.document.json"
    sample.write_bytes(msgspec.json.encode(document("op-1")))
    return load_suite(RudeConnector(), folder)


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (outgoing.waits_when_told_to, "deliver one.document.json: 429: ended as Receipt"),
        (outgoing.waits_when_told_to, "check: 503: ended as ValueError"),
        (outgoing.gives_up_when_refused, "deliver one.document.json: 401 ended as Receipt"),
        (outgoing.believes_no_garbage_answer, "answer b'null' ended as"),
        (outgoing.keeps_secrets_to_itself, "check: a secret stands in ValueError"),
        (outgoing.keeps_secrets_to_itself, "check: a secret stands in a URL"),
    ],
)
def test_a_rude_caller_is_refused(
    rude: Suite, check: Callable[[Suite], list[str]], words: str
) -> None:
    problems = check(rude)
    assert any(words in problem for problem in problems), "\n".join(problems)


@pytest.mark.parametrize(
    ("check", "words"),
    [
        (delivering.delivers_once, "3 documents for one operation delivered three times"),
        (delivering.delivers_batches, "expected accepted, refused, accepted, accepted"),
        (
            delivering.survives_a_fault_at_every_call,
            "lost at call 1: then accepted (), 2 documents",
        ),
        (delivering.survives_a_fault_at_every_call, "429 at call 1: ended as refused"),
    ],
)
def test_documents_made_twice_are_found(
    rude: Suite,
    check: Callable[[Suite, delivering.DeliveryTarget], list[str]],
    words: str,
) -> None:
    problems = check(rude, ForgetfulSide())
    assert any(words in problem for problem in problems), "\n".join(problems)


@pytest.fixture
def whole_reader(tmp_path: Path) -> Suite:
    """The sloppy reader with a file sample."""
    folder = tmp_path / "sloppy"
    (folder / "samples").mkdir(parents=True)
    (folder / "samples" / "suite.json").write_text('{"stream": {"sample": "day.txt"}}')
    rows = "".join(f'{{"id": {number}}}\n' for number in range(6))
    (folder / "samples" / "day.txt").write_text(rows)
    return load_suite(sloppy.connector, folder)


def test_a_reader_that_takes_the_whole_file_is_found(
    whole_reader: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "STREAM_BYTES", 8 * 1024 * 1024)
    (problem,) = reading.never_reads_a_file_whole(whole_reader)
    assert "bytes were read before the first item came out" in problem


def test_a_reader_that_drops_garbage_is_found(whole_reader: Suite) -> None:
    assert any("a line of garbage vanished" in p for p in reading.survives_garbage(whole_reader))
    shared = reading.reads_items_with_identity(whole_reader)
    assert any("two contents share delivery" in problem for problem in shared)


def _one_read(stream: BinaryIO) -> bytes:
    """What a single read of the stream below happens to give."""
    raw = getattr(stream, "raw", stream)
    found: bytes = raw.read(4_096)
    return found


def test_a_reader_that_depends_on_chunks_is_found(
    whole_reader: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hasty(sloppy.SloppyConnector):
        def split(
            self, stream: BinaryIO, name: str, connection: Connection, topic: str = ""
        ) -> Iterator[Item]:
            yield Item(topic="order", delivery="x", body=_one_read(stream))

    whole_reader.connector = Hasty()
    assert reading.reads_in_any_chunks(whole_reader)
