"""Root's workspaces and ordinary users': the server runs under an account that can reach it."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.durable.server_bench import SOURCE, Bench
from tillbridge.durable.postgres.account import HOME_VARIABLE, safe_folder, server_account
from tillbridge.durable.postgres.binaries import find
from tillbridge.durable.postgres.errors import PostgresError

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can run as other users")
USE = (
    "with postgres.database(workspace) as url:\n"
    "    with psycopg.connect(url, autocommit=True) as c:\n"
    "        c.execute('create table if not exists t (x int)')\n"
    "        c.execute('insert into t values (1)')\n"
    "        print(c.execute('select count(*) from t').fetchone()[0])\n"
)


@pytest.fixture
def closed(open_folder: Path) -> Path:
    """A folder only root may enter."""
    place = open_folder / "closed"
    place.mkdir(mode=0o700)
    return place


@root_only
def test_roots_closed_folder_is_served_from_a_place_of_ours(
    closed: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = open_folder / "home"
    monkeypatch.setenv(HOME_VARIABLE, str(home))
    monkeypatch.delenv("TILLBRIDGE_DATABASE_URL", raising=False)
    # The wheel lies in the closed folder too, as in an environment inside root's own clone.
    wheel = find().folder.parents[1]
    shutil.copytree(wheel, closed / "lib" / wheel.name, symlinks=True)
    shutil.copytree(f"{wheel}.libs", closed / "lib" / f"{wheel.name}.libs")
    monkeypatch.setenv("PYTHONPATH", str(closed / "lib"))
    bench = Bench(closed / "workspace", path=(str(closed / "lib"), SOURCE))
    try:
        for count in ("1", "2"):
            child = bench.command(USE)
            said, complaint = child.communicate(timeout=60)
            assert (said.strip(), child.returncode) == (count, 0), complaint
        assert bench.data().is_relative_to(home)
        assert bench.data().stat().st_uid == server_account(None).uid
        assert len(list((home / "programs").iterdir())) == 1
        for place in (closed, closed / "lib" / wheel.name):
            assert stat.S_IMODE(place.stat().st_mode) in (0o700, stat.S_IMODE(wheel.stat().st_mode))
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
        assert stat.S_IMODE(home.stat().st_mode) == 0o711
    finally:
        bench.clean()


@root_only
def test_a_place_planted_by_somebody_else_is_refused(open_folder: Path) -> None:
    own = open_folder / "own"
    assert safe_folder(own) == own
    assert safe_folder(own) == own
    link = open_folder / "link"
    link.symlink_to(own)
    theirs = open_folder / "theirs"
    theirs.mkdir()
    os.chown(theirs, pwd.getpwnam("nobody").pw_uid, 0)
    loose = open_folder / "loose"
    loose.mkdir()
    loose.chmod(0o777)
    for place in (link, theirs, loose):
        with pytest.raises(PostgresError, match="not a folder of ours alone"):
            safe_folder(place)


@root_only
def test_an_ordinary_user_runs_it_as_himself(open_folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    python = shutil.which("/usr/bin/python3")
    site = str(Path(find().folder).parents[2])
    if (
        python is None
        or subprocess.run(
            [python, "-c", "import psycopg, msgspec"],
            check=False,
            capture_output=True,
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
            cwd="/",
            env={"PYTHONPATH": site},
        ).returncode
    ):
        pytest.skip("an ordinary user can enter no Python with our dependencies here")
    own = open_folder / "nobody"
    own.mkdir()
    os.chown(own, nobody.pw_uid, nobody.pw_gid)
    bench = Bench(own / "workspace", path=(SOURCE, site), python=python, user=nobody.pw_uid)
    try:
        for count in ("1", "2"):
            child = bench.command(USE)
            said, complaint = child.communicate(timeout=60)
            assert (said.strip(), child.returncode) == (count, 0), complaint
        assert bench.data() == own / "workspace" / "postgres" / "data"
        assert {path.stat().st_uid for path in bench.folder.root.rglob("*")} == {nobody.pw_uid}
        # Root may look after it too: the server stays its owner's, and so do the files.
        rooted = Bench(own / "workspace")
        assert rooted.command(USE).communicate(timeout=60)[0].strip() == "3"
        assert bench.command(USE).communicate(timeout=60)[0].strip() == "4"
    finally:
        bench.clean()


@root_only
def test_root_never_serves_as_root(tmp_path: Path) -> None:
    assert server_account(None).name in ("postgres", "nobody")
    with pytest.raises(PostgresError, match="not possible with root"):
        server_account(tmp_path)
