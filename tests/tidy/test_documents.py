"""What documents show is what a reader gets."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from tests.tidy.command_rules import RUN_IN_FULL, refusal, shown_commands
from tests.tidy.tree import ROOT


@pytest.mark.parametrize("line", RUN_IN_FULL)
def test_a_shown_command_runs_to_its_end(line: str) -> None:
    if line.startswith("make") and shutil.which("make") is None:
        pytest.skip("there is no make on this machine")
    environment = {name: value for name, value in os.environ.items() if "MAKE" not in name}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        shlex.split(line), cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_a_command_that_runs_in_full_is_shown_somewhere() -> None:
    shown = {shlex.join(words) for _, words in shown_commands(ROOT)}
    assert set(RUN_IN_FULL) <= shown


def test_a_verb_or_option_that_does_not_exist_is_seen() -> None:
    program = typer.Typer()

    @program.command()
    def tell(order: str, lines: int = 10) -> None:
        """Tell one story."""

    @program.command()
    def rest() -> None:
        """Do nothing."""

    assert refusal("x tell ORDER --lines 3", program) == ""
    assert refusal("x tell", program) == ""
    assert "fly" in refusal("x fly", program)
    assert "--wings" in refusal("x tell ORDER --wings", program)
