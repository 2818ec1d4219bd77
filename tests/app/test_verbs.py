"""Every verb names its action, and every verb that changes something writes to the audit."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from typer.main import get_command

from tests.tidy.tree import ROOT
from tillbridge.app.cli.main import app
from tillbridge.app.cli.verbs import OPEN, VERBS
from tillbridge.triage.rights import ACTIONS

SOURCE = ROOT / "src"
RECORD = "tillbridge.durable.audit.record"


def verbs(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every verb with the function behind it."""
    inner = getattr(command, "commands", {})
    for name, one in inner.items():
        yield from verbs(one, (*path, name))
    if not inner and command.callback is not None:
        yield " ".join(path), inspect.unwrap(command.callback)


def calls(module: str) -> dict[str, set[str]]:
    """Functions of a module: dotted name -> dotted names of what they may call."""
    path = SOURCE.joinpath(*module.split(".")).with_suffix(".py")
    if not path.is_file():
        return {}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    known = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    found: dict[str, set[str]] = {}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            names = found.setdefault(f"{module}.{function.name}", set())
            for node in ast.walk(function):
                if isinstance(node, ast.Name):
                    names.add(known.get(node.id, f"{module}.{node.id}"))
                elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                    names.add(f"{known.get(node.value.id, node.value.id)}.{node.attr}")
    return found


def reaches_the_audit(start: str, read: Callable[[str], dict[str, set[str]]] = calls) -> bool:
    """Whether a function may come to `audit.record` by way of what it calls."""
    todo, seen = [start], set[str]()
    modules: dict[str, dict[str, set[str]]] = {}
    while todo:
        name = todo.pop()
        if name == RECORD:
            return True
        if name in seen:
            continue
        seen.add(name)
        module = name.rpartition(".")[0]
        if module not in modules:
            modules[module] = read(module)
        todo += modules[module].get(name, ())
    return False


def test_every_verb_names_its_action_and_no_other_does() -> None:
    there = {verb for verb, _ in verbs(get_command(app))}
    assert there == VERBS.keys() | OPEN.keys()
    assert not VERBS.keys() & OPEN.keys()
    assert set(VERBS.values()) <= ACTIONS.keys()


def test_every_verb_that_changes_something_writes_to_the_audit() -> None:
    silent = [
        verb
        for verb, function in verbs(get_command(app))
        if verb in VERBS
        and ACTIONS[VERBS[verb]].changes
        and not reaches_the_audit(f"{function.__module__}.{function.__name__}")
    ]
    assert silent == []


def test_a_changing_verb_without_audit_is_seen() -> None:
    quiet = {"tillbridge.x": {"tillbridge.x.forget": {"tillbridge.y.drop"}}, "tillbridge.y": {}}
    loud = {**quiet, "tillbridge.y": {"tillbridge.y.drop": {RECORD}}}
    assert not reaches_the_audit("tillbridge.x.forget", lambda name: quiet.get(name, {}))
    assert reaches_the_audit("tillbridge.x.forget", lambda name: loud.get(name, {}))
    assert reaches_the_audit("tillbridge.app.cli.periods.lock")
    assert not reaches_the_audit("tillbridge.app.cli.observe.status")
