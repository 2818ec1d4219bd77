"""The live Tryton of these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.tryton.live import Live, running_erp
from tillbridge.app.erp.beside import Erp


@pytest.fixture(scope="session")
def erp() -> Iterator[Erp]:
    """A running ERP with two companies; the first time on a machine takes about two minutes."""
    with running_erp() as found:
        yield found


@pytest.fixture(scope="session")
def live(erp: Erp) -> Live:
    """The connector with its default settings."""
    return Live(erp)
