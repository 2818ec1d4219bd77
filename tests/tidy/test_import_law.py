"""The law of the rooms bites: a forbidden import planted in a copy is refused."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy.room_rules import ROOMS
from tests.tidy.tree import ROOT

# File planted in a small copy of the tree, the import it holds, and the law it breaks.
BREACHES = (
    ("inbox/x.py", "import tillbridge.posting", "the five rooms of the flow"),
    ("posting/x.py", "import tillbridge.connectors", "the five rooms of the flow"),
    ("canonical/x.py", "import tillbridge.durable", "the five rooms of the flow"),
    ("zoo/__init__.py", "", "the five rooms of the flow"),
    ("connectors/alpha/x.py", "import tillbridge.connectors.omega", "never import each other"),
    ("connectors/alpha/y.py", "import tillbridge.durable", "and no room"),
    ("connectors/alpha/z.py", "import psycopg", "and no room"),
    ("connectors/alpha/client.py", "import tillbridge.canonical", "none of ours"),
    ("connectors/alpha/inbound.py", "import socket", "read no clock"),
    ("orchestration/orders/decide.py", "import time", "read no clock"),
    ("canonical/y.py", "import tillbridge.atoms.clock", "read no clock"),
    ("mapping/x.py", "import httpx2", "never reach the network"),
    ("watch/a/x.py", "import tillbridge.watch.b.x", "No cycles"),
)


@pytest.fixture(scope="module")
def broken_laws(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Law -> what the linter says about it, for a tree with every breach; without, all is kept."""
    root = tmp_path_factory.mktemp("law")
    _plant(root)
    said = _lint(root)
    assert said.returncode == 0, said.stdout + said.stderr
    for place, line, _ in BREACHES:
        _write(root / "src" / "tillbridge" / place, line)
    said = _lint(root)
    assert said.returncode == 1, said.stdout + said.stderr
    _, *parts = re.split(r"^(\S.*)\n-{9,}\n", said.stdout, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


@pytest.mark.parametrize(("place", "line", "law"), BREACHES)
def test_a_forbidden_import_is_refused(
    place: str, line: str, law: str, broken_laws: dict[str, str]
) -> None:
    verdicts = [body for name, body in broken_laws.items() if law in name]
    assert verdicts, f"no law with these words was broken: {list(broken_laws)}"
    module = "tillbridge." + place.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    # A cycle is told by the packages that make it.
    told = module if law != "No cycles" else "." + module.split(".")[2]
    assert any(told in body for body in verdicts), f"{line!r} in {place} went unseen: {verdicts}"


def _plant(root: Path) -> None:
    shutil.copy2(ROOT / ".importlinter", root / ".importlinter")
    packages = [*ROOMS, "connectors/alpha", "connectors/omega", "orchestration/orders"]
    for name in ["", *packages, "watch/a", "watch/b"]:
        _write(root / "src" / "tillbridge" / name / "__init__.py", "")
    for module in ("atoms/clock.py", "atoms/ids.py", "contract/httpx_transport.py"):
        shutil.copy2(ROOT / "src/tillbridge" / module, root / "src/tillbridge" / module)
    _write(root / "src/tillbridge/watch/b/x.py", "import tillbridge.watch.a")


def _write(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    package = path.parent / "__init__.py"
    if not package.exists():
        package.write_text("", encoding="utf-8")
    path.write_text(line + "\n", encoding="utf-8")


def _lint(root: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-logo", "--no-cache"],
        cwd=root,
        env={"PYTHONPATH": str(root / "src"), "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
