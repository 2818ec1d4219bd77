"""Rules about the commands that documents show: the verb and its options exist.

A document shows a command as a line starting with `$ ` inside a ```console block.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tidy.tree import documents, short

BLOCK = re.compile(r"^ *```console\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
STOP = frozenset({"|", "&&", "||", ";", ">", ">>", "<", "#"})

# Commands of the documents that a test runs to their end (tests/tidy/test_documents.py).
RUN_IN_FULL: tuple[str, ...] = ("make help", "tillbridge rules test")


def shown_commands(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Place and words of every command shown; what follows a pipe or a comment is left out."""
    for path in documents(root):
        for block in BLOCK.findall(path.read_text(encoding="utf-8")):
            joined = block.replace("\\\n", " ")
            for line in map(str.lstrip, joined.splitlines()):
                if line.startswith("$ "):
                    yield short(root, path), _first_command(line[2:])


def make_targets_exist(root: Path) -> list[str]:
    """Every `$ make x` in a document is a target of the Makefile, and its variables are known."""
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    known = set(re.findall(r"^([A-Z]+) \?=", makefile, re.MULTILINE))
    problems = []
    for place, words in shown_commands(root):
        if not words or words[0] != "make":
            continue
        for word in words[1:]:
            name, equals, _ = word.partition("=")
            if name not in (known if equals else targets):
                problems.append(f"{place}: make knows no {name}")
    return problems


def tillbridge_verbs_exist(root: Path) -> list[str]:
    """Every `$ tillbridge ...` in a document is accepted up to its last option.

    The line is run with --help at its end: the parser refuses unknown verbs and options first.
    """
    lines = {shlex.join(words): place for place, words in shown_commands(root) if words}
    wanted = {line: place for line, place in lines.items() if line.split()[0] == "tillbridge"}
    if not wanted:
        return []
    cli = root / "src" / "tillbridge" / "app" / "cli"
    if not cli.is_dir() and not cli.with_suffix(".py").exists():
        pytest.skip("there is no command line yet")
    main = importlib.import_module("tillbridge.app.cli").main
    return [
        f"{place}: {line}: {why}" for line, place in wanted.items() if (why := refusal(line, main))
    ]


def refusal(line: str, main: Callable[[], object]) -> str:
    """Why a command line program refuses these words, or an empty string.

    main reads sys.argv, as a console script does.
    """
    said = io.StringIO()
    before = sys.argv
    sys.argv = [*shlex.split(line), "--help"]
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            main()
    except SystemExit as stop:
        return "" if stop.code in (0, None) else said.getvalue().strip()[-300:] or "refused"
    finally:
        sys.argv = before
    return ""


def _first_command(line: str) -> list[str]:
    words: list[str] = []
    for word in shlex.split(line, comments=True):
        if word in STOP:
            break
        words.append(word)
    return words
