"""Goods valued behind the stock book: nothing missed, nothing twice, in whatever order it comes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec
import pytest
from psycopg import Connection

from tests.posting.money_facts import EURO, default_book
from tests.posting.money_facts import take as book
from tests.posting.stock_facts import NOON, adjusted, carried, counted, take
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical import stock
from tillbridge.canonical.costs import CostMoved, ItemCosted, cost_key
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.registry import Body
from tillbridge.canonical.stock import StockLine
from tillbridge.durable import log
from tillbridge.durable.rooms import Record
from tillbridge.durable.session import connect
from tillbridge.posting.money.policy import Policy
from tillbridge.posting.stock.room import StockBook
from tillbridge.reconciliation.costs.goods import Place, Valuing, read_goods
from tillbridge.reconciliation.costs.lists import cost_lists, read_costs
from tillbridge.reconciliation.costs.look import look_at_goods
from tillbridge.reconciliation.costs.report import listed, stands
from tillbridge.reconciliation.costs.telling import Row, changed
from tillbridge.reconciliation.costs.worth import Piece, Worth

VALUING = Valuing(
    {"us": "USD"},
    {"wh": Place("us"), "shop": Place("us", "America/New_York"), "abroad": Place("ca")},
    {"tills": "stores"},
)
BOOKS = Policy({"us": "USD", "ca": "CAD"})
LATER = datetime.fromisoformat("2026-06-01T12:00:00+00:00")


def costed(product: str, cost: int, since: str = "2026-01-01", turn: int = 0) -> ItemCosted:
    """Of a later turn, later."""
    key = cost_key("us", product)
    return ItemCosted(
        **{**carried(key, f"{since}@{turn}", turn), "key": key},
        product=product,
        unit_cost=cost * 1000,
        currency="USD",
        since=date.fromisoformat(since),
    )


def told(connection: Connection, facts: Sequence[Body]) -> None:
    records = [Record(f.key, type(f).__name__, f, lane_of(f.key)) for f in facts]
    log.append(connection, records)
    connection.commit()


def moved(
    key: str, kind: str, quantity: int, product: str = "p", minutes: int = 0, **words: Any
) -> stock.MoveStock:
    line = StockLine("1", product, quantity, words.pop("location", "wh"), **words)
    at = carried(key, "x", minutes)["occurred_at"]
    return stock.MoveStock(
        key=key, id=f"{key}/{kind}/{minutes}", kind=kind, lines=(line,), occurred_at=at
    )


def look(connection: Connection, now: datetime = LATER) -> int:
    """What the chore does; and everything it told is booked."""
    found = look_at_goods(connection, VALUING, now)
    connection.commit()
    if found.told:
        book(connection, facts(connection)[-found.told :], policy=BOOKS, book=default_book())
    return found.told


def facts(connection: Connection) -> list[CostMoved]:
    rows = connection.execute("select body from record where type = 'CostMoved' order by id")
    return [msgspec.json.decode(body, type=CostMoved) for (body,) in rows]


def balances(connection: Connection) -> dict[str, int]:
    rows = connection.execute(
        "select account, sum(amount)::bigint from entry_line group by account"
        " having sum(amount) <> 0 order by account"
    )
    return dict(rows.fetchall())


DAY: list[Body] = [
    counted(10_000),
    adjusted("a", -1000, minutes=5),
    moved("order/web/1", "sale", -3000, minutes=10),
    moved("order/web/1", "return", 1000, minutes=60),
    moved("order/web/1", "return", 1000, minutes=70, condition="damaged"),
    moved("sale/tills/1", "sale", -1000, minutes=20),
    stock.StockReceived(
        **carried("receipt/1", "1", 90), lines=(StockLine("1", "p", 4000, "wh"),), supply="po"
    ),
]
BOOKED = {
    "cost-of-goods/unassigned": 2 * 700,
    "damaged-goods": 700,
    "goods-received": -4 * 700,
    "inventory/wh": 10 * 700,
    "opening-stock": -10 * 700,
    "shrinkage/wh": 700,
}


def test_goods_are_booked_at_their_cost(connection: Connection) -> None:
    take(connection, DAY, book=StockBook())
    told(connection, [costed("p", 700)])
    assert look(connection) > 0
    assert balances(connection) == BOOKED
    assert look(connection) == 0
    by_key = {fact.key: fact for fact in facts(connection)}
    assert by_key["order/web/1"].channel == "web"
    assert by_key["order/web/1"].order == "order/web/1"
    assert by_key["sale/tills/1"].channel == "stores"
    assert by_key["order/web/1"].policy == "standard-cost/1"
    assert {one.since for one in by_key["receipt/1"].goods} == {date(2026, 1, 1)}
    (cost,) = listed(connection, ["us"], "p", 9)
    assert (cost.unit_cost, cost.source) == (700_000, "feed")
    (shelf,) = stands(connection, [], "", 9)
    assert (shelf.quantity, shelf.worth, shelf.waiting) == (10_000, 7000, 0)


@pytest.mark.parametrize("seed", range(8))
def test_the_books_are_the_same_in_any_order_with_looks_between(
    connection: Connection, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a seeded order, no secret
    wrong, right = costed("p", 650), costed("p", 700, turn=1)
    # a count comes first: what is told later and happened before it is in it already
    rest: list[Body] = [*DAY[1:], wrong, right]
    chance.shuffle(rest)
    take(connection, DAY[:1], book=StockBook())
    for body in rest:
        if isinstance(body, ItemCosted):
            told(connection, [body])
        else:
            take(connection, [body], book=StockBook())
        if chance.random() < 0.6:
            look(connection)
    look(connection)
    assert balances(connection) == BOOKED


def test_goods_without_a_cost_are_a_case_until_it_is_told(connection: Connection) -> None:
    take(connection, DAY, book=StockBook())
    assert look(connection) == 0
    (case,) = connection.execute(
        "select reason, owner, words from exception_case where state = 'open'"
    ).fetchall()
    assert case[:2] == ("cost_missing", "finance")
    assert case[2].startswith("us: 7 movements of p (21 in all) wait")
    told(connection, [msgspec.structs.replace(costed("p", 700), currency="EUR")])
    look(connection)
    reasons = "select reason from exception_case where state = 'open' order by reason"
    assert connection.execute(reasons).fetchall() == [("cost_currency",), ("cost_missing",)]
    told(connection, [costed("p", 700, turn=1)])
    look(connection)
    assert connection.execute(reasons).fetchall() == []
    assert balances(connection) == BOOKED


def test_goods_on_their_way_stay_ours_and_those_of_others_are_not_valued(
    connection: Connection,
) -> None:
    def sent(name: str, to: str) -> Body:
        key = f"transfer/{name}"
        return stock.TransferDispatched(
            **{**carried(key, "out"), "key": key},
            transfer=name,
            origin="wh",
            destination=to,
            lines=(StockLine("1", "p", 1000),),
        )

    take(connection, [counted(10_000), sent("1", "shop"), sent("2", "abroad")], book=StockBook())
    told(connection, [costed("p", 700)])
    look(connection)
    assert balances(connection) == {
        "inventory/shop": 700,
        "inventory/wh": 8 * 700,
        "intercompany-cost": 700,
        "opening-stock": -7000,
    }


def test_a_new_cost_revalues_the_shelf_on_its_day_and_not_before(connection: Connection) -> None:
    take(connection, DAY, book=StockBook())
    told(connection, [costed("p", 700), costed("p", 900, "2026-07-01")])
    look(connection)
    assert balances(connection) == BOOKED
    july = datetime.fromisoformat("2026-07-01T12:00:00+00:00")
    assert look(connection, july) == 1
    assert balances(connection) == {**BOOKED, "inventory/wh": 9000, "cost-variance": -2000}
    assert look(connection, july) == 0


def test_a_movement_that_is_being_written_is_waited_for(
    connection: Connection, database_url: str
) -> None:
    """Its number is below one that is committed already: no reader may pass it."""
    with connect(database_url) as slow:
        slow.execute(
            "insert into stock_movement (fact, n, key, kind, location, product, quantity,"
            " occurred_at) values ('slow', 0, 'k', 'sale', 'wh', 'p', -1000, %s)",
            (NOON,),
        )
        take(connection, [adjusted("a", 5000)], book=StockBook())
        connection.execute("set lock_timeout = '200ms'")
        with pytest.raises(Exception, match="lock timeout"):
            read_goods(connection, VALUING)
        connection.rollback()
        slow.commit()
    assert read_goods(connection, VALUING) == 2
    locks = (
        "select count(*) from pg_locks"
        " where relation = 'stock_movement'::regclass and mode = 'ShareLock'"
    )
    assert connection.execute(locks).fetchone() == (0,)


def test_two_tellings_of_one_day_leave_the_later_one(connection: Connection) -> None:
    told(connection, [costed("p", 900, turn=2), costed("p", 700, turn=1)])
    assert read_costs(connection) == 1
    assert read_costs(connection) == 0
    (costs,) = cost_lists(connection, [("us", "p")], {"us": "USD"}).values()
    found = costs.on(date(2026, 5, 1))
    assert found is not None
    assert found.unit_cost == 900_000
    assert costs.on(date(2025, 5, 1)) is None


def test_what_changed_alone_is_told() -> None:
    row = Row(
        "k", ("us", "p"), "k", "wh", "", Piece(1, "sold", -1000, NOON.date(), NOON), -700, -700, 1
    )
    assert changed(row, Worth(-700, -700)) == []
    (one,) = changed(row, Worth(-900, -900))
    assert (one.kind, one.amount, one.quantity) == ("sold", -200, 0)
    assert Entities("us").of("selling") == "us"
    assert EURO.ledger_of("DE", "policy", "CostMoved") == "journals"
