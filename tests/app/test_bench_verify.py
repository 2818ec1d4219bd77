"""The verify bench measures a hub in which every invariant holds."""

from __future__ import annotations

from tillbridge.app.bench import verify
from tillbridge.app.bench.multiply import COPIES, multiply
from tillbridge.app.bench.retail import bench_hub
from tillbridge.durable.session import connect
from tillbridge.watch.invariants import INVARIANTS


def test_a_multiplied_hub_is_green_and_is_told_with_its_sizes(database_url: str) -> None:
    told: list[str] = []
    found = verify.run(database_url, records=12_000, progress=told.append)
    assert found["checked"] == len(INVARIANTS)
    assert 10_000 < found["records"] < 14_000
    assert found["order_state"] % verify.ORDERS == 0
    assert len(found["slowest"]) == verify.SLOWEST
    assert found["seconds"] > 0


def test_every_table_that_is_copied_grows(database_url: str) -> None:
    with bench_hub(database_url), connect(database_url) as connection:
        before = connection.execute("select count(*), max(id) from record").fetchone()
        assert before is not None
        copies = multiply(connection, int(before[0]) * 3)
        assert copies == 2
        after = connection.execute("select count(*), max(id) from record").fetchone()
    assert after == (before[0] * 3, before[1] * 3)
    assert "record" in COPIES
