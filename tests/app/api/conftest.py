"""The API's resources for tests, closed at the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pytest

from tests.app.api.caller import SETTINGS
from tillbridge.app.api.resources import Resources
from tillbridge.app.settings_tables import Settings
from tillbridge.inbox.group_commit import IntakeWriter


class Opens(Protocol):
    """Makes resources on a database."""

    def __call__(self, url: str, settings: Settings = SETTINGS) -> Resources: ...


@pytest.fixture
def opens() -> Iterator[Opens]:
    made: list[Resources] = []

    def open_one(url: str, settings: Settings = SETTINGS) -> Resources:
        made.append(Resources(url, settings, IntakeWriter(url)))
        return made[-1]

    yield open_one
    for one in made:
        one.stop()
