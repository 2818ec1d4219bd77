"""One behaviour suite over every tax service; what it checks is contract/conformance/taxing.py."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from tests.connectors.test_every_connector import connector_of, folders, target_of
from tillbridge.contract.conformance.taxing import LIVE_TAX_CHECKS, TaxTarget
from tillbridge.contract.promises import Taxes


def services() -> list[str]:
    """Folders that work tax out."""
    return [name for name in folders() if isinstance(connector_of(name), Taxes)]


@pytest.fixture(scope="module", params=services())
def target(request: pytest.FixtureRequest) -> Iterator[TaxTarget]:
    found: AbstractContextManager[TaxTarget]
    found = target_of(request.param, "tax_target").tax_target()
    with found as live:
        yield live


@pytest.mark.parametrize("check", LIVE_TAX_CHECKS, ids=lambda check: check.__name__)
def test_every_tax_service_keeps_its_promises(target: TaxTarget, check: Any) -> None:
    problems = check(target)
    assert not problems, "\n".join(problems)


def test_there_is_a_table_and_an_engine() -> None:
    assert {"tax_table", "avatax"} <= set(services())
