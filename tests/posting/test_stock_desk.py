"""The desk on PostgreSQL: asks in groups, an answer of its own for everything that can go wrong."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from psycopg import Connection

from tests.posting.test_stock_book import count, level, lies, move, reserve, take
from tillbridge.canonical.items import Component, ItemDescribed, Pack
from tillbridge.canonical.stock import StockLine, StockReserved
from tillbridge.durable.log import make_cursors
from tillbridge.durable.rooms import readable
from tillbridge.durable.session import connect
from tillbridge.posting.stock.activation import RulesInForce, activate
from tillbridge.posting.stock.desk import Ask, Told, answer_group, gate
from tillbridge.posting.stock.expiry import end_due

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SOON = NOW + timedelta(minutes=15)


def ask(
    connection: Connection, *asks: Ask, now: datetime = NOW, rules: RulesInForce | None = None
) -> list[Told]:
    """One group, one transaction, as the writer of a process does it."""
    with connection.pipeline():
        told = answer_group(connection, asks, rules or RulesInForce(), now)
        connection.commit()
    return told


def hold(key: str, quantity: int = 1, product: str = "p", places: Sequence[str] = ("wh",)) -> Ask:
    lines = (StockLine("1", product, quantity),)
    return Ask(
        key=key, verb="hold", channel="web", lines=lines, locations=tuple(places), expires_at=SOON
    )


def facts(connection: Connection) -> list[str]:
    """What the log tells, in order."""
    rows = connection.execute(
        "select key, type, version, body, fused, cause from record order by id"
    ).fetchall()
    connection.rollback()
    for key, name, version, body, fused, cause in rows:
        assert fused, "the flow would take it once more"
        assert cause is None
        assert type(readable(key, name, version, body)).__name__ == name
    return [f"{row[0]} {row[1]}" for row in rows]


def test_a_group_is_answered_in_order_of_arrival_and_what_fits_is_sold(
    connection: Connection,
) -> None:
    take(connection, [count(20)])
    told = ask(connection, hold("a", 30), hold("b", 5), hold("c", 5), hold("d", 11))
    assert [one.status for one in told] == ["short", "held", "held", "short"]
    assert (told[3].product, told[3].wanted, told[3].free) == ("p", 11, 10)
    assert told[1].lines == (StockLine("1", "p", 5, "wh"),)
    assert told[1].expires_at == SOON
    assert level(connection) == (20, 10)
    assert facts(connection) == ["b StockHeld", "c StockHeld"]
    assert lies(connection) == []


def test_all_lines_are_held_at_the_first_place_that_has_them_or_none(
    connection: Connection,
) -> None:
    take(connection, [move("1", 5), move("2", 5, place="store"), move("3", 5, "q", "store")])
    lines = (StockLine("1", "p", 4), StockLine("2", "q", 4))
    both = msgspec.structs.replace(hold("a", places=("wh", "store")), lines=lines)
    (told,) = ask(connection, both)
    assert {line.location for line in told.lines} == {"store"}
    (short,) = ask(connection, msgspec.structs.replace(both, key="b"))
    assert (short.status, short.product) == ("short", "q")
    assert level(connection) == (5, 0)


def test_the_same_hold_asked_again_gets_its_answer_again(connection: Connection) -> None:
    take(connection, [count(5)])
    first, second = ask(connection, hold("a", 3), hold("a", 3))
    assert first == second == ask(connection, hold("a", 3))[0]
    assert level(connection) == (5, 3)
    assert facts(connection) == ["a StockHeld"]


def test_a_confirmed_hold_is_firm_and_stays_so(connection: Connection) -> None:
    take(connection, [count(5)])
    ask(connection, hold("a", 3))
    confirm = Ask(key="a", verb="confirm", order="1001")
    told = ask(connection, confirm)[0]
    assert (told.ok, told.status, told.kind, told.expires_at) == (True, "confirmed", "firm", None)
    assert told == ask(connection, confirm, now=SOON + timedelta(hours=1))[0]
    assert end_due(connection, SOON + timedelta(hours=1)) == 0
    assert facts(connection) == ["a StockHeld", "a HoldConfirmed"]
    assert level(connection) == (5, 3)


def test_nobody_confirms_a_hold_past_its_time_swept_or_not(connection: Connection) -> None:
    take(connection, [count(5), move("1", 1, "q")])
    ask(connection, hold("a", 3), hold("b", 1, "q"))
    assert ask(connection, Ask(key="a", verb="confirm"), now=SOON)[0].status == "expired"
    assert end_due(connection, SOON) == 1
    connection.commit()
    (told,) = ask(connection, Ask(key="b", verb="confirm"), now=SOON)
    assert (told.ok, told.status, told.lines) == (False, "expired", ())
    assert level(connection) == (5, 0)
    assert facts(connection)[2:] == ["a HoldReleased", "b HoldReleased"]


def test_a_release_gives_back_once(connection: Connection) -> None:
    take(connection, [count(5)])
    ask(connection, hold("a", 3), hold("b", 2))
    release = Ask(key="a", verb="release")
    assert [one.ok for one in ask(connection, release, release)] == [True, False]
    assert ask(connection, release)[0].status == "released"
    assert ask(connection, Ask(key="a", verb="confirm"))[0].status == "released"
    assert level(connection) == (5, 2)


def test_a_hold_whose_goods_are_gone_says_so_to_whoever_asks(connection: Connection) -> None:
    take(connection, [count(5)])
    ask(connection, hold("a", 3))
    take(connection, [move("m", -4)])
    told = ask(connection, Ask(key="a", verb="confirm"), Ask(key="a", verb="release"))
    assert [(one.ok, one.status) for one in told] == [(False, "short"), (False, "short")]


def test_what_is_given_back_in_a_group_is_there_for_who_comes_after(connection: Connection) -> None:
    take(connection, [count(5)])
    ask(connection, hold("a", 5))
    told = ask(connection, hold("b", 1), Ask(key="a", verb="release"), hold("c", 5))
    assert [one.status for one in told] == ["short", "released", "held"]
    assert lies(connection) == []


def test_an_unknown_hold_is_unknown_whatever_is_asked(connection: Connection) -> None:
    take(connection, [count(5)])
    take(connection, [reserve("order/web/1", 1, p=2)])
    for key in ("nobody", "order/web/1"):
        for verb in ("confirm", "release", "move"):
            one = msgspec.convert({"key": key, "verb": verb, "locations": ["wh"]}, Ask)
            assert ask(connection, one) == [Told(ok=False, status="unknown")]
    assert level(connection) == (5, 2)


def test_a_hold_moves_when_the_other_place_has_it_all(connection: Connection) -> None:
    take(connection, [move("1", 5), move("2", 2, place="store")])
    ask(connection, hold("a", 2), hold("b", 3))
    to_store = [Ask(key=key, verb="move", locations=("store",)) for key in ("a", "b")]
    first, second = ask(connection, *to_store)
    assert first.lines == (StockLine("1", "p", 2, "store"),)
    assert (second.status, second.lines) == ("short", (StockLine("1", "p", 3, "wh"),))
    assert (level(connection), level(connection, place="store")) == ((5, 3), (2, 2))
    assert facts(connection)[2:] == ["a HoldMoved"]
    assert ask(connection, to_store[0])[0].ok
    assert len(facts(connection)) == 3


def test_what_is_past_its_time_stands_in_nobodys_way(connection: Connection) -> None:
    take(connection, [count(5), move("1", 1, "q")])
    two = (StockLine("1", "p", 5), StockLine("2", "q", 1))
    ask(connection, msgspec.structs.replace(hold("a"), lines=two))
    late = msgspec.structs.replace(hold("b", 5), expires_at=SOON + timedelta(hours=1))
    assert ask(connection, late, now=SOON - timedelta(seconds=1))[0].status == "short"
    assert ask(connection, late, now=SOON)[0].status == "held"
    assert (level(connection), level(connection, "q")) == ((5, 5), (1, 0))
    assert facts(connection)[-2:] == ["a HoldReleased", "b StockHeld"]


def item(product: str, **more: object) -> ItemDescribed:
    """An item as its owner describes it; `more`: fields of the fact."""
    return msgspec.convert(
        {
            "key": f"item/{product}",
            "id": f"item/{product}",
            "source": "erp",
            "mapping": "feed/1",
            "occurred_at": NOW,
            "business_date": NOW.date(),
            "entities": {"selling": "us"},
            "product": product,
            "version": "1",
            **more,
        },
        ItemDescribed,
    )


def test_a_bundle_is_held_as_its_components_summed_over_the_lines(connection: Connection) -> None:
    take(connection, [count(5), move("1", 9, "q")])
    parts = (Component("p", 2000), Component("q", 1000))
    take(connection, [item("box", step=1, components=parts)])
    lines = (StockLine("1", "box", 2), StockLine("2", "p", 1))
    told, short = ask(
        connection, msgspec.structs.replace(hold("a"), lines=lines), hold("b", 1, "box")
    )
    assert [(line.product, line.quantity) for line in told.lines] == [("p", 4), ("q", 2), ("p", 1)]
    assert (short.status, short.product, short.wanted) == ("short", "p", 2)
    assert (level(connection), level(connection, "q")) == ((5, 5), (9, 2))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "loan"}, "no kind of reservation"),
        ({"kind": "firm"}, "says when it expires"),
        ({"expires_at": None}, "says when it expires"),
        ({"expires_at": NOW}, "cannot expire before it begins"),
        ({"lines": ()}, "at least one line"),
        ({"lines": (StockLine("1", "p", -1),)}, "more than nothing"),
        ({"lines": (StockLine("1", "p", 1), StockLine("1", "p", 1))}, "the same name"),
        ({"locations": ()}, "no location"),
        ({"lines": (StockLine("1", "apples", 500),)}, "no multiple of 1 EA"),
        ({"lines": (StockLine("1", "apples", 1000, unit="CRATE"),)}, "its units are EA, BOX"),
    ],
)
def test_a_bad_ask_is_an_answer_and_spoils_no_other(
    change: dict[str, object], words: str, connection: Connection
) -> None:
    take(connection, [count(5), item("apples", packs=(Pack("BOX", 12000),))])
    good = hold("a")
    bad = msgspec.structs.replace(good, key="b", **change)
    told = ask(connection, bad, good)
    assert [one.status for one in told] == ["invalid", "held"]
    assert words in told[0].words
    assert level(connection) == (5, 1)


def test_what_nobody_knows_what_may_not_be_sold_and_what_is_gone_are_told_apart(
    connection: Connection,
) -> None:
    take(connection, [count(5), move("1", 5, "far", "store"), item("old", sellable=False)])
    asks = [hold(name, 9, name) for name in ("p", "far", "new", "old")]
    take(connection, [item("new", step=1)])
    told = ask(connection, *asks, hold("typo", 9, "typo"))
    assert [one.status for one in told] == [
        "short",
        "short",
        "short",
        "not_sellable",
        "unknown_product",
    ]


def test_the_margins_of_the_channel_are_kept_from_a_buyer(connection: Connection) -> None:
    take(connection, [count(5)])
    text = """
