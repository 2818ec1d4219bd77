"""The reservation benches on a small scale: what they say is so, and a lie voids them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from psycopg import Connection

from tillbridge.app.api.group import DeskWork, Placed
from tillbridge.app.bench import availability, reserve
from tillbridge.app.bench.http_load import Load
from tillbridge.app.bench.one_by_one import OneByOneWork
from tillbridge.app.bench.reserve_load import FORTY, HOT, LOCATION, READS, SHAPES, requests
from tillbridge.atoms.clock import FixedClock, SystemClock
from tillbridge.canonical.stock import StockLine, hold_key
from tillbridge.posting.stock.activation import RulesInForce
from tillbridge.posting.stock.desk import Ask

CLOCK = FixedClock(SystemClock().now())
ROWS = {
    "stock": "select location, product, on_hand, reserved, changed_at from stock order by 2",
    "hold": "select version, ok, short, kind, channel, expires_at, locations, split_most,"
    " placed_at, desk, ended from hold",
    "reservation": "select line, location, product, quantity from reservation order by line",
    "api_answer": "select client, key, asked, status, length(body), day from api_answer",
    "record": "select type, version, fused, trace, cause, length(body) from record",
}


def placed(side: int) -> Placed:
    ask = Ask(
        key=hold_key("web", f"{side:024x}"),
        verb="hold",
        channel="web",
        kind="soft",
        lines=(StockLine("1", "forty-00001", 1000), StockLine("b", "forty-00000", 2000)),
        locations=(LOCATION, "store-nyc"),
        expires_at=CLOCK.now() + timedelta(minutes=15),
        trace=b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    return Placed(ask, "load", "k", b"asked")


def rows_of(connection: Connection) -> dict[str, list[Any]]:
    return {table: connection.execute(query).fetchall() for table, query in ROWS.items()}


def test_both_sides_write_the_same_rows(connection: Connection) -> None:
    reserve.fill(connection, (FORTY,))
    hub = DeskWork(RulesInForce(), CLOCK).commit(connection, [placed(1)])
    mine = rows_of(connection)
    connection.rollback()
    reserve.clear(connection)
    other = OneByOneWork(CLOCK).commit(connection, [placed(2)])
    assert rows_of(connection) == mine
    assert hub[0].status == other[0].status == 201
    assert len(hub[0].body) == len(other[0].body)
    assert all(mine.values())


def test_a_short_run_gives_every_figure(database_url: str) -> None:
    words: list[str] = []
    found = reserve.run(
        database_url,
        seconds=0.3,
        connections=8,
        processes=1,
        shapes=(HOT, FORTY),
        pools=(2,),
        progress=words.append,
    )
    for prefix in ("", "forty_"):
        assert found[f"{prefix}count"] > 0
        assert 0 < found[f"{prefix}p50_ms"] <= found[f"{prefix}p99_ms"]
        best = max(found[f"{prefix}one_by_one"].values())
        assert found[f"{prefix}one_by_one_rate"] == best
        assert found[f"{prefix}ratio"] == pytest.approx(found[f"{prefix}rate"] / best, abs=0.02)
    assert found["synchronous_commit"] == "on"
    assert words


def test_reads_are_measured_beside_writers(database_url: str) -> None:
    found = availability.run(database_url, seconds=0.5, connections=8, processes=2)
    assert found["count"] > 0
    assert found["writes"] > 0
    assert 0 < found["p50_ms"] <= found["p99_ms"]


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_every_request_is_another_one_and_its_lines_differ(shape: Any) -> None:
    made = list(requests(shape, 100, "tb_key", "1"))
    assert len(set(made)) == 100
    for request in made:
        products = [code for code in shape.codes[:100] if code.encode() in request]
        assert len(products) <= max(shape.lines, 1)


def load_of(count: int) -> Load:
    return Load(
        answers=count, acknowledged=count, others=0, seconds=1.0, p50_ms=1.0, p99_ms=1.0,
        max_ms=1.0, body_bytes=1,
    )  # fmt: skip


def test_an_answer_without_its_rows_voids_the_bench(connection: Connection) -> None:
    with pytest.raises(AssertionError, match="rows are"):
        reserve.check(connection, HOT, load_of(1))


@pytest.mark.parametrize(
    ("on_hand", "reserved", "rows", "lie"),
    [(1000, 1000, 1000, False), (999, 1000, 1000, True), (5000, 1000, 2000, True)],
    ids=["true", "more than is there", "more than the row says"],
)
def test_the_checker_sums_the_reservations(
    connection: Connection, on_hand: int, reserved: int, rows: int, lie: bool
) -> None:
    connection.execute(
        "insert into stock (location, product, on_hand, reserved) values ('l', 'p', %s, %s)",
        (on_hand, reserved),
    )
    connection.execute(
        "insert into reservation (key, line, location, product, quantity)"
        " values ('k', '1', 'l', 'p', %s)",
        (rows,),
    )
    assert bool(reserve.oversold(connection)) is lie


def test_reads_ask_one_place() -> None:
    (request,) = requests(READS, 1, "tb_key", "1")
    assert request.startswith(b"GET /v1/availability?product=wide-00000&location=wh-east HTTP/1.1")
