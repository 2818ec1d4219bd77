"""The settlement bench posts what its file says, and says how fast."""

from __future__ import annotations

from tillbridge.app.bench import settle


def test_a_settlement_is_posted_and_told_with_its_rates(database_url: str) -> None:
    found = settle.run(database_url, lines=10_000, progress=lambda _: None)
    assert (found["lines"], found["orders"], found["payouts"]) == (10_000, 4_000, 1)
    assert found["rate"] > 0
    assert found["ratio"] > 0
    assert found["raw_rate"] > 0
    assert found["peak_mb"] > 10
