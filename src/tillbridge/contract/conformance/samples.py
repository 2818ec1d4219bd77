"""Samples of a connector: loading them, translating them, comparing with what is expected."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.registry import name_of
from tillbridge.contract.names import CrossReferences, Names, Proposals
from tillbridge.contract.promises import (
    Connection,
    Connector,
    Item,
    Message,
    ReadsFiles,
    Translates,
    Translation,
)

RECEIVED_AT = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
NO_SAMPLES = (".expected.json", ".suite.json", ".webhook.json", ".document.json")
NOT_FILES = (".md", ".toml", ".py", ".pyc")


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message sample: topic, headers and the body exactly as the bytes stand in the file."""

    topic: str
    body: msgspec.Raw
    headers: dict[str, str] = {}
    delivery: str = ""


class Guide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`suite.json`: what the suite must know about a connector (see the package docstring)."""

    connection: dict[str, Any] = {}
    names: dict[str, dict[str, str]] | None = None
    secrets: list[str] = []
    loose: dict[str, str] = {}
    nullable: dict[str, str] = {}
    personal: list[str] = []
    stream: dict[str, Any] | None = None
    poll: dict[str, str] | None = None
    reread: dict[str, str] | None = None
    publish: dict[str, str] | None = None


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One sample: its messages, the file it came in (None for a message sample), the expectation.

    problems: (place, words) of the file's broken pieces. expected: None when not recorded yet.
    """

    name: str
    path: Path
    connection: Connection
    messages: tuple[Message, ...]
    file: bytes | None = None
    topic: str = ""
    problems: tuple[tuple[str, str], ...] = ()
    expected: dict[str, Any] | None = None


class Outcome(msgspec.Struct, frozen=True):
    """How a translation ended: `told`, `decision` (a case, also for missing names) or `error`.

    words: encoded translation for `told`, else the error's words.
    """

    kind: str
    words: bytes
    translation: Translation | None = None


class Suite:
    """A connector with its samples, ready to be checked."""

    def __init__(self, connector: Connector, folder: Path) -> None:
        self.connector = connector
        self.folder = folder
        self.samples_folder = folder / "samples"
        found = self.samples_folder / "suite.json"
        self.guide = (
            msgspec.json.decode(found.read_bytes(), type=Guide) if found.exists() else Guide()
        )
        self.connection = self._connection(self.guide.connection)
        self.samples = tuple(self._load_samples())

    @property
    def translator(self) -> Translates:
        """The connector as one who translates."""
        return cast("Translates", self.connector)

    @property
    def reader(self) -> ReadsFiles:
        """The connector as one who reads files."""
        return cast("ReadsFiles", self.connector)

    def documents(self) -> Iterator[Path]:
        """Documents to deliver."""
        return iter(sorted(self.samples_folder.glob("*.document.json")))

    def webhooks(self) -> Iterator[Path]:
        """Signed webhook samples."""
        return iter(sorted(self.samples_folder.glob("*.webhook.json")))

    def messages(self) -> Iterator[tuple[Sample, Message]]:
        """Every message of every sample."""
        for sample in self.samples:
            for message in sample.messages:
                yield sample, message

    def telling(self) -> Iterator[tuple[Sample, Message, Translation]]:
        """Messages that say something (facts), with their translation."""
        for sample, message in self.messages():
            outcome = self.outcome(message, sample.connection)
            if outcome.translation is not None and outcome.translation.facts:
                yield sample, message, outcome.translation

    def names(self) -> Names:
        """Fresh names: the suite's own tables, or proposals for everything."""
        if self.guide.names is None:
            return Proposals(self.connection.name)
        return CrossReferences(
            {
                (table, theirs): ours
                for table, rows in self.guide.names.items()
                for theirs, ours in rows.items()
            }
        )

    def outcome(
        self, message: Message, connection: Connection, names: Names | None = None
    ) -> Outcome:
        """Translate and say how it ended; never raises."""
        names = names or self.names()
        try:
            translation = self.translator.translate(message, connection, names)
            if isinstance(names, CrossReferences) and names.missing:
                return Outcome("decision", b"names are missing", translation)
            return Outcome("told", encoded(translation), translation)
        except NeedsDecision as case:
            return Outcome("decision", case.words.encode("utf-8", "replace"))
        except Exception as problem:  # noqa: BLE001 - the suite exists to find exactly these
            return Outcome(
                "error", f"{type(problem).__name__}: {problem}"[:300].encode("utf-8", "replace")
            )

    def split(self, data: bytes, name: str, connection: Connection, topic: str = "") -> list[Item]:
        """Items of a file given as bytes."""
        return list(self.reader.split(io.BytesIO(data), name, connection, topic))

    def connection_beside(self, path: Path) -> Connection:
        """The connection of a sample: the suite's, or what `NAME.suite.json` beside it says."""
        own = path.with_name(f"{path.name.rsplit('.', 1)[0]}.suite.json")
        if not own.exists():
            return self.connection
        guide = msgspec.json.decode(own.read_bytes(), type=Guide)
        return self._connection({**self.guide.connection, **guide.connection})

    def _connection(self, given: Mapping[str, Any]) -> Connection:
        fields: dict[str, Any] = {
            "name": "sample",
            "entity": "us",
            "channel": "web",
            "currency": "USD",
        }
        fields.update(given)
        settings = msgspec.convert(fields.pop("settings", {}), type=self.connector.config)
        with_files: Callable[..., msgspec.Struct] | None = getattr(settings, "with_files", None)
        if with_files is not None:
            settings = with_files(self._read_text)
        plain = msgspec.convert(fields, type=Connection)
        return msgspec.structs.replace(plain, settings=settings)

    def _read_text(self, path: str) -> str:
        return (self.samples_folder / path).read_text(encoding="utf-8")

    def _load_samples(self) -> Iterator[Sample]:
        if not self.samples_folder.is_dir() or not isinstance(self.connector, Translates):
            return
        for path in sorted(self.samples_folder.iterdir()):
            if not path.is_file() or path.suffix in NOT_FILES or path.name == "suite.json":
                continue
            if not path.name.endswith(NO_SAMPLES):
                yield self._load_sample(path)

    def _load_sample(self, path: Path) -> Sample:
        name = path.name.rsplit(".", 1)[0]
        expected_path = path.with_name(f"{name}.expected.json")
        expected: dict[str, Any] | None = None
        if expected_path.exists():
            expected = msgspec.json.decode(expected_path.read_bytes(), type=dict[str, Any])
        connection = self.connection_beside(path)
        data = path.read_bytes()
        envelope = _envelope(path, data)
        if envelope is not None:
            message = Message(
                connection=connection.name,
                topic=envelope.topic,
                delivery=envelope.delivery or f"sample-{name}",
                body=bytes(envelope.body),
                headers=envelope.headers,
                received_at=RECEIVED_AT,
            )
            return Sample(
                name=name, path=path, connection=connection, messages=(message,), expected=expected
            )
        return self._file_sample(name, path, data, connection, expected)

    def _file_sample(
        self,
        name: str,
        path: Path,
        data: bytes,
        connection: Connection,
        expected: dict[str, Any] | None,
    ) -> Sample:
        topic = (expected or {}).get("topic", "")
        if isinstance(self.connector, ReadsFiles):
            items = self.split(data, path.name, connection, topic)
        else:
            items = [Item(topic=topic, delivery=f"sample-{name}", body=data)]
        return Sample(
            name=name,
            path=path,
            connection=connection,
            messages=tuple(message_of(item, connection) for item in items if not item.problem),
            file=data,
            topic=topic,
            problems=tuple((item.place, item.problem) for item in items if item.problem),
            expected=expected,
        )


