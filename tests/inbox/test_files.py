"""Files from a drop folder and by name: each piece once, whatever lies there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import pytest
from psycopg import Connection

from tests.inbox.signed_shop import ShopConnector
from tillbridge.atoms.clock import SystemClock
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.contract.promises import Connection as Source
from tillbridge.contract.promises import Item
from tillbridge.inbox import drop_folder, files
from tillbridge.inbox.files import DropFolder, FileReport, ingest_files

SOURCE = Source(name="stores", entity="us", channel="tills", currency="USD")
LINES = b"s-1;10.00\ns-2;20.00\ns-3;30.00\n"


class Drop:
    """A drop folder with its archive, looked at with a connector."""

    def __init__(self, folder: Path, connection: Connection) -> None:
        self.folder = folder / "drop"
        self.archive = folder / "archive"
        self.folder.mkdir()
        self.connection = connection

    def put(self, name: str, body: bytes = LINES) -> Path:
        path = self.folder / name
        path.write_bytes(body)
        return path

    def look(self, connector: Any = None, settle_seconds: float = 0.0) -> FileReport:
        folder = DropFolder(
            connector or ShopConnector(),
            SOURCE,
            self.folder,
            self.archive,
            clock=SystemClock(),
            settle_seconds=settle_seconds,
        )
        return folder.look(self.connection)

    def archived(self) -> list[bytes]:
        return sorted(path.read_bytes() for path in self.archive.iterdir() if path.is_file())

    def waiting(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def drop(tmp_path: Path, connection: Connection) -> Drop:
    return Drop(tmp_path, connection)


def rows(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    connection.rollback()
    return connection.execute(query).fetchall()


def deliveries(connection: Connection) -> list[str]:
    """Delivery ids in the order the log tells them."""
    bodies = rows(connection, "select body from record order by id")
    return [msgspec.json.decode(row[0])["id"] for row in bodies]


def test_a_file_becomes_deliveries_and_goes_to_the_archive(drop: Drop) -> None:
    drop.put("sales.csv")
    report = drop.look()
    assert (report.files, report.items, report.new, report.problems) == (1, 3, 3, 0)
    assert deliveries(drop.connection) == ["s-1", "s-2", "s-3"]
    assert rows(drop.connection, "select count(*) from record") == [(3,)]
    claims = rows(drop.connection, "select path, state, items, problems from file_claim")
    assert claims == [("sales.csv", "done", 3, 0)]
    assert drop.waiting() == []
    assert drop.archived() == [LINES]
    assert drop.archive.stat().st_mode & 0o777 == 0o700


def test_a_broken_piece_is_kept_with_its_place_and_the_others_go_on(drop: Drop) -> None:
    drop.put("sales.csv", b"s-1;10.00\nrubbish\ns-2;20.00\n")
    report = drop.look()
    assert (report.items, report.new, report.problems) == (3, 3, 1)
    broken = rows(drop.connection, "select body, place, problem from message where problem <> ''")
    assert broken == [(b"rubbish", "sales.csv:2:1", "sales.csv:2:1: no amount")]


def test_the_same_file_twice_is_archived_as_a_repetition(drop: Drop) -> None:
    drop.put("sales.csv")
    drop.look()
    drop.put("again.csv")
    report = drop.look()
    assert (report.files, report.repeated, report.items) == (0, 1, 0)
    assert len(deliveries(drop.connection)) == 3
    assert drop.waiting() == []
    assert drop.archived() == [LINES, LINES]


def test_every_empty_file_is_a_case_of_its_own_and_is_archived(drop: Drop) -> None:
    for name in ("monday.csv", "tuesday.csv"):
        drop.put(name, b"")
        report = drop.look()
        assert (report.files, report.new, report.problems, report.repeated) == (1, 1, 1, 0)
    told = rows(drop.connection, "select place, problem from message order by id")
    assert told == [("monday.csv", "the file is empty"), ("tuesday.csv", "the file is empty")]
    assert drop.waiting() == []
    assert drop.archived() == [b"", b""]


def test_two_files_of_one_name_are_both_kept(drop: Drop) -> None:
    for body in (LINES, b"s-9;1.00\n", LINES):
        drop.put("sales.csv", body)
        drop.look()
    assert len(drop.archived()) == 3
    assert len(deliveries(drop.connection)) == 4


def test_links_pipes_folders_and_hidden_files_are_left_alone(drop: Drop, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_bytes(LINES)
    (drop.folder / "link.csv").symlink_to(secret)
    (drop.folder / "deep").mkdir()
    (drop.folder / "deep" / "sales.csv").write_bytes(LINES)
    os.mkfifo(drop.folder / "pipe.csv")
    drop.put(".hidden.csv")
    report = drop.look()
    assert report.files == 0
    assert len(report.notes) == 2
    assert deliveries(drop.connection) == []
    assert drop.waiting() == [".hidden.csv", "deep", "link.csv", "pipe.csv"]


def test_a_drop_folder_that_is_a_link_is_not_entered(drop: Drop, tmp_path: Path) -> None:
    drop.put("sales.csv")
    real = drop.folder.rename(tmp_path / "elsewhere")
    drop.folder.symlink_to(real)
    with pytest.raises(OSError, match=r"[Nn]ot a directory|symbolic"):
        drop.look()


def test_a_file_swapped_for_a_link_before_it_is_opened_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(LINES)
    (tmp_path / "sales.csv").symlink_to(tmp_path / "secret")
    with (
        drop_folder.opened_folder(tmp_path) as folder,
        pytest.raises(drop_folder.NotAFile),
        drop_folder.opened_file("sales.csv", folder),
    ):
        pass


def test_a_file_swapped_while_it_is_read_is_put_back(drop: Drop) -> None:
    path = drop.put("sales.csv")

    class Swapping(ShopConnector):
        def split(self, *arguments: Any, **named: Any) -> Iterator[Item]:
            yield from super().split(*arguments, **named)
            path.unlink()
            path.write_bytes(b"another;1.00\n")

    report = drop.look(Swapping())
    assert "replaced" in report.notes[0]
    assert path.read_bytes() == b"another;1.00\n"
    assert drop.archived() == []
    drop.look()
    assert deliveries(drop.connection) == ["s-1", "s-2", "s-3", "another"]


def test_unfinished_files_wait(drop: Drop) -> None:
    drop.put("sales.csv.part")
    drop.put("sales.CSV.filepart")
    drop.put("fresh.csv")
    assert drop.look(settle_seconds=60.0).files == 0
    assert drop.look().files == 1
    assert drop.waiting() == ["sales.CSV.filepart", "sales.csv.part"]
    (drop.folder / "sales.csv.part").rename(drop.folder / "sales.csv")
    assert drop.look().repeated == 1


def test_an_old_time_given_by_the_sender_does_not_make_a_fresh_file_settled(drop: Drop) -> None:
    os.utime(drop.put("fresh.csv"), (1, 1))
    assert drop.look(settle_seconds=60.0).files == 0


def test_a_file_that_grows_while_it_is_read_is_read_again(drop: Drop) -> None:
    path = drop.put("sales.csv")

    class Growing(ShopConnector):
        def split(self, *arguments: Any, **named: Any) -> Iterator[Item]:
            yield from super().split(*arguments, **named)
            with path.open("ab") as more:
                more.write(b"s-4;40.00\n")

    assert "still being written" in drop.look(Growing()).notes[0]
    assert drop.waiting() == ["sales.csv"]
    report = drop.look()
    assert (report.new, report.duplicates) == (1, 3)
    assert drop.archived() == [LINES + b"s-4;40.00\n"]


@pytest.mark.parametrize("name", ["x/../../etc\nx.csv", "\u202egnp.csv", "-rf", "x" * 255])
def test_names_are_only_names(drop: Drop, name: str) -> None:
    drop.put(name.replace("/", "_"))
    drop.look()
    (archived,) = drop.archive.iterdir()
    assert archived.name.isascii()
    assert "\n" not in archived.name
    (place,) = rows(drop.connection, "select path from file_claim")
    assert place[0].isprintable()


def test_a_name_that_is_no_unicode_is_taken_all_the_same(drop: Drop) -> None:
    drop.put(os.fsdecode(b"caf\xe9.csv"))
    assert drop.look().new == 3
    assert drop.waiting() == []


def test_after_a_crash_between_batches_the_rest_is_taken_once(
    drop: Drop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "BATCH_ITEMS", 2)
    drop.put("sales.csv", b"".join(b"s-%d;1.00\n" % number for number in range(7)))

    class Crash(BaseException):
        pass

    class Crashing(ShopConnector):
        def split(self, *arguments: Any, **named: Any) -> Iterator[Item]:
            for number, item in enumerate(super().split(*arguments, **named)):
                if number == 5:
                    raise Crash
                yield item

    with pytest.raises(Crash):
        drop.look(Crashing())
    assert len(deliveries(drop.connection)) == 4
    assert rows(drop.connection, "select state from file_claim") == [("claimed",)]
    assert drop.waiting() == ["sales.csv"]
    report = drop.look()
    assert (report.items, report.new, report.duplicates) == (7, 3, 4)
    assert deliveries(drop.connection) == [f"s-{number}" for number in range(7)]
    assert rows(drop.connection, "select state, items from file_claim") == [("done", 7)]


def test_after_a_crash_before_the_archive_the_file_is_only_archived(drop: Drop) -> None:
    path = drop.put("sales.csv")
    ingest_files(drop.connection, ShopConnector(), SOURCE, [path], "", SystemClock())
    report = drop.look()
    assert (report.files, report.repeated) == (0, 1)
    assert drop.archived() == [LINES]


@pytest.mark.parametrize(
    "problem", [NeedsDecision("feed_unmapped", "the mapping names no amount"), TypeError("oops")]
)
def test_a_file_that_cannot_be_cut_whole_is_a_case_and_is_put_aside(
    drop: Drop, problem: Exception
) -> None:
    class Stumbling(ShopConnector):
        def split(self, *arguments: Any, **named: Any) -> Iterator[Item]:
            yield next(super().split(*arguments, **named))
            raise problem

    drop.put("sales.csv")
    report = drop.look(Stumbling())
    assert (report.new, report.problems) == (2, 1)
    assert str(problem) in report.notes[0]
    (failed,) = (drop.archive / "failed").iterdir()
    assert failed.read_bytes() == LINES
    kept = rows(drop.connection, "select problem from message order by id")
    assert kept[0] == ("",)
    assert str(problem) in kept[1][0]
    # the cause is mended and the file moved back
    failed.rename(drop.folder / "sales.csv")
    report = drop.look()
    assert (report.new, report.duplicates) == (2, 1)
    assert drop.archived() == [LINES]


def test_a_known_piece_with_other_content_is_kept_as_a_conflict(drop: Drop) -> None:
    drop.put("a.csv", b"s-1;10.00\n")
    drop.look()
    drop.put("b.csv", b"s-1;99.00\n")
    report = drop.look()
    assert (report.new, report.conflicts) == (0, 1)
    kept = rows(drop.connection, "select problem from message order by id")
    assert kept[0] == ("",)
    assert "another body" in kept[1][0]


def test_a_file_another_process_works_on_is_left_to_it(
    drop: Drop, database_url: str, connection: Connection
) -> None:
    from tillbridge.durable.session import connect

    drop.put("sales.csv")
    inner: list[FileReport] = []

    class Looking(ShopConnector):
        def split(self, *arguments: Any, **named: Any) -> Iterator[Item]:
            with connect(database_url) as other:
                drop.connection = other
                inner.append(drop.look())
                drop.connection = connection
            yield from super().split(*arguments, **named)

    assert drop.look(Looking()).new == 3
    assert inner[0].files == 0
    assert drop.archived() == [LINES]


def test_named_files_stay_where_they_are_and_read_again_add_nothing(
    tmp_path: Path, connection: Connection
) -> None:
    path = tmp_path / "order.json"
    path.write_bytes(LINES)

    def ingest() -> FileReport:
        return ingest_files(
            connection, ShopConnector(), SOURCE, [path], "orders/create", SystemClock()
        )

    first, second = ingest(), ingest()
    assert (first.files, first.items, first.new) == (1, 3, 3)
    assert (second.files, second.items, second.new, second.duplicates) == (1, 3, 0, 3)
    assert path.read_bytes() == LINES
    assert rows(connection, "select distinct topic from message") == [("orders/create",)]


def test_a_named_file_that_is_not_there_does_not_stop_the_others(
    tmp_path: Path, connection: Connection
) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(LINES)
    report = ingest_files(
        connection,
        ShopConnector(),
        SOURCE,
        [tmp_path / "gone.csv", tmp_path, path],
        "",
        SystemClock(),
    )
    assert (report.files, report.new, report.problems) == (1, 3, 2)


def test_a_large_file_is_read_as_a_stream(tmp_path: Path, connection: Connection) -> None:
    path = tmp_path / "large.csv"
    path.write_bytes(b"".join(b"s-%d;%s\n" % (n, b"x" * 1_000) for n in range(5_000)))
    far: list[int] = []

    class Watching(ShopConnector):
        def split(self, stream: BinaryIO, *arguments: Any, **named: Any) -> Iterator[Item]:
            for item in super().split(stream, *arguments, **named):
                stored = connection.execute("select count(*) from message").fetchone()
                assert stored is not None
                far.append(int(item.delivery[2:]) - int(stored[0]))
                yield item

    ingest_files(connection, Watching(), SOURCE, [path], "", SystemClock())
    assert max(far) <= files.BATCH_ITEMS


def test_an_empty_drop_folder_and_a_missing_one_are_fine(drop: Drop) -> None:
    assert drop.look() == FileReport()
    drop.folder.rmdir()
    assert drop.look() == FileReport()
