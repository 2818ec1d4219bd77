"""Plants one bug at a time into a copy of the source and runs the tests that must notice it.

The copy stands before the installed package on the import path, in this process's children too. A
run that does not get as far as testing (an import error, a test that is not there) catches nothing
and is told as an error.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from tests.fire.mutants.bug import Bug, plant

ROOT = Path(__file__).resolve().parents[3]
SECONDS_MOST = 240
PASSED, FAILED = 0, 1
"""Exit codes of pytest: all passed, some failed."""


class Catch(msgspec.Struct, frozen=True):
    """How one hunt ended: `caught`, `survived`, `hung` (caught, too) or `error`; seconds; words."""

    bug: str
    outcome: str
    by: str
    seconds: float
    words: str = ""

    @property
    def good(self) -> bool:
        """Whether the bug did not go unnoticed."""
        return self.outcome in ("caught", "hung")


def healthy(bugs: Sequence[Bug], url: str) -> str:
    """Run every named test on the unharmed source; "" when all pass, else the output's end."""
    nodes = sorted({node for bug in bugs for node in bug.tests})
    with _copy() as source:
        code, output = _tests(source, nodes, url, SECONDS_MOST * 10)
    return "" if code == PASSED else output[-4000:]


def hunt(bugs: Sequence[Bug], url: str) -> Iterator[Catch]:
    """One answer per bug, in order. url: a PostgreSQL server the tests may make databases on."""
    for bug in bugs:
        began = time.monotonic()
        with _copy() as source:
            plant(bug, source)
            code, output = _tests(source, bug.tests, url, SECONDS_MOST)
        seconds = time.monotonic() - began
        by = _first_failed(output) or bug.tests[0]
        if code == FAILED and "error" not in _summary(output):
            yield Catch(bug.name, "caught", by, seconds)
        elif code == PASSED:
            yield Catch(bug.name, "survived", "", seconds)
        elif code is None:
            yield Catch(bug.name, "hung", bug.tests[0], seconds)
        else:
            yield Catch(bug.name, "error", "", seconds, output[-1500:])


class _copy:  # noqa: N801 - reads as what it does
    """A copy of `src` for as long as the block runs."""

    def __enter__(self) -> Path:
        self._folder = Path(tempfile.mkdtemp(prefix="tillbridge-bug-"))
        self._folder.chmod(0o755)
        shutil.copytree(
            ROOT / "src", self._folder / "src", ignore=shutil.ignore_patterns("__pycache__")
        )
        return self._folder / "src"

    def __exit__(self, *_exception: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)


def _tests(source: Path, nodes: Sequence[str], url: str, seconds: float) -> tuple[int | None, str]:
    command = [sys.executable, "-m", "pytest", "-x", "-p", "no:cacheprovider", "--tb=line"]
    command += [f"tests/{node}" for node in nodes]
    environment = os.environ | {
        "PYTHONPATH": str(source),
        "PYTHONDONTWRITEBYTECODE": "1",
        "TILLBRIDGE_DATABASE_URL": url,
    }
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            check=False,
            text=True,
        )
    except subprocess.TimeoutExpired as late:
        return None, str(late.output or "")
    return done.returncode, done.stdout


def _summary(output: str) -> str:
    """The words of pytest's last line that count outcomes, e.g. `1 failed, 3 passed`."""
    lines = [line for line in output.splitlines() if " in " in line and line.strip()[:1].isdigit()]
    return lines[-1] if lines else "error"


def _first_failed(output: str) -> str:
    for line in output.splitlines():
        if line.startswith("FAILED "):
            return line.removeprefix("FAILED ").split(" - ")[0]
    return ""
