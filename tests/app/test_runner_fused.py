"""Fused or through the log, in big batches or small ones: the same state."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.app.toy_flow import append
from tests.durable.floor import wait_for
from tests.orchestration.trade import POLICIES, Trade, capture, line, order, placed, trades
from tests.posting.money_facts import rung, void
from tillbridge.app.flow import FLOW, ROOMS
from tillbridge.app.runner import FlowRunner, Pace
from tillbridge.atoms.clock import FixedClock
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.fact import Entities, Fact
from tillbridge.canonical.registry import TYPES
from tillbridge.canonical.stock import StockCounted
from tillbridge.durable import accounts
from tillbridge.durable.postgres.databases import create_database, drop_database
from tillbridge.durable.rooms import Room
from tillbridge.durable.session import connect
from tillbridge.orchestration.room import Orchestration
from tillbridge.posting.money.book import load_book
from tillbridge.posting.money.policy import Policy
from tillbridge.posting.money.room import MoneyRoom
from tillbridge.posting.stock.room import StockBook
from tillbridge.publishing.room import Destinations, Publishing

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
BOOK = load_book()
MONEY = Policy({"us": "USD", "DE": "EUR"}, {("DE", "stores"): "journals"})
_examples = itertools.count()
# what has to be the same; instants and row ids are not
STATE = {
    "order_state": "select key, number, channel, status, currency, total, body from order_state",
    "sale_state": "select key, type, fact_hash, total, voided, pending_void from sale_state",
    "stock": "select location, product, on_hand, reserved, counted_at from stock",
    "movements": "select fact, key, kind, location, product, quantity, occurred_at"
    " from stock_movement",
    "reservations": "select key, line, location, product, quantity from reservation",
    "holds": "select key, version, ok, short from hold",
    "documents": "select op, key, kind, state, total from document",
    "jobs": "select key, op, type, body, row_number() over (partition by key order by id) from job",
    "entries": "select id, fact, fact_type, fact_hash, key, entity, rule, rule_hash, business_date,"
    " posted_date, currency, flow, channel, location, gl, reverses, lines from entry",
    "entry_lines": "select entry, n, account, amount, txn_amount, txn_currency, item"
    " from entry_line",
    "journals": "select entry, n, entity, flow, place, day, currency, account, amount, item"
    " from journal_pending",
    "parked": "select p.room, p.key, c.reason, p.type, p.body from parked p"
    " join parked_key k using (room, key) join exception_case c on c.id = k.case_id",
}


def rooms(connection: Connection) -> dict[str, Room]:
    """The real rooms behind the mapping."""
    dest = accounts.make_dest(connection, "erp", accounts.Budget())
    connection.commit()
    made: tuple[Room, ...] = (
        Orchestration(POLICIES),
        Publishing(Destinations({"us": "erp", "DE": "erp"}, {"erp": dest})),
        MoneyRoom(BOOK, MONEY),
        StockBook(),
    )
    return {room.name: room for room in made}


def counted(product: str, location: str, quantity: int) -> StockCounted:
    """The opening stock of a product."""
    return StockCounted(
        key=f"stock/{location}/{product}",
        id=f"count/{location}/{product}",
        source="erp",
        mapping="test/1",
        occurred_at=AT,
        business_date=date(2026, 3, 2),
        entities=Entities(selling="us"),
        product=product,
        location=location,
        quantity=quantity,
        counted_at=AT,
    )


def renamed(fact: Fact, number: int) -> Fact:
    """The same fact about another order."""
    key = f"order/web/{number}"
    return msgspec.structs.replace(fact, key=key, id=fact.id.replace(fact.key, key))


def taken_back(sale: str, number: str) -> Fact:
    """A void as the till tells it: under the key of the sale it takes back."""
    return msgspec.structs.replace(void(sale, number), key=sale)


def day_of(told: Sequence[Trade], on_hand: int) -> list[Fact]:
    """Orders taking turns, with the store's till beside them; one void comes before its sale."""
    products = {line.product for trade in told for line in trade.order.lines if line.product}
    facts: list[Fact] = [
        counted(product, place, on_hand)
        for product in sorted(products)
        for place in ("wh", "store")
    ]
    facts += [taken_back("sale/9/1/2026-01-02/3", "4"), rung("sale/9/1/2026-01-02/1")]
    facts.append(rung("sale/9/1/2026-01-02/3"))
    rows = [[renamed(fact, n) for fact in trade.facts] for n, trade in enumerate(told)]
    for turn in itertools.zip_longest(*rows):
        facts += [fact for fact in turn if fact is not None]
    facts.append(rung("sale/9/1/2026-01-02/1"))  # told again
    facts.append(taken_back("sale/9/1/2026-01-02/1", "5"))
    return facts


def outcome(url: str, facts: Sequence[Fact], pace: Pace) -> dict[str, list[Any]]:
    """The state after the flow has come to rest."""
    with connect(url) as connection:
        runner = FlowRunner(connection, rooms(connection), FixedClock(AT), pace)
        append(connection, *facts)
        runner.drain()
        found = {name: connection.execute(q.encode()).fetchall() for name, q in STATE.items()}
    found["order_state"] = [(*row[:-1], _body(row[-1])) for row in found["order_state"]]
    return {name: sorted(map(repr, rows)) for name, rows in found.items()}


def _body(stored: bytes) -> dict[str, Any]:
    """State of an order without the count of what it heard: an answer that is overtaken by a newer
    question is told to it or not.
    """
    body: dict[str, Any] = msgspec.json.decode(stored)
    body.pop("revision")
    return body


