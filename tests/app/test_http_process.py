"""The HTTP role in a process of its own: when it dies nobody is turned away, and it comes back."""

from __future__ import annotations

import os
import signal
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tillbridge.app.http_process import HttpProcesses
from tillbridge.app.workspace import init
from tillbridge.atoms.ids import SystemIds

SECONDS = 30.0


@pytest.fixture
def site(tmp_path: Path, database_url: str) -> Iterator[HttpProcesses]:
    init(tmp_path / "workspace", SystemIds())
    with (tmp_path / "http.log").open("w") as log:
        found = HttpProcesses(
            tmp_path / "workspace", database_url, "127.0.0.1", 0, count=2, log=log
        )
        found.start()
        yield found
        found.stop()


def _live(site: HttpProcesses) -> int:
    with urllib.request.urlopen(f"{site.address}/health/live", timeout=SECONDS) as answer:  # noqa: S310 - loopback
        return int(answer.status)


def test_a_killed_http_process_is_replaced_and_who_came_meanwhile_is_answered(
    site: HttpProcesses,
) -> None:
    assert _live(site) == 200
    first = site.pids
    for pid in first:
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)
    told: list[int] = []
    waiting = threading.Thread(target=lambda: told.append(_live(site)))
    waiting.start()  # comes while nobody is there
    time.sleep(0.2)
    assert told == []
    site.look()
    waiting.join(timeout=SECONDS)
    assert told == [200]
    assert len(set(site.pids) - set(first)) == 2


def test_a_living_http_process_is_left_alone_and_leaves_when_it_is_told_to(
    site: HttpProcesses,
) -> None:
    assert _live(site) == 200
    pids = site.pids
    site.look()
    assert site.pids == pids
    site.stop()
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert site.pids == []
