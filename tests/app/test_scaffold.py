"""A new connector starts clean: typed, lint-clean, lawful, and red only where it is unwritten."""

from __future__ import annotations

import hashlib
import hmac
import importlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

import tillbridge.connectors
from tillbridge.app.scaffold.__main__ import main
from tillbridge.app.scaffold.connector import NameRefused, write_connector
from tillbridge.atoms.errors import NeedsDecision, Refused, RetryLater
from tillbridge.contract.names import CrossReferences
from tillbridge.contract.promises import Connection, Message
from tillbridge.contract.signed import promises_of
from tillbridge.contract.transport import Request, Response

ROOT = Path(__file__).resolve().parents[2]
NAME = "scaffold_trial"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A connector written outside of the tree."""
    write_connector(NAME, tmp_path)
    return tmp_path / NAME


@pytest.fixture
def connector(folder: Path) -> Iterator[ModuleType]:
    """The package of that connector, imported as if it stood among the others."""
    tillbridge.connectors.__path__.append(str(folder.parent))
    importlib.invalidate_caches()
    try:
        yield importlib.import_module(f"tillbridge.connectors.{NAME}")
    finally:
        tillbridge.connectors.__path__.remove(str(folder.parent))
        for module in [name for name in sys.modules if f".{NAME}" in name]:
            del sys.modules[module]


class Answers:
    """A transport that gives the same answer to everything."""

    def __init__(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.answer = Response(
            status=status, headers=headers or {}, body=b'{"name": "Ann\'s shop"}'
        )

    def send(self, request: Request) -> Response:
        """The answer."""
        return self.answer


def test_a_skeleton_signs_three_promises(connector: ModuleType) -> None:
    assert connector.connector.name == NAME
    signed = promises_of(connector.connector)
    assert signed == ("Translates", "ReceivesWebhooks", "ChecksConnection")


def test_a_skeleton_believes_signed_bytes_only(connector: ModuleType) -> None:
    body = b'{"id": "1"}'
    good = {
        "x-scaffold-trial-signature": hmac.new(b"new", body, hashlib.sha256).hexdigest(),
    }
    assert connector.connector.verify(body, good, ["old", "new"])
    assert not connector.connector.verify(body + b" ", good, ["old", "new"])
    assert not connector.connector.verify(body, {}, ["old", "new"])
    assert not connector.connector.verify(body, {"x-scaffold-trial-signature": "é"}, ["new"])


def test_a_skeleton_says_what_to_do_next_after_each_answer(connector: ModuleType) -> None:
    settings = connector.connector.config(url="https://shop.example")
    connection = Connection(name="a", entity="e", channel="c", currency="EUR", settings=settings)
    check = connector.connector.check
    assert "Ann's shop" in check(connection, {"token": "t"}, Answers(200))
    with pytest.raises(RetryLater) as patience:
        check(connection, {}, Answers(429, {"retry-after": "7"}))
    assert patience.value.after_seconds == 7
    with pytest.raises(Refused):
        check(connection, {}, Answers(401))


def test_a_skeleton_stops_where_its_author_has_to_write(connector: ModuleType) -> None:
    body = b'{"id": "7", "updated_at": "2026-01-01T00:00:00Z", "currency": "EUR", "total": "1.00"}'
    connection = Connection(name="a", entity="e", channel="c", currency="EUR")

    def told(topic: str, bytes_told: bytes) -> NeedsDecision:
        message = Message(
            connection="a",
            topic=topic,
            delivery="1",
            body=bytes_told,
            received_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        with pytest.raises(NeedsDecision) as decision:
            connector.connector.translate(message, connection, CrossReferences({}))
        return decision.value

    assert told("order", body).reason == "translation_unwritten"
    assert told("order", body.replace(b'"7"', b"7")).reason == "body_unreadable"
    assert told("weather", body).reason == "topic_unknown"


@pytest.mark.parametrize(
    "name", ["", "Acme", "acme-pos", "9lives", "class", "../x", "a b", "x" * 25]
)
def test_a_name_that_is_no_package_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(NameRefused):
        write_connector(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_connector_that_is_there_is_never_written_over(folder: Path) -> None:
    (folder / "wire.py").write_text("mine", encoding="utf-8")
    with pytest.raises(NameRefused, match="already"):
        write_connector(NAME, folder.parent)
    assert (folder / "wire.py").read_text(encoding="utf-8") == "mine"


def test_a_refused_name_is_told_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["Not A Name"]) == 2
    assert main([]) == 2
    assert "acme_pos" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["x", "acme_pos", "a_name_that_is_very_long"])
def test_a_skeleton_passes_the_linter(name: str, tmp_path: Path) -> None:
    write_connector(name, tmp_path)
    package = _checkout(tmp_path / name)
    for words in (["format", "--quiet"], ["check"]):
        done = _run("ruff", *words, "--no-cache", str(package), cwd=package.parents[3])
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.long
def test_a_skeleton_is_typed(folder: Path) -> None:
    package = _checkout(folder)
    done = _run("mypy", "--strict", str(package), cwd=package.parents[3])
    assert done.returncode == 0, done.stdout + done.stderr


def _checkout(folder: Path) -> Path:
    """The skeleton at its place in a checkout that has the settings of the linters."""
    root = folder.parent / "checkout"
    target = root / "src" / "tillbridge" / "connectors" / folder.name
    for room in ("atoms", "canonical", "contract"):
        source = ROOT / "src" / "tillbridge" / room
        shutil.copytree(source, target.parents[1] / room)
    for package in (target.parents[1], target.parents[0]):
        package.mkdir(parents=True, exist_ok=True)
        (package / "__init__.py").write_text('"""A package."""\n', encoding="utf-8")
    shutil.copytree(folder, target)
    shutil.copy2(ROOT / "pyproject.toml", root / "pyproject.toml")
    return target


def _run(program: str, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    path = Path(sys.executable).with_name(program)
    return subprocess.run([path, *words], cwd=cwd, capture_output=True, text=True, check=False)
