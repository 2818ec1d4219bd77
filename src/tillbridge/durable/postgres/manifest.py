"""Check a physical backup against its manifest: every file there, each with its SHA-256.

Our own reader, because the program for it in the pinned wheel (pg_verifybackup 18.4) crashes, and
before version 18 it cannot read tar archives. WAL is not listed in a manifest; that the needed
part is whole is proven when the backup is recovered.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal

import msgspec

from tillbridge.durable.postgres.errors import PostgresError

Form = Literal["tar", "plain"]
CHUNK_BYTES = 1 << 20


class Entry(
    msgspec.Struct,
    rename={
        "path": "Path",
        "encoded": "Encoded-Path",
        "size": "Size",
        "checksum": "Checksum",
        "algorithm": "Checksum-Algorithm",
    },
):
    """One file of the backup, in the server's words."""

    size: int
    path: str = ""
    encoded: str = ""
    """The name in hex, where it is not UTF-8."""
    checksum: str = ""
    algorithm: str = ""

    @property
    def name(self) -> str:
        """The path relative to the data folder."""
        return self.path or bytes.fromhex(self.encoded).decode("utf-8", "surrogateescape")


class Manifest(msgspec.Struct, rename={"files": "Files", "checksum": "Manifest-Checksum"}):
    """The part of `backup_manifest` that is checked."""

    files: list[Entry]
    checksum: str


def archives(place: Path) -> dict[str, Path]:
    """The archives of a backup in tar form by their stem: `base`, `pg_wal`, tablespaces."""
    return {path.name.split(".")[0]: path for path in sorted(place.glob("*.tar*"))}


def read_manifest(path: Path) -> dict[str, Entry]:
    """The listed files by name; raises PostgresError when the manifest is absent or was changed."""
    try:
        raw = path.read_bytes()
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (OSError, msgspec.MsgspecError) as error:
        raise PostgresError(f"{path} cannot be read: {error}") from error
    told = raw[: raw.rindex(b'"Manifest-Checksum"')]
    if hashlib.sha256(told).hexdigest() != manifest.checksum:
        raise PostgresError(f"The backup is damaged: {path} does not match its own checksum")
    return {entry.name: entry for entry in manifest.files}


def verify(place: Path, form: Form) -> int:
    """Check the copy in `place`; the number of files. Raises PostgresError naming the first that
    is missing or changed.
    """
    listed = read_manifest(place / "backup_manifest")
    left = dict(listed)
    try:
        for name, content in _members(place, form, listed):
            entry = left.pop(name)
            if entry.algorithm != "SHA256":
                raise PostgresError(f"The backup {place} has no SHA-256 checksums")
            if _digest(content) != (entry.size, entry.checksum):
                raise PostgresError(f"The backup is damaged: {name} in {place} was changed")
    except (OSError, EOFError, tarfile.TarError) as error:
        raise PostgresError(f"The backup {place} is damaged: {error}") from error
    if left:
        raise PostgresError(f"The backup is damaged: {min(left)} is missing in {place}")
    return len(listed)


def _digest(content: IO[bytes]) -> tuple[int, str]:
    size = 0
    checksum = hashlib.sha256()
    while chunk := content.read(CHUNK_BYTES):
        size += len(chunk)
        checksum.update(chunk)
    return size, checksum.hexdigest()


def _members(place: Path, form: Form, listed: dict[str, Entry]) -> Iterator[tuple[str, IO[bytes]]]:
    """The listed files that are there, read in a stream."""
    if form == "plain":
        for name in listed:
            if (place / name).is_file():
                with (place / name).open("rb") as file:
                    yield name, file
        return
    base = archives(place).get("base")
    if base is None:
        return
    with tarfile.open(base, "r|*") as archive:
        for member in archive:
            name = member.name.removeprefix("./")
            content = archive.extractfile(member) if name in listed else None
            if content is not None:
                yield name, content
