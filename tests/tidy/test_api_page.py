"""docs/api.md: the commands of its walk through run against a hub, and print what it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from tests.tidy.test_readme import unlike
from tests.tidy.tree import ROOT
from tillbridge.durable.postgres.supervisor import choose_port

SECTION = "## A walk through"
PORT = "8765"
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_MARK = "-- next --"
_UP_SECONDS = 90.0
# Ids and instants, as the page writes them.
_OWN = re.compile(r'"(id|at|oldest|heard_at|expires_at)":"[^"]*"')


def walk() -> list[tuple[str, list[str]]]:
    """The commands of the section, each with the output shown below it."""
    section = (ROOT / "docs" / "api.md").read_text("utf-8").split(SECTION, 1)[1]
    steps: list[tuple[str, list[str]]] = []
    for line in "".join(_BLOCK.findall(section.split("\n## ", 1)[0])).splitlines():
        if line.startswith("$ "):
            steps.append((line[2:], []))
        else:
            steps[-1][1].append(line)
    return steps


def test_the_walk_through_of_the_api_is_what_a_reader_sees(tmp_path: Path) -> None:
    steps = walk()
    assert [command.rsplit(" ", 1)[-1] for command, _ in steps[:2]] == ["workspace", "up"]
    port = str(choose_port(str(tmp_path)))
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }
    environment.pop("TILLBRIDGE_DATABASE_URL", None)
    _shell(tmp_path, environment, steps[0][0])
    with (tmp_path / "up.log").open("w") as log:
        hub = subprocess.Popen(
            [*steps[1][0].split(), "--port", port],
            cwd=tmp_path, env=environment, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        _wait(port, hub)
        script = "".join(f"{command}\necho '{_MARK}'\n" for command, _ in steps[2:])
        printed = _shell(tmp_path, environment, script.replace(f":{PORT}/", f":{port}/"))
    finally:
        hub.terminate()
        hub.wait(30)
    parts = printed.split(f"{_MARK}\n")
    for (command, shown), part in zip(steps[2:], parts, strict=False):
        told = [_OWN.sub(r'"\1":"..."', line) for line in part.splitlines()]
        assert unlike(shown, told) == "", f"{command}:\n{part}"


def _shell(folder: Path, environment: dict[str, str], script: str) -> str:
    done = subprocess.run(
        ["/bin/sh", "-ec", script],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _wait(port: str, hub: subprocess.Popen[bytes]) -> None:
    """Until the hub is ready."""
    until = time.monotonic() + _UP_SECONDS
    while time.monotonic() < until and hub.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5)
        except OSError:  # refused, or the socket is there and nobody answers yet
            time.sleep(0.2)
        else:
            return
    raise AssertionError("the hub did not come up")
