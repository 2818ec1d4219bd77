"""The drop folder as a place nobody is trusted in: what lies there, opened safely, put away safely.

Everything goes through the folder's descriptor, so a name swapped for a link leads nowhere. Only
settled regular files directly in the folder count. Files are moved, never deleted or overwritten,
and stand on disk under their new name before anybody says so.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from io import BufferedReader, FileIO
from pathlib import Path

UNFINISHED = (".part", ".tmp", ".filepart", ".partial", ".crdownload", ".swp")
# Kind, place and first bytes of what is never unpacked here: who unpacks decides about size, names
# and what lies inside.
_PACKED = (
    ("zip", 0, b"PK\x03\x04"), ("zip", 0, b"PK\x05\x06"), ("zip", 0, b"PK\x07\x08"),
    ("gzip", 0, b"\x1f\x8b"), ("bzip2", 4, b"1AY&SY"), ("xz", 0, b"\xfd7zXZ\x00"),
    ("zstd", 0, b"\x28\xb5\x2f\xfd"), ("7z", 0, b"7z\xbc\xaf\x27\x1c"), ("rar", 0, b"Rar!\x1a\x07"),
    ("lz4", 0, b"\x04\x22\x4d\x18"), ("compress", 0, b"\x1f\x9d"), ("tar", 257, b"ustar"),
)  # fmt: skip
_ODD = re.compile(r"[^A-Za-z0-9._-]+")
NAME_MOST = 80
OVERWRITE_BYTES = 4 * 1024 * 1024


class NotAFile(Exception):
    """What stands under the name is no regular file that could be opened; words say what."""


@contextmanager
def opened_folder(folder: Path, *, make: bool = False) -> Iterator[int]:
    """A descriptor of a real folder (no link). Raises OSError."""
    if make:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield number
    finally:
        os.close(number)


@contextmanager
def opened_file(name: str, folder: int | None = None) -> Iterator[BufferedReader]:
    """A regular file for reading: inside a folder links are refused, without one the caller named
    it and links are followed. Raises NotAFile, FileNotFoundError.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe must not make us wait
    if folder is not None:
        flags |= os.O_NOFOLLOW
    try:
        number = os.open(name, flags, dir_fd=folder)
    except FileNotFoundError:
        raise
    except OSError as problem:
        raise NotAFile(f"{shown(name)} cannot be opened: {problem.strerror}") from None
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise NotAFile(f"{shown(name)} is no regular file")
    stream: BufferedReader = BufferedReader(FileIO(number), buffer_size=1024 * 1024)
    with stream:
        yield stream


def packed(stream: BufferedReader) -> str:
    """The kind of archive or compressed file a stream is by its first bytes, "" for none; the
    stream stands at its beginning again.
    """
    head = stream.read(512)
    stream.seek(0)
    for kind, at, mark in _PACKED:
        if head[at : at + len(mark)] == mark:
            return kind
    return ""


def settled(folder: int, now: datetime, seconds: float) -> tuple[list[str], list[str]]:
    """Names of files untouched for `seconds`, oldest first; and words about what is no file.

    Hidden names and the names senders give to unfinished files are left alone. The time is that of
    the last change of any kind, which a sender cannot set.
    """
    found: list[tuple[int, str]] = []
    notes: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower().endswith(UNFINISHED):
                continue
            with contextlib.suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    if now.timestamp() - status.st_ctime >= seconds:
                        found.append((status.st_mtime_ns, entry.name))
                elif not stat.S_ISDIR(status.st_mode):
                    notes.append(f"{shown(entry.name)} is no regular file and is left alone")
    return [name for _, name in sorted(found)], sorted(notes)


def put_away(
    stream: BufferedReader, name: str, folder: int, archive: int, when: datetime, digest: bytes
) -> str:
    """Move a read file into the archive under a name of ours, durably; gives the name.

    Raises NotAFile when the name meanwhile stands for another file, which is put back.
    """
    plain = f"{when:%Y%m%dT%H%M%S}-{digest.hex()[:12]}-{safe(name)}"
    numbered = (plain if number == 1 else f"{plain}.{number}" for number in itertools.count(1))
    target = next(name for name in numbered if not _there(name, archive))
    os.fsync(stream.fileno())
    os.rename(name, target, src_dir_fd=folder, dst_dir_fd=archive)
    moved = os.stat(target, dir_fd=archive, follow_symlinks=False)
    if not os.path.samestat(moved, os.fstat(stream.fileno())):
        _put_back(target, archive, name, folder)
        raise NotAFile(f"{shown(name)} was replaced while it was read")
    os.fsync(archive)
    os.fsync(folder)
    return target


def overwrite(name: str, folder: int, stretches: Mapping[bytes, bytes]) -> None:
    """Put other bytes of the same length in place of some, wherever they stand in a file of ours,
    in UTF-8 or UTF-16; durable when it returns.
    """
    pairs = {
        old.decode("utf-8", "replace").encode(code): new.decode("utf-8", "replace").encode(code)
        for old, new in stretches.items()
        for code in ("utf-8", "utf-16-le", "utf-16-be")
    }
    overlap = max(map(len, pairs), default=1) - 1
    number = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        at = 0
        while chunk := os.pread(number, OVERWRITE_BYTES + overlap, at):
            changed = chunk
            for old, new in pairs.items():
                changed = changed.replace(old, new)
            if changed != chunk:
                os.pwrite(number, changed, at)
            at += OVERWRITE_BYTES
        os.fsync(number)
    finally:
        os.close(number)


def safe(name: str) -> str:
    """A file name of harmless letters, for a name of ours."""
    return _ODD.sub("_", name)[-NAME_MOST:].lstrip(".-") or "file"


def shown(name: str) -> str:
    """A name as it may be shown to a person and stored: no control characters, not too long."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in name)
    return plain.encode("utf-8", "replace").decode()[:200]


def _there(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _put_back(target: str, archive: int, name: str, folder: int) -> None:
    for number in itertools.count(1):
        back = name if number == 1 else f"{name}.{number}"
        try:
            os.link(target, back, src_dir_fd=archive, dst_dir_fd=folder, follow_symlinks=False)
        except FileExistsError:
            continue
        os.unlink(target, dir_fd=archive)
        return
