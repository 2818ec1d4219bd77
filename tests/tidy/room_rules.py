"""Rules about the rooms: which there are, in which order, and that each module has its tests."""

from __future__ import annotations

import ast
import configparser
import re
from pathlib import Path

from tests.tidy.tree import parsed, python_files, short

# Alphabetical order is the order of the story, so every listing shows it.
ROOMS = (
    "app",
    "atoms",
    "canonical",
    "connectors",
    "contract",
    "durable",
    "inbox",
    "mapping",
    "orchestration",
    "posting",
    "publishing",
    "reconciliation",
    "triage",
    "watch",
)

# Modules and packages that no test file of tests/<room>/ imports or is named after, and why.
WITHOUT_TWIN: dict[str, str] = {}


def rooms_are_the_declared_ones(root: Path) -> list[str]:
    """The folders of the package are exactly the rooms, in the order of the story."""
    package = root / "src" / "tillbridge"
    there = sorted(
        path.name for path in package.iterdir() if path.is_dir() and (path / "__init__.py").exists()
    )
    problems = [f"src/tillbridge/{room}: an undeclared room" for room in there if room not in ROOMS]
    problems += [f"src/tillbridge/{room}: a room is missing" for room in ROOMS if room not in there]
    if list(ROOMS) != sorted(ROOMS):
        problems.append("tests/tidy/room_rules.py: the rooms are not in alphabetical order")
    return problems


def import_law_names_every_room(root: Path) -> list[str]:
    """The layers of .importlinter are exactly the rooms."""
    law = configparser.ConfigParser()
    law.read(root / ".importlinter", encoding="utf-8")
    section = "importlinter:contract:layers"
    if not law.has_section(section):
        return [".importlinter: no contract called layers"]
    named = set(re.findall(r"\w+", law.get(section, "layers")))
    return [f".importlinter: layers and rooms differ in {room}" for room in named ^ set(ROOMS)]


def modules_have_tests(root: Path) -> list[str]:
    """Every module of a room, or its package in it, is imported or named by a test of that room."""
    problems = []
    for path in python_files(root, "src/tillbridge"):
        inside = path.relative_to(root / "src" / "tillbridge")
        if len(inside.parts) == 1 or _only_docstring(path) or inside.name == "__main__.py":
            continue
        excused = {
            part.with_suffix("").as_posix() for part in (inside, *inside.parents) if part.name
        }
        if excused & WITHOUT_TWIN.keys() or _has_twin(root, inside):
            continue
        problems.append(f"{short(root, path)}: no test below tests/{inside.parts[0]}/ looks at it")
    return problems


def reasons_for_no_tests_are_alive(root: Path) -> list[str]:
    """The table of modules without tests names only modules that exist and still need it."""
    problems = []
    for name in WITHOUT_TWIN:
        place = root / "src" / "tillbridge" / name
        if not place.is_dir() and not place.with_suffix(".py").exists():
            problems.append(f"{name}: listed without tests, but there is no such module")
        elif _has_twin(root, Path(name).with_suffix(".py")):
            problems.append(f"{name}: listed without tests, but it has them; take it off the list")
    return problems


def _only_docstring(path: Path) -> bool:
    body = parsed(path).body
    return path.name == "__init__.py" and len(body) <= 1


def _has_twin(root: Path, inside: Path) -> bool:
    room = inside.parts[0]
    if room == "connectors" and len(inside.parts) > 2:
        # The conformance suite runs every connector; files of its own are for quirks.
        return (root / "tests" / "connectors" / "test_every_connector.py").exists()
    parts = ("tillbridge", *inside.with_suffix("").parts)
    # A package inside a room is one thing: a test that looks at it looks at its modules.
    units = {".".join(parts[:length]) for length in range(3, len(parts) + 1)}
    words = {unit.rsplit(".", 1)[1] for unit in units}
    for test in python_files(root, f"tests/{room}"):
        named = any(word in test.stem for word in words)
        if test.name.startswith("test_") and (named or units & _imports(test)):
            return True
    return False


def _imports(path: Path) -> set[str]:
    """Dotted names a file imports, with `from a import b` as both `a` and `a.b`."""
    names: set[str] = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names