[[rule]]
channel = "web"
safety_stock = "0.001"
stale_after_minutes = 60
stale_buffer = "0.002"
"""
    activate(connection, text, "ann", "first")
    connection.commit()
    fresh, stale = NOW + timedelta(minutes=10), NOW + timedelta(hours=2)
    late = {"expires_at": stale + timedelta(hours=1)}
    asks = [msgspec.structs.replace(hold(key, much), **late) for key, much in (("a", 5), ("b", 3))]
    assert [one.status for one in ask(connection, *asks, now=stale)] == ["short", "short"]
    assert ask(connection, *asks, now=fresh)[1].ok
    other = msgspec.structs.replace(hold("c", 2), channel="shop", **late)
    assert ask(connection, other, now=stale)[0].ok
    assert level(connection) == (5, 5)


def test_a_cart_goes_over_to_its_order_in_one_step(connection: Connection) -> None:
    take(connection, [move("1", 5, place="store"), count(5)])
    ask(connection, hold("cart", 4, places=("store",)))
    order = msgspec.structs.replace(reserve("order/web/1", 1, p=3), takes="cart")
    (outcome,) = take(connection, [order])
    assert [type(fact).__name__ for fact in outcome.emits] == ["StockReserved", "HoldReleased"]
    assert (level(connection), level(connection, place="store")) == ((5, 0), (5, 3))
    assert ask(connection, Ask(key="cart", verb="release"))[0].status == "taken_over"
    rows = connection.execute("select key, line, location, quantity from reservation").fetchall()
    assert rows == [("order/web/1", "p", "store", 3)]
    assert lies(connection) == []


def test_a_cart_counts_for_its_order_and_stays_when_the_order_lacks(connection: Connection) -> None:
    take(connection, [count(5)])
    ask(connection, hold("cart", 4))
    (short,) = take(connection, [msgspec.structs.replace(reserve("o", 1, p=6), takes="cart")])
    assert type(short.emits[0]).__name__ == "StockShort"
    assert level(connection) == (5, 4)
    (outcome,) = take(connection, [msgspec.structs.replace(reserve("o", 2, p=5), takes="cart")])
    assert [type(fact).__name__ for fact in outcome.emits] == ["StockReserved", "HoldReleased"]
    assert level(connection) == (5, 5)


def test_the_log_alone_gives_the_same_holds(connection: Connection) -> None:
    take(connection, [count(9), move("1", 5, place="store")])
    ask(connection, hold("a", 2), hold("b", 3), hold("c", 1), hold("d", 1))
    asks = [Ask(key="a", verb="confirm"), Ask(key="b", verb="move", locations=("store",))]
    ask(connection, *asks, Ask(key="c", verb="release"))
    end_due(connection, SOON)
    connection.commit()

    def state() -> list[tuple[object, ...]]:
        told = connection.execute("select hold.* from hold order by key").fetchall()
        told += connection.execute("select * from reservation order by key").fetchall()
        told += connection.execute("select location, reserved from stock order by 1").fetchall()
        return told

    live = state()
    rows = connection.execute("select key, type, version, body from record order by id").fetchall()
    connection.execute("truncate hold, reservation; update stock set reserved = 0")
    bodies = [readable(key, name, version, body) for key, name, version, body in rows]
    half = len(bodies) // 2
    take(connection, bodies[:half], bodies[half:])
    assert state() == live
    take(connection, bodies)
    assert state() == live


def test_the_answers_are_stored_before_the_log_and_the_gate_lets_one_in(
    connection: Connection,
) -> None:
    make_cursors(connection, "flow")
    take(connection, [count(5)])
    gate(connection)
    kept: list[bytes] = []
    told = answer_group(
        connection,
        [hold("a")],
        RulesInForce(),
        NOW,
        lambda answers: kept.extend(msgspec.json.encode(one) for one in answers),
    )
    connection.commit()
    assert [msgspec.json.decode(one, type=Told) for one in kept] == told


def test_buyers_at_the_desk_and_orders_of_the_flow_never_get_the_same_piece(
    connection: Connection, database_url: str
) -> None:
    make_cursors(connection, "flow")
    take(connection, [count(30)])
    barrier = threading.Barrier(4)

    def order(mine: Connection, name: str) -> bool:
        (outcome,) = take(mine, [reserve(f"order/{name}", 1, p=1)])
        return isinstance(outcome.emits[0], StockReserved)

    def cart(mine: Connection, name: str) -> bool:
        return ask(mine, hold(f"hold/{name}"))[0].status == "held"

    def buy(buyer: int) -> int:
        goes = order if buyer % 2 else cart
        with connect(database_url) as mine:
            barrier.wait()
            return sum(goes(mine, f"{buyer}/{number}") for number in range(15))

    with ThreadPoolExecutor(4) as buyers:
        served = list(buyers.map(buy, range(4)))
    assert sum(served) == 30
    assert level(connection) == (30, 30)
    assert lies(connection) == []
