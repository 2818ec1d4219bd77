"""Rules about cases: docs/operations.md explains every reason the source can give, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.tidy.tree import python_files, short

OPERATIONS = Path("docs") / "operations.md"
_ROW = re.compile(r"^\| `([a-z_]+)` \| ([a-z, ]+) \| (.+?) \| (.+?) \|$", re.MULTILINE)
_ERROR = "NeedsDecision"
_DEFAULT_OWNER = "integration"


def every_reason_is_explained(root: Path) -> list[str]:
    """One row per reason in the source, with the owners the source names."""
    problems, told = [], _told(root)
    given: dict[str, set[str]] = {}
    for place, reason, owners in _given(root):
        if not reason:
            problems.append(f"{place}: a reason is a plain text, so that it can be looked up")
            continue
        given.setdefault(reason, set()).update(owners)
    problems += [f"{OPERATIONS}: no row for `{reason}`" for reason in sorted(given.keys() - told)]
    problems += [
        f"{OPERATIONS}: nothing gives `{reason}`" for reason in sorted(told.keys() - given)
    ]
    problems += [
        f"{OPERATIONS}: `{reason}` is also owned by {owner}"
        for reason in sorted(given.keys() & told.keys())
        for owner in sorted(given[reason] - told[reason])
    ]
    return problems


def _told(root: Path) -> dict[str, set[str]]:
    words = (root / OPERATIONS).read_text(encoding="utf-8")
    return {reason: set(owners.split(", ")) for reason, owners, _, _ in _ROW.findall(words)}


def _given(root: Path) -> Iterator[tuple[str, str, set[str]]]:
    """Place, reason ("" when it is no constant) and owners of every case the source opens."""
    for path in python_files(root, "src"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in _calls(tree):
            first = call.args[0] if call.args else None
            known = isinstance(first, ast.Constant) and isinstance(first.value, str)
            reason = str(first.value) if known and isinstance(first, ast.Constant) else ""
            yield f"{short(root, path)}:{call.lineno}", reason, _owners(call)


def _calls(tree: ast.Module) -> Iterator[ast.Call]:
    """Calls that make a NeedsDecision, and what its subclasses hand to it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == _ERROR:
                yield node
        elif isinstance(node, ast.ClassDef) and any(_is_error(one) for one in node.bases):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Call) and ast.unparse(inner.func) == "super().__init__":
                    yield inner


def _is_error(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == _ERROR


def _owners(call: ast.Call) -> set[str]:
    """Owners named as constants; none when the source works it out."""
    named = [keyword.value for keyword in call.keywords if keyword.arg == "owner"]
    if not named:
        return {_DEFAULT_OWNER}
    return {
        str(node.value)
        for part in ([named[0].body, named[0].orelse] if isinstance(named[0], ast.IfExp) else named)
        for node in [part]
        if isinstance(node, ast.Constant)
    }
