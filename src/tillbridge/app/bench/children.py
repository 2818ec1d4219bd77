"""Processes of a bench: servers and load generators of ours, spoken to by lines, ended together."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Child = subprocess.Popen[str]
Tell = Callable[[str], None]


def module(
    name: str,
    *arguments: str,
    environment: dict[str, str] | None = None,
    passed: tuple[int, ...] = (),
) -> Child:
    """A module of ours as a process; passed: descriptors it inherits."""
    return subprocess.Popen(  # noqa: S603 - our own module under our own interpreter
        [sys.executable, "-m", f"tillbridge.{name}", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        pass_fds=passed,
    )


@contextmanager
def ended(children: list[Child]) -> Iterator[None]:
    """Ends them whatever happens."""
    try:
        yield
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.communicate(timeout=30)


def say(child: Child, word: str) -> None:
    """Tell a child a word."""
    if child.stdin is not None:
        child.stdin.write(f"{word}\n")
        child.stdin.flush()


def line(child: Child) -> str:
    """Its next line; raises AssertionError when it has ended."""
    told = child.stdout.readline() if child.stdout is not None else ""
    if not told:
        raise AssertionError("the load generator ended before its time; its words stand above")
    return told.strip()


def expect(child: Child, word: str) -> None:
    """Wait for a word; raises AssertionError at another one."""
    found = line(child)
    if found != word:
        raise AssertionError(f"the load generator said {found!r} instead of {word!r}")


def cpu_seconds(pid: int) -> float:
    """User and system seconds of a process so far (proc(5)); 0 where there is no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(pid: int) -> float:
    """Largest resident size of a process so far; 0 where there is no /proc."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    lines = (line.split() for line in text.splitlines() if line.startswith("VmHWM:"))
    return next((int(words[1]) / 1024 for words in lines), 0.0)
