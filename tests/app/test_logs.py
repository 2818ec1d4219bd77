"""Log lines are JSON for machines, and never hold more than was said."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
import structlog

from tillbridge.app.logs import log_to


@pytest.fixture(autouse=True)
def _afresh() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_a_line_is_one_json_object_with_level_and_instant() -> None:
    stream = io.StringIO()
    log_to(stream)
    structlog.get_logger("room").warning("store_away", why="it\nis away")
    line = stream.getvalue()
    assert line.count("\n") == 1
    told = json.loads(line)
    assert told["event"] == "store_away"
    assert told["level"] == "warning"
    assert told["timestamp"].endswith("Z")


def test_a_traceback_is_told_without_the_values_of_its_variables() -> None:
    stream = io.StringIO()
    log_to(stream)
    secret = "s3cr3t-token"
    try:
        raise ValueError(len(secret))
    except ValueError:
        structlog.get_logger("room").exception("failed")
    assert "ValueError: 12" in stream.getvalue()
    assert secret not in stream.getvalue()
