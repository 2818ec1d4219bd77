"""Workspaces for tests of the embedded server."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.durable.server_bench import Bench
from tests.places import quick_place
from tillbridge.durable.postgres import lease


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A temporary folder that other accounts may pass through."""
    place = Path(tempfile.mkdtemp(prefix="tillbridge-embedded-"))
    place.chmod(0o711)
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="session")
def made_workspace() -> Iterator[Path]:
    """A workspace whose cluster was made and is down; copied instead of made again."""
    place = Path(tempfile.mkdtemp(prefix="tillbridge-made-", dir=quick_place()))
    place.chmod(0o711)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(lease.URL_VARIABLE, raising=False)
        with lease.database(place / "workspace"):
            pass
    yield place / "workspace"
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def bench(made_workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A workspace with a cluster in it, server down. Tests share it: they may leave rows, no
    changed setting and no missing file.
    """
    monkeypatch.delenv(lease.URL_VARIABLE, raising=False)
    made = Bench(made_workspace)
    yield made
    made.clean()


@pytest.fixture
def own_bench(made_workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A workspace of the test's own, to do with as it likes."""
    monkeypatch.delenv(lease.URL_VARIABLE, raising=False)
    place = Path(tempfile.mkdtemp(prefix="tillbridge-own-", dir=quick_place()))
    place.chmod(0o711)
    subprocess.run(["cp", "-a", made_workspace, place / "workspace"], check=True)
    own = Bench(place / "workspace")
    yield own
    own.clean()
    shutil.rmtree(place, ignore_errors=True)
