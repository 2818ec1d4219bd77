"""The stock book on PostgreSQL: sums hold, nothing is sold twice, every fact moves once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import Connection

from tests.posting.money_facts import NOW, rung
from tillbridge.atoms.ids import SeededIds, lane_of
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.registry import Body
from tillbridge.canonical.stock import (
    MoveStock,
    ReserveStock,
    StockCounted,
    StockLine,
    StockReserved,
    StockShort,
)
from tillbridge.durable.rooms import Outcome, Record
from tillbridge.durable.session import connect
from tillbridge.posting.stock.room import StockBook

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def take(connection: Connection, *waves: Sequence[Body]) -> list[Outcome]:
    """One transaction."""
    session = StockBook().open(connection, NOW)
    outcomes = [
        outcome
        for wave in waves
        for outcome in session.take(
            [Record(b.key, type(b).__name__, b, lane_of(b.key)) for b in wave]
        )
    ]
    session.flush()
    connection.commit()
    return outcomes


def reserve(
    key: str, version: int, places: tuple[str, ...] = ("wh",), **wanted: int
) -> ReserveStock:
    lines = tuple(StockLine(name, name, quantity) for name, quantity in wanted.items())
    return ReserveStock(
        key=key,
        id=f"{key}/hold/{version}",
        version=version,
        lines=lines,
        locations=places,
        occurred_at=NOON,
    )


def move(name: str, quantity: int, product: str = "p", place: str = "wh") -> MoveStock:
    line = StockLine("1", product, quantity, place)
    return MoveStock(key=name, id=name, kind="adjustment", lines=(line,), occurred_at=NOON)


def count(
    quantity: int, minutes: int = 0, basis: str = "on_hand", product: str = "p"
) -> StockCounted:
    at = NOON + timedelta(minutes=minutes)
    return StockCounted(
        key=f"stock/wh/{product}",
        id=f"count/{product}/{minutes}/{quantity}",
        source="feed",
        mapping="feed/1",
        occurred_at=at,
        business_date=at.date(),
        entities=Entities(selling="us"),
        product=product,
        location="wh",
        quantity=quantity,
        counted_at=at,
        basis=basis,
    )


def level(connection: Connection, product: str = "p", place: str = "wh") -> tuple[int, int]:
    row = connection.execute(
        "select on_hand, reserved from stock where product = %s and location = %s", (product, place)
    ).fetchone()
    connection.rollback()
    return (0, 0) if row is None else (row[0], row[1])


def lies(connection: Connection) -> list[Any]:
    """Places whose counters are not the sums of their rows, or that promise what is not there."""
    rows = connection.execute(
        """
        select s.location, s.product, s.on_hand, m.sum, s.reserved, r.sum from stock s
        left join (select location, product, sum(quantity) from stock_movement group by 1, 2) m
          using (location, product)
        left join (select location, product, sum(quantity) from reservation group by 1, 2) r
          using (location, product)
        where s.on_hand <> coalesce(m.sum, 0) or s.reserved <> coalesce(r.sum, 0)
           or (s.reserved > 0 and s.reserved > s.on_hand)
        """
    ).fetchall()
    connection.rollback()
    return rows


def test_twenty_on_hand_and_asks_of_thirty_five_and_five_sell_ten(connection: Connection) -> None:
    take(connection, [count(20)])
    outcomes = take(connection, [reserve("a", 1, p=30), reserve("b", 1, p=5), reserve("c", 1, p=5)])
    answers = [outcome.emits[0] for outcome in outcomes]
    assert [type(found) for found in answers] == [StockShort, StockReserved, StockReserved]
    assert level(connection) == (20, 10)


def test_an_older_or_repeated_request_changes_nothing(connection: Connection) -> None:
    take(connection, [count(20)])
    take(connection, [reserve("a", 2, p=7)])
    assert take(connection, [reserve("a", 2, p=7), reserve("a", 1, p=9)]) == [Outcome(), Outcome()]
    assert level(connection) == (20, 7)
    take(connection, [reserve("a", 3)])
    assert level(connection) == (20, 0)
    assert connection.execute("select count(*) from reservation").fetchone() == (0,)


def test_a_smaller_demand_stands_after_the_shelf_ran_short(connection: Connection) -> None:
    take(connection, [count(10)])
    take(connection, [reserve("a", 1, p=8)])
    take(connection, [reserve("b", 1, p=2)])
    take(connection, [count(8, 5)])
    (answered,) = take(connection, [reserve("a", 2, p=6)])
    assert isinstance(answered.emits[0], StockReserved)
    assert level(connection) == (8, 6)


def test_shipping_the_last_piece_is_no_shortage(connection: Connection) -> None:
    take(connection, [count(1)])
    take(connection, [reserve("a", 1, p=1)])
    outcomes = take(connection, [reserve("a", 2), move("a/move/1", -1)])
    assert [outcome.notices for outcome in outcomes] == [(), ()]
    assert level(connection) == (0, 0)


def test_a_movement_told_again_moves_nothing(connection: Connection) -> None:
    sold = {"kind": "goods", "direction": "sale", "list": 1, "product": "p", "quantity": 2}
    sale = rung(lines=[sold])
    for _ in range(2):
        take(connection, [move("m1", 9), move("m1", 9), sale], [move("m1", 9), sale])
    assert level(connection) == (9, 0)
    assert level(connection, place="9") == (-2, 0)
    assert lies(connection) == []


def test_a_count_moves_the_difference_and_an_older_one_nothing(connection: Connection) -> None:
    take(connection, [move("m1", 4)])
    take(connection, [count(10, 5)])
    take(connection, [count(99, 4), count(10, 5), count(7, 3, "available")])
    assert level(connection) == (10, 0)
    take(connection, [move("m2", -3), count(8, 6)])
    assert level(connection) == (8, 0)
    rows = connection.execute("select kind, quantity from stock_movement order by id").fetchall()
    late = [("adjustment", -3), ("count", 3)]  # it moved before the count at five past
    assert rows == [("adjustment", 4), ("count", 6), *late, ("count", -2)]
    evidence = connection.execute("select basis, quantity from stock_evidence order by basis")
    assert evidence.fetchall() == [("available", 7), ("on_hand", 8)]


def test_the_first_count_of_an_empty_place_opens_it(connection: Connection) -> None:
    take(connection, [count(10)])
    take(connection, [count(0, 1), count(10, 2)])
    rows = connection.execute("select kind, quantity from stock_movement order by id").fetchall()
    assert rows == [("opening", 10), ("count", -10), ("count", 10)]


def test_the_sums_hold_after_any_mix_in_any_batches(connection: Connection) -> None:
    ids = SeededIds(11)

    def pick(size: int) -> int:
        return int(ids.jitter() * size)

    versions: dict[str, int] = {}
    take(connection, [count(500), count(500, product="q")])
    for batch in range(40):
        wave: list[Body] = []
        for number in range(pick(6) + 1):
            key = f"order/{pick(5)}"
            if pick(3):
                versions[key] = versions.get(key, 0) + pick(2)
                wanted = {product: pick(200) + 1 for product in "pq"[: pick(3)]}
                wave.append(reserve(key, versions[key], ("wh", "store"), **wanted))
            else:
                wave.append(move(f"in/{batch}/{number % 2}", pick(30) + 1, "pq"[pick(2)]))
        half = len(wave) // 2
        take(connection, wave[:half], wave[half:])
        assert lies(connection) == []
    held = connection.execute("select count(*) from hold where ok").fetchone()
    assert held is not None
    assert held[0] > 0


def test_four_buyers_at_once_never_get_more_than_there_is(
    connection: Connection, database_url: str
) -> None:
    take(connection, [count(30)])
    barrier = threading.Barrier(4)
    answers: list[str] = []
    failed: list[BaseException] = []

    def buy(buyer: int) -> None:
        try:
            with connect(database_url) as mine:
                barrier.wait()
                for number in range(15):
                    (outcome,) = take(mine, [reserve(f"order/{buyer}/{number}", 1, p=1)])
                    answers.append(type(outcome.emits[0]).__name__)
        except BaseException as problem:  # noqa: BLE001 - told in the main thread
            failed.append(problem)

    threads = [threading.Thread(target=buy, args=(buyer,)) for buyer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert answers.count("StockReserved") == 30
    assert answers.count("StockShort") == 30
    assert level(connection) == (30, 30)
    assert lies(connection) == []