def load_suite(connector: Connector, folder: Path) -> Suite:
    """The suite of a connector whose README, samples/ and __init__.py stand in `folder`."""
    return Suite(connector, folder)


def message_of(item: Item, connection: Connection) -> Message:
    """The message an item becomes once it is stored."""
    return Message(
        connection=connection.name,
        topic=item.topic,
        delivery=item.delivery,
        body=item.body,
        place=item.place,
        received_at=RECEIVED_AT,
    )


def encoded(translation: Translation) -> bytes:
    """Canonical bytes of a translation, for comparing two of them."""
    return msgspec.json.encode(
        (
            [(name_of(fact), fact) for fact in translation.facts],
            translation.parties,
            translation.ignored,
            translation.reread,
        )
    )


def told(suite: Suite, sample: Sample) -> dict[str, Any]:
    """What a sample says, in the shape of an expected file; empty parts left out.

    Raises whatever the connector raises: a sample that cannot be translated is no sample, but a
    file may hold pieces that are cases; those are listed under `cases`.
    """
    found: dict[str, Any] = {"topic": sample.topic, "facts": [], "parties": [], "problems": []}
    cases: list[dict[str, str]] = []
    for message in sample.messages:
        found["topic"] = sample.topic or message.topic
        try:
            translation = suite.translator.translate(message, sample.connection, suite.names())
        except NeedsDecision as case:
            cases.append({"reason": case.reason, "words": case.words})
            continue
        found["facts"] += [{"type": name_of(fact), "body": fact} for fact in translation.facts]
        found["parties"] += translation.parties
        if translation.ignored:
            found["ignored"] = translation.ignored
        if translation.reread:
            found["reread"] = translation.reread
    found["problems"] = [{"place": place, "problem": words} for place, words in sample.problems]
    found["cases"] = cases
    plain = msgspec.json.decode(msgspec.json.encode(found), type=dict[str, Any])
    return {name: value for name, value in plain.items() if value}


def record_expected(suite: Suite) -> list[Path]:
    """Write the expected files that are missing, never over an existing one; returns them."""
    written = []
    for sample in suite.samples:
        if sample.expected is None:
            path = sample.path.with_name(f"{sample.name}.expected.json")
            text = msgspec.json.format(msgspec.json.encode(told(suite, sample)), indent=2)
            path.write_bytes(text + b"\n")
            written.append(path)
    return written


def difference(expected: Any, found: Any, place: str = "") -> str:
    """First place where two JSON values differ, in words; empty when they are equal."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return _members_differ(expected, found, place)
    if isinstance(expected, list) and isinstance(found, list):
        for number, (left, right) in enumerate(zip(expected, found, strict=False)):
            words = difference(left, right, f"{place}[{number}]")
            if words:
                return words
        same = len(expected) == len(found)
        return "" if same else f"{place}: {len(expected)} expected, there are {len(found)}"
    if type(expected) is type(found) and expected == found:
        return ""
    return f"{place}: expected {_short(expected)}, found {_short(found)}"


def _members_differ(expected: dict[str, Any], found: dict[str, Any], place: str) -> str:
    for name in {**expected, **found}:
        inside = f"{place}.{name}" if place else name
        if name not in found:
            return f"{inside}: expected {_short(expected[name])}, there is nothing"
        if name not in expected:
            return f"{inside}: nothing was expected, there is {_short(found[name])}"
        words = difference(expected[name], found[name], inside)
        if words:
            return words
    return ""


def _short(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 160 else text[:157] + "..."


def _envelope(path: Path, data: bytes) -> Envelope | None:
    """The message a .json sample holds, or None when the file itself is the delivery."""
    if path.suffix != ".json":
        return None
    try:
        return msgspec.json.decode(data, type=Envelope)
    except msgspec.ValidationError:
        return None
