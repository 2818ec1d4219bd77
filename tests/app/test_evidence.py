"""The evidence of a month is written whole or not at all, and its digest noted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.shop import House, house, line, paid_order
from tillbridge.app.evidence import write_month
from tillbridge.watch.evidence.proof import prove


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path / "house", database_url) as found:
        yield found


def test_what_cannot_be_written_is_not_noted_and_what_is_written_is(
    shop: House, tmp_path: Path
) -> None:
    shop.web("orders/create", paid_order(1, [line(1)], "10.00"))
    with pytest.raises(OSError, match="No such file"):
        write_month(shop.hub, shop.connection, "us", "2026-03", tmp_path / "no" / "x", "ann")
    noted = "select actor, subject from audit where action = 'audit.export'"
    assert shop.rows(noted) == []
    file = tmp_path / "us.jsonl"
    done = write_month(shop.hub, shop.connection, "us", "2026-03", file, "ann")
    assert done.counts["entry"] == 1
    assert shop.rows(noted) == [("ann", "us/2026-03")]
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["us.jsonl"]
    with file.open("rb") as lines:
        assert prove(lines, done.sha256).problems == []
