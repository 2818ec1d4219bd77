"""Crash points: silent unless armed, strike once, and each name stands at one place of the code."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.tidy.tree import ROOT, parsed, python_files
from tillbridge.durable import crash_points
from tillbridge.durable.crash_points import POINTS, Crashed, Strike, armed, heard_by, reach

NAME = "flow.before_append"
CHILD = f"from tillbridge.durable.crash_points import reach; reach({NAME!r}); reach({NAME!r})"


def child(how: str, mark: Path | None = None, **more: str) -> int:
    environment = {**os.environ, "TILLBRIDGE_CRASH": f"{NAME}:{how}", **more}
    if mark is not None:
        environment["TILLBRIDGE_CRASH_MARK"] = str(mark)
    command = [sys.executable, "-c", CHILD]
    return subprocess.run(command, env=environment, check=False, stderr=subprocess.PIPE).returncode


def _places() -> Counter[str]:
    """How often each name is reached for in the source."""
    found: Counter[str] = Counter()
    for path in python_files(ROOT, "src/tillbridge"):
        if "from tillbridge.durable.crash_points import" not in path.read_text("utf-8"):
            continue  # another function of that name
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "reach":
                (name,) = node.args
                assert isinstance(name, ast.Constant), f"{path}: a name is written out"
                found[str(name.value)] += 1
    return found


def test_every_name_stands_at_exactly_one_place() -> None:
    assert _places() == Counter(dict.fromkeys(POINTS, 1))


def test_a_process_that_is_told_to_dies_there(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    assert child("kill", mark) == -signal.SIGKILL
    assert mark.read_text().startswith(f"{NAME} kill ")
    assert child("kill", mark) == 0, "what is started again lives"


def test_a_process_dies_at_the_nth_time_and_never_before() -> None:
    assert child("kill:2") == -signal.SIGKILL
    assert child("kill:3") == 0


def test_a_hang_lasts_as_long_as_it_was_told_and_goes_on() -> None:
    began = time.monotonic()
    assert child("hang", TILLBRIDGE_CRASH_SECONDS="0.7") == 0
    assert time.monotonic() - began >= 0.7


def test_a_defect_is_raised_once() -> None:
    strike = Strike(f"{NAME}:raise")
    with heard_by(strike):
        reach("flow.after_commit")
        with pytest.raises(Crashed, match=NAME):
            reach(NAME)
        reach(NAME)
    reach(NAME)


@pytest.mark.parametrize("plan", ["flow.nowhere:kill", f"{NAME}:melt", NAME])
def test_a_wrong_word_stops_the_process(plan: str) -> None:
    with pytest.raises(ValueError, match="TILLBRIDGE_CRASH"):
        armed({"TILLBRIDGE_CRASH": plan})


def test_nobody_listens_unless_the_environment_says_so() -> None:
    assert armed({}) is None
    assert crash_points._heard is None
