"""One behaviour suite over every connector folder; what it checks is in contract/conformance."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest

from tillbridge.contract.conformance import (
    CHECKS,
    Check,
    DeliveryTarget,
    PublishingTarget,
    Suite,
    checks_for,
    load_suite,
)
from tillbridge.contract.conformance.checks import LIVE_CHECKS, LIVE_PUBLISHING_CHECKS
from tillbridge.contract.promises import Connector, Delivers, PublishesAvailability

CONNECTORS = Path(__file__).parents[2] / "src" / "tillbridge" / "connectors"
TARGETS = Path(__file__).parent

# (connector, check) -> why the check cannot hold there. A waiver that is not needed fails.
WAIVERS: dict[tuple[str, str], str] = {
    (
        "direct",
        "reports_every_missing_name",
    ): "what is handed in speaks the hub's own codes; the API refuses unknown ones at the door",
}


def folders() -> list[str]:
    """Connector folders: packages whose __init__.py names a connector."""
    return sorted(
        path.parent.name
        for path in CONNECTORS.glob("*/__init__.py")
        if "connector =" in path.read_text(encoding="utf-8")
        or "import connector" in path.read_text(encoding="utf-8")
    )


@cache
def connector_of(name: str) -> Connector:
    """The connector of a folder."""
    found: Any = importlib.import_module(f"tillbridge.connectors.{name}")
    connector: Connector = found.connector
    return connector


@cache
def suite_of(name: str) -> Suite:
    """The suite of a folder, loaded once."""
    return load_suite(connector_of(name), CONNECTORS / name)


def applying() -> Iterator[Any]:
    """(folder, check) for every check that applies."""
    for name in folders():
        try:
            checks = checks_for(connector_of(name))
        except Exception as problem:  # noqa: BLE001 - one broken folder must not hide the others
            checks = (_broken(problem),)
        for check in checks:
            yield pytest.param(name, check, id=f"{name}-{check.name}")


def _broken(problem: Exception) -> Check:
    words = f"{type(problem).__name__}: {problem}"
    return Check("can_be_imported", lambda _: [words])


def delivering() -> list[str]:
    """Folders that deliver and have a live far side to be tested against."""
    return [
        name
        for name in folders()
        if (TARGETS / name / "conformance_target.py").exists()
        and isinstance(connector_of(name), Delivers)
    ]


@pytest.mark.parametrize(("name", "check"), list(applying()))
def test_the_connector_keeps_its_promises(name: str, check: Check) -> None:
    suite = None if check.name == "can_be_imported" else suite_of(name)
    problems = check.run(cast("Suite", suite))
    waiver = WAIVERS.get((name, check.name))
    if waiver:
        assert problems, f"the waiver for {check.name} is no longer needed: {waiver}"
    else:
        assert not problems, "\n".join(problems)


@pytest.fixture(scope="module", params=delivering())
def live(request: pytest.FixtureRequest) -> Iterator[tuple[str, DeliveryTarget]]:
    module = target_of(request.param, "conformance_target")
    target: AbstractContextManager[DeliveryTarget] = module.delivery_target()
    with target as found:
        yield request.param, found


def target_of(name: str, file: str) -> Any:
    """The module of a connector's tests that knows a live far side."""
    path = TARGETS / name / f"{file}.py"
    spec = importlib.util.spec_from_file_location(f"{file}_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def publishing() -> list[str]:
    """Folders that publish availability."""
    return [name for name in folders() if isinstance(connector_of(name), PublishesAvailability)]


@pytest.mark.parametrize("check", LIVE_PUBLISHING_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", publishing())
def test_every_channel_shows_what_it_was_told(name: str, check: Any) -> None:
    target: AbstractContextManager[PublishingTarget]
    target = target_of(name, "publishing_target").publishing_target()
    with target as found:
        problems = check(suite_of(name), found)
    assert not problems, "\n".join(problems)


@pytest.mark.timeout(900)  # a far side may have to be installed first, once per machine
@pytest.mark.parametrize("check", LIVE_CHECKS, ids=lambda check: check.__name__)
def test_every_operation_leaves_one_document(live: tuple[str, DeliveryTarget], check: Any) -> None:
    name, target = live
    problems = check(suite_of(name), target)
    assert not problems, "\n".join(problems)


def test_whoever_delivers_has_a_live_far_side_to_prove_it() -> None:
    with_target = set(delivering())
    for name in folders():
        if isinstance(connector_of(name), Delivers) and name not in with_target:
            assert (name, "delivers_once") in WAIVERS, f"no {name}/conformance_target.py"


def test_waivers_name_living_checks_and_connectors() -> None:
    checks = {check.name for check in CHECKS} | {check.__name__ for check in LIVE_CHECKS}
    stale = [key for key in WAIVERS if key[0] not in folders() or key[1] not in checks]
    assert not stale
    assert all(reason.strip() for reason in WAIVERS.values())
