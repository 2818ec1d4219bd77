"""Rules about single Python files: docstrings, lengths, names, patches by string.

Each rule takes the top of a checkout and gives back one sentence per breach.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.tidy.tree import RULE_BOOK, parsed, python_files, short

LINES_SOURCE = 400
LINES_TESTS = 600
LINES_FUNCTION = 60

# A name that fits everything says nothing; what to write instead.
BANNED_NAMES = {
    "base": "the noun itself (a protocol goes to contract/promises.py)",
    "common": "the noun both sides share",
    "core": "the room it belongs to",
    "helper": "what it does, as a verb or noun",
    "helpers": "what they do, as a verb or noun",
    "lib": "the noun it is about",
    "manager": "the thing it keeps, e.g. leases",
    "misc": "one file per thing",
    "service": "the verb it does, e.g. receive",
    "services": "the verbs they do",
    "tools": "what each one makes",
    "util": "the noun it works on, e.g. money",
    "utils": "the noun it works on, e.g. money",
}

PATCH_BY_STRING = re.compile(r"""\b(?:mock|mocker)\.patch\b|monkeypatch\.setattr\(\s*["']""")


def modules_say_what_they_are_for(root: Path) -> list[str]:
    """Every module and package starts with a docstring that ends its first sentence."""
    problems = []
    for path in python_files(root):
        words = ast.get_docstring(parsed(path))
        if not words or not words.strip():
            problems.append(f"{short(root, path)}: no module docstring; say what it is for")
    return problems


def packages_have_an_init(root: Path) -> list[str]:
    """Every folder with Python below src/tillbridge is a package with an __init__.py."""
    folders = {path.parent for path in python_files(root, "src")}
    return [
        f"{short(root, folder)}: no __init__.py; add one that says what the package is for"
        for folder in sorted(folders)
        if folder != root / "src" and not (folder / "__init__.py").exists()
    ]


def files_stay_short(root: Path) -> list[str]:
    """A source file has at most 400 lines, a test file at most 600."""
    problems = []
    for path in python_files(root):
        allowed = LINES_TESTS if path.is_relative_to(root / "tests") else LINES_SOURCE
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > allowed:
            problems.append(
                f"{short(root, path)}: {lines} lines, at most {allowed}; divide by noun"
            )
    return problems


def functions_stay_short(root: Path) -> list[str]:
    """A function has at most 60 lines, docstring included."""
    problems = []
    for path in python_files(root):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LINES_FUNCTION:
                    place = f"{short(root, path)}:{node.lineno}"
                    problems.append(f"{place}: {node.name} has {lines} lines, at most 60")
    return problems


def names_say_something(root: Path) -> list[str]:
    """No file or package is called utils, manager or the like."""
    problems = []
    for folder in ("src", "tests"):
        for path in sorted((root / folder).rglob("*")):
            stem = path.stem.removeprefix("test_")
            if "__pycache__" in path.parts or stem not in BANNED_NAMES:
                continue
            if path.is_dir() or path.suffix == ".py":
                problems.append(f"{short(root, path)}: write {BANNED_NAMES[stem]} instead")
    return problems


def nothing_is_patched_by_string(root: Path) -> list[str]:
    """Tests hand in a twin; they never patch a module by its name."""
    problems = []
    for path in python_files(root, "tests"):
        if short(root, path).startswith(RULE_BOOK):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if PATCH_BY_STRING.search(line):
                problems.append(f"{short(root, path)}:{number}: hand in a twin, do not patch")
    return problems
