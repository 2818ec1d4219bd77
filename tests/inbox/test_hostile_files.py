"""Files of a hostile sender: packed ones, names that turn into links, and what must not be kept."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest
from psycopg import Connection

from tests.inbox.test_files import Drop, rows
from tillbridge.inbox.drop_folder import OVERWRITE_BYTES, opened_folder, overwrite

CANARY = b"of-another-house;99.00\n"


@pytest.fixture
def drop(tmp_path: Path, connection: Connection) -> Drop:
    return Drop(tmp_path, connection)


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, b"0" * 50_000_000 if name == "bomb" else b"s-1;1.00\n")
    return out.getvalue()


def tarred() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        entry = tarfile.TarInfo("../../etc/passwd")
        archive.addfile(entry, io.BytesIO(b""))
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("zip", zipped("../../outside.csv", "/etc/passwd", "bomb")),
        ("zip", zipped()),
        ("gzip", gzip.compress(b"0" * 50_000_000)),
        ("bzip2", bz2.compress(b"s-1;1.00\n")),
        ("xz", lzma.compress(b"s-1;1.00\n")),
        ("tar", tarred()),
        ("7z", b"7z\xbc\xaf\x27\x1c" + b"\x00" * 60),
    ],
)
def test_nothing_is_unpacked_and_a_case_says_so(drop: Drop, kind: str, content: bytes) -> None:
    drop.put("day.csv", content)
    report = drop.look()
    assert (report.files, report.new, report.problems) == (1, 1, 1)
    ((body, words),) = rows(drop.connection, "select body, problem from message")
    assert f"it is a {kind} file" in words
    assert len(body) < 1000
    (kept,) = (drop.archive / "failed").iterdir()
    assert kept.read_bytes() == content
    outside = [path.name for path in drop.folder.parent.iterdir()]
    assert sorted(outside) == ["archive", "drop"]


@pytest.mark.parametrize("swaps", [200, pytest.param(10_000, marks=pytest.mark.long)])
def test_a_name_that_keeps_turning_into_a_link_leads_nowhere(
    drop: Drop, tmp_path: Path, swaps: int
) -> None:
    outside = tmp_path / "outside.csv"
    outside.write_bytes(CANARY)
    stop = threading.Event()
    swapped = 0

    def swap() -> None:
        nonlocal swapped
        link, real, name = (tmp_path / "link", tmp_path / "real", drop.folder / "day.csv")
        while not stop.is_set():
            link.symlink_to(outside)
            os.replace(link, name)  # noqa: PTH105 - one system call
            real.write_bytes(b"s-%d;1.00\n" % swapped)
            os.replace(real, name)  # noqa: PTH105 - the same
            swapped += 1

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        while swapped < swaps and thread.is_alive():
            drop.look()
    finally:
        stop.set()
        thread.join()
    assert swapped >= swaps
    assert outside.read_bytes() == CANARY
    bodies = [bytes(body) for (body,) in rows(drop.connection, "select body from message")]
    assert [body for body in bodies if b"another" in body] == []
    assert [body for body in drop.archived() if b"another" in body] == []


def test_stretches_are_overwritten_wherever_they_stand(tmp_path: Path) -> None:
    number, masked = b"4111111111111111", b"************1111"
    edge = OVERWRITE_BYTES - 7
    content = b"a" * edge + number + b"b" * OVERWRITE_BYTES + number.decode().encode("utf-16-be")
    (tmp_path / "file").write_bytes(content)
    with opened_folder(tmp_path) as folder:
        overwrite("file", folder, {number: masked})
    found = (tmp_path / "file").read_bytes()
    assert len(found) == len(content)
    assert found == content.replace(number, masked).replace(
        number.decode().encode("utf-16-be"), masked.decode().encode("utf-16-be")
    )
