"""Files: cut into deliveries by their connector, stored in batches, claimed by their content.

A crash anywhere loses nothing and doubles nothing: the claim stays open, the next look reads the
file again, and what was stored already is refused as a duplicate by its delivery id. A piece that
is broken becomes a case; the other pieces go on. Files are archived, never deleted; card numbers
that were masked in a file's pieces are masked in its archived copy too.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import msgspec
import structlog

from tillbridge.atoms.clock import Clock
from tillbridge.atoms.errors import NeedsDecision, Refused, RetryLater
from tillbridge.contract.promises import Connection as Source
from tillbridge.contract.promises import Item, ReadsFiles
from tillbridge.contract.totals import FileTotals, StatesTotals
from tillbridge.durable import log
from tillbridge.durable.crash_points import reach
from tillbridge.durable.messages import connection_ids, store
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record
from tillbridge.inbox.arrivals import arrival
from tillbridge.inbox.backpressure import Backpressure
from tillbridge.inbox.drop_folder import (
    NotAFile,
    opened_file,
    opened_folder,
    overwrite,
    packed,
    put_away,
    settled,
    shown,
)

QUERIES = load(
    "tillbridge.inbox",
    "files.sql",
    "lock_file",
    "unlock_file",
    "claim_file",
    "claimed_file",
    "finish_file",
)
BATCH_ITEMS = 200
BATCH_BYTES = 8 * 1024 * 1024
SETTLE_SECONDS = 3.0
FILE_MOST = 2 * 1024**3
FILES_MOST = 1_000
"""Files taken per look, so that a look ends."""
PROBLEM_TOPIC = "file"
HEAD_BYTES = 4096

_log = structlog.get_logger("files")


class FileReport(msgspec.Struct):
    """What a look or an ingest took in. repeated: files whose content was done before. notes:
    what was left alone or put aside, in words.
    """

    files: int = 0
    items: int = 0
    new: int = 0
    duplicates: int = 0
    conflicts: int = 0
    problems: int = 0
    repeated: int = 0
    notes: list[str] = []


class Settlements(Protocol):
    """Who takes in files that are no deliveries: settlements and bank statements."""

    def takes(self, name: str, head: bytes) -> bool:
        """Whether a file is one, by its name and first bytes."""

    def take(
        self, connection: Connection, stream: BinaryIO, name: str, digest: bytes, now: datetime
    ) -> Any:
        """Write it; the caller commits. Gives `lines` and `broken`. Raises NeedsDecision."""

    def told(
        self, connection: Connection, stream: BinaryIO, name: str, digest: bytes, now: datetime
    ) -> tuple[Any, list[Record]]:
        """As `take`; the caller appends the records too, last of all."""


class _CutShort(Exception):
    """The connector could not cut the whole file."""


def ingest_files(
    connection: Connection,
    connector: object,
    source: Source,
    paths: Sequence[Path],
    topic: str,
    clock: Clock,
    settlements: Settlements | None = None,
) -> FileReport:
    """Take in files named by a person, leaving them where they are.

    A file that was done before is read again; its deliveries are then told as duplicates. A path
    that is no readable file is told in `notes` and counted as a problem. The connection stands
    outside a transaction before and after.
    """
    intake = _FileIntake(connection, connector, source, clock, settlements=settlements)
    for path in paths:
        try:
            with opened_file(str(path)) as stream:
                intake.take(stream, path.name, topic)
        except (NotAFile, FileNotFoundError) as problem:
            intake.report.problems += 1
            intake.report.notes.append(str(problem))
    return intake.report


class DropFolder:
    """One connection's drop folder and the archive its files go to.

    Files that could not be cut whole go to `failed` below the archive: mend the cause, then move
    them back into the drop folder.
    """

    def __init__(
        self,
        connector: object,
        source: Source,
        folder: Path,
        archive: Path,
        *,
        clock: Clock,
        settle_seconds: float = SETTLE_SECONDS,
        backpressure: Backpressure | None = None,
        settlements: Settlements | None = None,
    ) -> None:
        """backpressure: when reading waits for the flow, between two batches of a file."""
        self._connector = connector
        self._source = source
        self._folder = folder
        self._archive = archive
        self._clock = clock
        self._settle_seconds = settle_seconds
        self._backpressure = backpressure
        self._settlements = settlements

    def look(self, connection: Connection) -> FileReport:
        """Take in every settled file, oldest first. Two processes may look at once.

        Raises psycopg.Error when the store is away (everything stays where it is).
        """
        intake = _FileIntake(
            connection,
            self._connector,
            self._source,
            self._clock,
            self._backpressure,
            self._settlements,
        )
        if not self._folder.is_dir():
            return intake.report
        with opened_folder(self._folder) as folder:
            names, notes = settled(folder, self._clock.now(), self._settle_seconds)
            intake.report.notes += notes
            for name in names[:FILES_MOST]:
                try:
                    self._take(intake, name, folder)
                except FileNotFoundError:
                    continue  # another process was quicker
                except (NotAFile, OSError) as problem:
                    intake.report.notes.append(str(problem))
        return intake.report

    def _take(self, intake: _FileIntake, name: str, folder: int) -> None:
        with opened_file(name, folder) as stream:
            before = os.fstat(stream.fileno())
            with intake.held(stream) as digest:
                if digest is None:
                    return
                done = intake.is_done(digest) or intake.cut(stream, name, "", digest)
                after = os.fstat(stream.fileno())
                if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                    raise NotAFile(f"{shown(name)} is still being written")
                reach("files.before_archive")
                where = self._archive if done else self._archive / "failed"
                with opened_folder(where, make=True) as archive:
                    kept = put_away(stream, name, folder, archive, self._clock.now(), digest)
                    if done and intake.cards:
                        overwrite(kept, archive, intake.cards)


class _FileIntake:
    """Takes files in over one database connection and counts."""

    def __init__(
        self,
        connection: Connection,
        connector: object,
        source: Source,
        clock: Clock,
        backpressure: Backpressure | None = None,
        settlements: Settlements | None = None,
    ) -> None:
        self._connection = connection
        self._connector = connector
        self._source = source
        self._clock = clock
        self._backpressure = backpressure
        self._settlements = settlements
        self._numbers: dict[str, int] = {}
        self.report = FileReport()
        self.cards: dict[bytes, bytes] = {}
        """Card numbers of the present file: as they came -> as they were masked."""

    def take(self, stream: BufferedReader, name: str, topic: str) -> None:
        """Take in one file whether or not it was done before."""
        with self.held(stream) as digest:
            if digest is None:
                self.report.notes.append(f"{shown(name)} is being taken in by another process")
            else:
                self.cut(stream, name, topic, digest)

    @contextmanager
    def held(self, stream: BufferedReader) -> Iterator[bytes | None]:
        """The file's SHA-256 while no other process works on that content; else None."""
        digest = hashlib.file_digest(stream, "sha256").digest()
        stream.seek(0)
        name = self._source.name.encode() + digest
        number = int.from_bytes(hashlib.sha256(name).digest()[:8], signed=True)
        held = self._connection.execute(QUERIES.lock_file, (number,)).fetchone() == (True,)
        self._connection.commit()
        if not held:
            yield None
            return
        try:
            yield digest
        finally:
            if not self._connection.closed:
                self._connection.rollback()
                self._connection.execute(QUERIES.unlock_file, (number,))
                self._connection.commit()

    def is_done(self, digest: bytes) -> bool:
        """Whether that content was taken in to its end before; counts it when so.

        A file with card numbers is read again all the same, to know what its copy must not hold.
        """
        self.cards = {}
        found = self._connection.execute(QUERIES.claimed_file, (self._source.name, digest))
        done = found.fetchone() == (True,)
        self._connection.rollback()
        self.report.repeated += done
        return done

    def cut(self, stream: BufferedReader, name: str, topic: str, digest: bytes) -> bool:
        """Cut and store; False when the connector could not get to the end (a case is made)."""
        size = os.fstat(stream.fileno()).st_size
        self._claim(name, size, digest)
        self.report.files += 1
        if not size:  # a transfer that broke off; its claim stays open, for all empty files are one
            self._store([_file_problem(shown(name), size, digest, "the file is empty")])
            return True
        seen, broken = self.report.items, self.report.problems
        try:
            if size > FILE_MOST:
                raise _CutShort(f"it has {size} bytes, at most {FILE_MOST} are taken")
            if kind := packed(stream):
                raise _CutShort(f"it is a {kind} file; unpack it first, nothing is unpacked here")
            if self._settled(stream, name, digest):
                return True
            for batch in _batches(self._pieces(stream, name, topic)):
                if self._backpressure is not None:
                    self._backpressure.wait(self._connection)
                self._store(batch)
        except _CutShort as problem:
            self._store([_file_problem(shown(name), size, digest, str(problem))])
            self.report.notes.append(f"{shown(name)}: {problem}")
            return False
        done = (self.report.items - seen, self.report.problems - broken, bool(self.cards))
        self._finish(done, self._totals(stream, name), digest)
        self._connection.commit()
        return True

    def _finish(
        self, done: tuple[int, int, bool], totals: FileTotals | None, digest: bytes
    ) -> None:
        """The claim is done. done: pieces, broken ones, whether card numbers were masked."""
        told = (None,) * len(FileTotals.__struct_fields__)
        if totals is not None:
            told = msgspec.structs.astuple(totals)
        where = (self._clock.now(), self._source.name, digest)
        self._connection.execute(QUERIES.finish_file, (*done, *told, *where))

    def _settled(self, stream: BufferedReader, name: str, digest: bytes) -> bool:
        """Take a settlement in, in one transaction: all of it, or nothing and a case. False when
        the file is none.
        """
        head = stream.read(HEAD_BYTES)
        stream.seek(0)
        if self._settlements is None or not self._settlements.takes(shown(name), head):
            return False
        try:
            now = self._clock.now()
            taken = self._settlements.take(self._connection, stream, shown(name), digest, now)
        except NeedsDecision as problem:
            self._connection.rollback()
            raise _CutShort(str(problem)) from None
        rows, broken = taken.lines, len(taken.broken)
        self._finish((rows, broken, False), None, digest)
        self._connection.commit()
        self.report.items += rows
        self.report.new += rows
        self.report.problems += broken
        return True

    def _totals(self, stream: BufferedReader, name: str) -> FileTotals | None:
        """What the file says of itself, where its connector can tell."""
        if not isinstance(self._connector, StatesTotals):
            return None
        stream.seek(0)
        return self._connector.totals(stream, shown(name), self._source)

    def _claim(self, name: str, size: int, digest: bytes) -> None:
        if not self._numbers:
            self._numbers = connection_ids(self._connection, [self._source.name])
        row = (self._source.name, shown(name), size, digest)
        self._connection.execute(QUERIES.claim_file, row)
        self._connection.commit()

    def _pieces(self, stream: BufferedReader, name: str, topic: str) -> Iterator[Item]:
        if not isinstance(self._connector, ReadsFiles):
            raise _CutShort("it is none of the files this connection reads")
        try:
            yield from self._connector.split(stream, shown(name), self._source, topic)
        except (NeedsDecision, Refused, RetryLater) as problem:
            raise _CutShort(str(problem)) from None
        except Exception as problem:  # noqa: BLE001 - a connector's defect holds up one file only
            _log.exception("split_defect", connection=self._source.name, file=shown(name))
            raise _CutShort(f"it could not be cut: {type(problem).__name__}: {problem}") from None

    def _store(self, batch: Sequence[Item]) -> None:
        now = self._clock.now()
        arrivals = [arrival(self._source.name, item, now) for item in batch]
        stored, records = store(self._connection, arrivals, self._numbers)
        log.append_and_commit(self._connection, records)
        reach("files.batch_stored")
        for came in arrivals:
            self.cards.update(came.cards)
        report = self.report
        report.items += len(batch)
        report.problems += sum(1 for item in batch if item.problem)
        for one in stored:
            report.new += one.outcome == "new"
            report.duplicates += one.outcome == "duplicate"
            report.conflicts += one.outcome == "conflict"


def _batches(pieces: Iterator[Item]) -> Iterator[list[Item]]:
    """Batches bounded by count and size; what came before a file breaks off is given first."""
    batch: list[Item] = []
    size = 0
    try:
        for piece in pieces:
            batch.append(piece)
            size += len(piece.body)
            if len(batch) >= BATCH_ITEMS or size >= BATCH_BYTES:
                yield batch
                batch, size = [], 0
    except _CutShort:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _file_problem(name: str, size: int, digest: bytes, words: str) -> Item:
    """The case for a file as a whole; its bytes are in the archive under this hash."""
    text = digest.hex()
    body = msgspec.json.encode({"file": name, "size": size, "sha256": text, "problem": words})
    return Item(
        topic=PROBLEM_TOPIC,
        delivery=f"file:{text}:{hashlib.sha256(body).hexdigest()[:16]}",
        body=body,
        place=name,
        problem=words,
    )
