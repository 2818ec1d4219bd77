"""Groups of reservations in several processes: a request answered twice at once is one effect."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import timedelta

from msgspec.structs import replace
from psycopg import Connection

from tests.app.api.stocked import stock
from tillbridge.app.api.group import DeskWork, Placed
from tillbridge.atoms.clock import SystemClock
from tillbridge.canonical.stock import StockLine, hold_key
from tillbridge.durable.group_writer import Session
from tillbridge.durable.session import connect
from tillbridge.inbox.answers import Answer
from tillbridge.posting.stock.activation import RulesInForce
from tillbridge.posting.stock.desk import Ask

CLOCK = SystemClock()


def placed(number: str, key: str, pieces: int = 1, product: str = "P1") -> Placed:
    ask = Ask(
        key=hold_key("web", number),
        verb="hold",
        channel="web",
        kind="firm",
        lines=(StockLine("1", product, pieces * 1000),),
        locations=("wh",),
    )
    return Placed(ask, "shop", key, b"%d" % pieces)


def session(url: str) -> Session[Placed, Answer]:
    return Session(lambda: connect(url), DeskWork(RulesInForce(), CLOCK), CLOCK)


def statuses(answers: Sequence[Answer | Exception]) -> list[int]:
    return [one.status for one in answers if isinstance(one, Answer)]


def test_a_group_answers_new_repeated_and_wrong_keys_each_its_way(
    database_url: str, connection: Connection
) -> None:
    stock(connection, "wh", "P1", 3)
    one = session(database_url)
    asks = [placed("a", "k1"), placed("b", "k1"), placed("c", "k1", 2), placed("d", "k2", 3)]
    first, again, reused, short = one.write(asks)
    assert isinstance(first, Answer)
    assert isinstance(again, Answer)
    assert again.body == first.body
    assert statuses([first, again, reused, short]) == [201, 201, 422, 409]
    assert statuses(one.write([placed("e", "k1"), placed("f", "k2", 3)])) == [201, 409]
    one.drop()


def test_a_cart_lasts_from_its_decision_however_long_it_waited(
    database_url: str, connection: Connection
) -> None:
    stock(connection, "wh", "P1", 3)
    one = session(database_url)
    cart = placed("a", "k1")
    cart = Placed(replace(cart.ask, kind="soft"), "shop", "k1", b"1", lasts=1)
    before = CLOCK.now()
    (told,) = one.write([cart])
    assert statuses([told]) == [201]
    row = connection.execute("select expires_at from hold").fetchone()
    assert row is not None
    assert row[0] - before >= timedelta(seconds=1)
    one.drop()


def test_the_same_request_in_two_processes_is_one_reservation(
    database_url: str, connection: Connection
) -> None:
    stock(connection, "wh", "P1", 1_000)
    rounds = 25
    told: list[list[Answer | Exception]] = [[], []]
    start = threading.Barrier(2)

    def play(side: int) -> None:
        mine = session(database_url)
        for number in range(rounds):
            start.wait(10)
            told[side] += mine.write([placed(f"{side}-{number}", f"k{number}")])
        mine.drop()

    threads = [threading.Thread(target=play, args=(side,)) for side in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bodies = [[one.body for one in side if isinstance(one, Answer)] for side in told]
    assert len(bodies[0]) == rounds
    assert bodies[0] == bodies[1]
    connection.rollback()
    row = connection.execute("select reserved from stock where product = 'P1'").fetchone()
    assert row == (rounds * 1000,)


def test_only_a_crowd_at_one_shelf_waits_at_the_gate(
    database_url: str, connection: Connection
) -> None:
    stock(connection, "wh", "P1", 1_000)
    work, mine = DeskWork(RulesInForce(), CLOCK), connect(database_url)

    def gated(asks: Sequence[Placed]) -> bool:
        work.commit(mine, asks)
        work.gate(mine)
        row = connection.execute(
            "select count(*) from pg_locks where locktype = 'advisory' and objid = 55"
            " and database = (select oid from pg_database where datname = current_database())"
        ).fetchone()
        mine.rollback()
        return row == (1,)

    assert gated([placed(f"a{n}", f"a{n}") for n in range(5)])
    assert not gated([placed(f"b{n}", f"b{n}", product=f"Q{n}") for n in range(5)])
    mine.close()
