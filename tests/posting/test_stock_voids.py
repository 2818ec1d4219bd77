"""A till sale that is taken back gives its goods back, whenever the void is told."""

from __future__ import annotations

import pytest
from psycopg import Connection

from tests.posting.money_facts import NOW, records, rung, void
from tillbridge.canonical.fact import Fact
from tillbridge.posting.stock.room import StockBook

SALE = "sale/9/1/2026-01-02/7"


def take(connection: Connection, *waves: list[Fact]) -> None:
    session = StockBook().open(connection, NOW)
    for wave in waves:
        session.take(records(wave))
    session.flush()
    connection.commit()


def sold() -> Fact:
    line = {"kind": "goods", "direction": "sale", "list": 1000, "product": "P1", "quantity": 2000}
    return rung(SALE, lines=[line], tenders=[{"tender": "cash", "kind": "cash", "amount": 1000}])


def taken_back() -> Fact:
    return void(SALE, key=SALE, id=f"{SALE}/void")


def on_hand(connection: Connection) -> list[tuple[str, int]]:
    rows = connection.execute(
        "select kind, sum(quantity)::int from stock_movement group by kind order by kind"
    ).fetchall()
    total = connection.execute("select on_hand from stock where product = 'P1'").fetchone()
    connection.rollback()
    assert total == (sum(quantity for _, quantity in rows),)
    return [(kind, quantity) for kind, quantity in rows]


@pytest.mark.parametrize("batching", ["one wave", "two waves", "two transactions"])
def test_a_voided_sale_gives_its_goods_back_however_it_is_batched(
    connection: Connection, batching: str
) -> None:
    if batching == "one wave":
        take(connection, [sold(), taken_back()])
    elif batching == "two waves":
        take(connection, [sold()], [taken_back()])
    else:
        take(connection, [sold()])
        take(connection, [taken_back()])
    assert on_hand(connection) == [("return", 2000), ("sale", -2000)]


def test_a_void_told_again_gives_nothing_back_again(connection: Connection) -> None:
    take(connection, [sold(), taken_back(), taken_back()])
    take(connection, [taken_back()])
    assert on_hand(connection) == [("return", 2000), ("sale", -2000)]
