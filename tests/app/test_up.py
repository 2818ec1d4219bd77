"""`tillbridge up` as a person runs it: it answers, it works, and it leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tillbridge.app.http import listen
from tillbridge.app.settings import load_workspace
from tillbridge.app.workspace import init
from tillbridge.atoms.ids import SystemIds

SECONDS = 40.0
MAIN = "from tillbridge.app.cli import main; main()"


def _children(pid: int) -> set[int]:
    """All processes below one."""
    found: set[int] = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text()
        except OSError:
            continue
        if int(text.rsplit(")", 1)[1].split()[1]) == pid:
            child = int(path.parent.name)
            found |= {child} | _children(child)
    return found


def _status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310 - loopback
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 0


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    init(folder, SystemIds())
    load_workspace(folder)
    return folder


def _up(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    free = listen("127.0.0.1", 0)
    port = free.getsockname()[1]
    free.close()
    with (folder / "up.txt").open("w") as told:
        process = subprocess.Popen(
            [sys.executable, "-c", MAIN, "--workspace", str(folder), "up", "--port", str(port)],
            stderr=told,
        )
    address = f"http://127.0.0.1:{port}"
    end = time.monotonic() + SECONDS
    while _status(f"{address}/health/ready") != 200:
        assert process.poll() is None, (folder / "up.txt").read_text()
        assert time.monotonic() < end, "it never became ready"
        time.sleep(0.1)
    return process, address


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_up_answers_and_leaves_nothing_behind(workspace: Path, how: signal.Signals) -> None:
    process, address = _up(workspace)
    try:
        assert _status(f"{address}/in/web") in (401, 405)
        with urllib.request.urlopen(f"{address}/metrics", timeout=5) as answer:  # noqa: S310
            assert re.search(r"^tillbridge_store_up 1", answer.read().decode(), re.MULTILINE)
        family = _children(process.pid)
        assert len(family) >= 3, "the HTTP role and two flow processes"
    finally:
        os.kill(process.pid, how)
    code = process.wait(timeout=SECONDS)
    assert code == (0 if how is signal.SIGTERM else -signal.SIGKILL)
    end = time.monotonic() + SECONDS
    while any(Path(f"/proc/{pid}").exists() for pid in family):
        assert time.monotonic() < end, "a process of the hub outlived it"
        time.sleep(0.1)