@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # every try copies two databases
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
@given(st.lists(trades(), min_size=2, max_size=5), st.sampled_from([1, 7, 500]), st.booleans())
def test_fused_and_unfused_give_the_same_state(
    server_url: str, template_database: str, told: list[Trade], batch: int, scarce: bool
) -> None:
    # who gets the last piece depends on who asks first, and so on how batches are cut
    facts = day_of(told, 3000 if scarce and batch == 500 else 10**9)
    paces = [Pace(fuse=True, batch_max=batch), Pace(fuse=False, batch_max=batch)]
    found = []
    for pace in paces:
        name = f"tillbridge_fused_{next(_examples)}"
        url = create_database(server_url, name, template=template_database)
        found.append(outcome(url, facts, pace))
        drop_database(server_url, name)
    for name in STATE:
        assert found[0][name] == found[1][name], name
    assert len(found[0]["order_state"]) == len(told)
    assert len(found[0]["entries"]) >= 4


def test_a_fused_batch_is_one_transaction_and_leaves_the_whole_story_in_the_log(
    connection: Connection,
) -> None:
    runner = FlowRunner(connection, rooms(connection), FixedClock(AT))
    told = order([line("1")])
    append(connection, placed(told), capture(told.total))
    report = runner.run_once()
    assert (report.taken, report.waiting) == (2, 0)
    rows = connection.execute("select type, fused, cause from record order by id").fetchall()
    assert rows[:2] == [("OrderPlaced", False, None), ("PaymentCaptured", False, None)]
    assert rows[2] == ("RecordsTaken", True, None)
    assert {kind for kind, _, _ in rows[3:]} >= {"ReserveStock", "StockShort", "DepositReceived"}
    assert all(fused and cause in (1, 2) for _, fused, cause in rows[3:])
    assert runner.run_once().taken == 0


def test_what_belongs_to_a_lane_of_another_worker_waits_in_the_log(connection: Connection) -> None:
    fact = rung("sale/9/1/2026-01-02/1")  # its journal line is about another key
    mine = Pace(lanes=(lane_of(fact.key),))
    append(connection, fact)
    report = FlowRunner(connection, rooms(connection), FixedClock(AT), mine).run_once()
    assert (report.taken, report.fused, report.waiting) == (1, 0, 1)
    assert connection.execute("select count(*) from journal_pending").fetchone() == (0,)
    assert FlowRunner(connection, rooms(connection), FixedClock(AT)).drain() == 1
    rows = connection.execute("select type, fused, cause from record order by id").fetchall()
    assert rows == [
        ("SaleRung", False, None),
        ("RecordsTaken", True, None),  # the sale had its effects here, where its entry is told
        ("EntryPosted", False, 1),
    ]
    sums = connection.execute("select sum(amount) from journal_pending").fetchone()
    assert sums == (0,)


def test_every_type_has_its_rooms_and_no_gate_leads_nowhere() -> None:
    assert set(FLOW) == set(TYPES), "a record without a row in the table is silently passed by"
    for name, routes in FLOW.items():
        stops = [route.room for route in routes]
        assert len(stops) == len(set(stops)), name
        for route in routes:
            assert route.room in ROOMS
            if route.after:
                assert ROOMS.index(route.after) < ROOMS.index(route.room), name
                gate = next(one for one in routes if one.room == route.after)
                assert not gate.after, f"{name}: the runner follows one gate, not a chain"


def test_a_deadlock_reruns_the_batch_and_is_counted(
    connection: Connection, database_url: str
) -> None:
    """The batch holds one stock row and wants another that is held by who wants the first."""
    runner = FlowRunner(connection, rooms(connection), FixedClock(AT))
    append(connection, counted("a", "wh", 1000), counted("b", "wh", 1000))
    runner.drain()
    append(connection, counted_again("a"), counted_again("b"))
    with connect(database_url) as other:
        other.execute("set deadlock_timeout = '10s'")  # so that the runner is the victim
        other.execute("select from stock where product = 'b' for update")
        done = threading.Thread(
            target=lambda: other.execute("select from stock where product = 'a' for update")
        )
        reports = []
        flow = threading.Thread(target=lambda: reports.append(runner.run_once()))
        flow.start()
        _until_waiting(database_url, 1)
        done.start()
        done.join()
        other.rollback()
        flow.join()
    assert reports[0].reruns >= 1
    levels = connection.execute("select product, on_hand from stock order by product").fetchall()
    assert levels == [("a", 5000), ("b", 5000)]


def counted_again(product: str) -> StockCounted:
    """A later count."""
    first = counted(product, "wh", 5000)
    return msgspec.structs.replace(first, id=f"{first.id}/2", counted_at=AT.replace(hour=11))


def _until_waiting(url: str, sessions: int) -> None:
    with connect(url) as eyes:
        wait_for(eyes, f"select count(distinct pid) >= {sessions} from pg_locks where not granted")


def test_a_conflict_that_does_not_end_is_told_and_moves_nothing(
    connection: Connection, database_url: str
) -> None:
    runner = FlowRunner(connection, rooms(connection), FixedClock(AT))
    append(connection, counted("a", "wh", 1000))
    runner.drain()
    append(connection, counted_again("a"))
    connection.execute("set lock_timeout = '20ms'")
    connection.commit()
    with connect(database_url) as other:
        other.execute("select from stock for update")
        with pytest.raises(Exception, match="five times in a row"):
            runner.run_once()
    connection.rollback()
    assert runner.run_once().taken == 1
