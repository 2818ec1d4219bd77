"""README: the commands of its first workspace run, and they print what it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.tidy.tree import ROOT

SECTION = "## A workspace of your own"
LEFT_OUT = "…"
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def shown_session(page: str, section: str) -> list[tuple[str, list[str]]]:
    """Commands of the first console block of a section, each with the output shown below it."""
    session: list[tuple[str, list[str]]] = []
    found = _BLOCK.search(page.split(section, 1)[1])
    assert found is not None
    for line in found[1].splitlines():
        if line.startswith("$ "):
            session.append((line[2:], []))
        else:
            session[-1][1].append(_masked(line))
    return session


def unlike(shown: list[str], printed: list[str]) -> str:
    """The first shown line that does not come next in the output; "" when all do.

    A line of `…` stands for any lines, and so does the end where nothing at all is shown.
    """
    at, may_skip = 0, False
    for line in shown:
        if line == LEFT_OUT:
            may_skip = True
            continue
        while may_skip and at < len(printed) and printed[at] != line:
            at += 1
        if at >= len(printed) or printed[at] != line:
            return line
        at, may_skip = at + 1, False
    return "" if may_skip or not shown or at >= len(printed) else f"not shown: {printed[at]}"


def test_the_first_workspace_of_the_readme_is_what_a_reader_sees(tmp_path: Path) -> None:
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    bin_folder = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"}
    environment.pop("TILLBRIDGE_DATABASE_URL", None)
    for command, shown in shown_session((ROOT / "README.md").read_text("utf-8"), SECTION):
        if command.startswith("export "):
            name, _, value = command.removeprefix("export ").partition("=")
            environment[name] = value
        elif not command.startswith(". "):
            done = subprocess.run(
                ["/bin/sh", "-c", command],
                cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, f"{command}: {done.stderr}"
            printed = [_masked(line) for line in done.stdout.splitlines()]
            assert unlike(shown, printed) == "", f"{command}:\n{done.stdout}"


def test_output_that_is_not_the_one_shown_is_seen() -> None:
    assert unlike(["a", LEFT_OUT, "d"], ["a", "b", "c", "d"]) == ""
    assert unlike(["a", LEFT_OUT], ["a", "b"]) == ""
    assert unlike([], ["a"]) == ""
    assert unlike(["a", "c"], ["a", "b", "c"]) == "c"
    assert unlike(["a", LEFT_OUT, "x"], ["a", "b"]) == "x"
    assert unlike(["a"], ["a", "b"]) == "not shown: b"


def _masked(line: str) -> str:
    return _INSTANT.sub("INSTANT", line.rstrip())
