"""A seeded bug: what a programmer could get wrong, where, and which tests must notice."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Edit(msgspec.Struct, frozen=True):
    """One replacement in a file below `src/tillbridge`; `old` stands there exactly once."""

    file: str
    old: str
    new: str


class Bug(msgspec.Struct, frozen=True):
    """A bug with the tests that catch it. name: the mistake in the field's words.

    tests: pytest node ids below `tests/`; one of them turning red is enough, none of them may be
    red without the bug.
    """

    name: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]


def one(name: str, file: str, old: str, new: str, *tests: str) -> Bug:
    """A bug that takes a single edit."""
    return Bug(name, (Edit(file, old, new),), tests)


def stale(bug: Bug, root: Path) -> list[str]:
    """Why the bug no longer fits the checkout at `root`; empty when it does."""
    found = []
    for edit in bug.edits:
        path = root / "src" / "tillbridge" / edit.file
        times = path.read_text(encoding="utf-8").count(edit.old) if path.is_file() else 0
        if times != 1:
            found.append(f"{bug.name}: its text stands {times} times in {edit.file}")
    for node in bug.tests:
        file, _, rest = node.partition("::")
        path = root / "tests" / file
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        name = rest.split("[")[0].split("::")[-1]
        if f"def {name}(" not in text:
            found.append(f"{bug.name}: there is no test {node}")
    return found


def plant(bug: Bug, source: Path) -> None:
    """Write the bug into a copy of `src`; raises ValueError where its text is not found once."""
    for edit in bug.edits:
        path = source / "tillbridge" / edit.file
        text = path.read_text(encoding="utf-8")
        if text.count(edit.old) != 1:
            raise ValueError(f"{bug.name}: its text stands {text.count(edit.old)} times")
        path.write_text(text.replace(edit.old, edit.new), encoding="utf-8")
