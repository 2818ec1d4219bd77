"""What the tidy rules look at: the files of a checkout, read once per rule."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

TEXT_SUFFIXES = frozenset(
    {".cfg", ".css", ".html", ".js", ".json", ".md", ".py", ".sh", ".sql", ".tmpl", ".toml", ".txt"}
)
TEXT_NAMES = frozenset({"Makefile", ".importlinter", ".gitignore", "run"})
FOLDERS = ("src", "tests", "docs", ".ci")

# This rule book names the very words that it bans.
RULE_BOOK = "tests/tidy/"


def python_files(root: Path, *folders: str) -> Iterator[Path]:
    """Python files below the named folders of a checkout, in order."""
    for folder in folders or ("src", "tests"):
        for path in sorted((root / folder).rglob("*.py")):
            if "__pycache__" not in path.parts:
                yield path


def text_files(root: Path) -> Iterator[Path]:
    """Every file a person or a machine wrote as text: sources, documents, settings."""
    found = [path for path in root.iterdir() if path.is_file()]
    for folder in FOLDERS:
        found.extend(path for path in (root / folder).rglob("*") if path.is_file())
    for path in sorted(found):
        if "__pycache__" in path.parts:
            continue
        if path.suffix in TEXT_SUFFIXES or path.name in TEXT_NAMES:
            yield path


def documents(root: Path) -> Iterator[Path]:
    """The pages people read: Markdown at the top and below docs/."""
    yield from sorted(root.glob("*.md"))
    yield from sorted((root / "docs").rglob("*.md"))


def parsed(path: Path) -> ast.Module:
    """Syntax tree of a Python file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def short(root: Path, path: Path) -> str:
    """Path as a reader of the checkout would write it."""
    return path.relative_to(root).as_posix()
