"""The deciding room on PostgreSQL: state is read once and written as sets."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import psycopg

from tests.orchestration.test_sales import KEY as SALE_KEY
from tests.orchestration.test_sales import SALE, VOID
from tests.orchestration.trade import KEY, NOON, POLICIES, capture, line, order, parcel, placed
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.registry import Body
from tillbridge.durable.rooms import Outcome, Record
from tillbridge.orchestration.orders.state import OrderState
from tillbridge.orchestration.room import Orchestration


def take(connection: psycopg.Connection, *bodies: Body) -> Sequence[Outcome]:
    session = Orchestration(POLICIES).open(connection, NOON)
    outcomes = session.take([Record(b.key, type(b).__name__, b, lane_of(b.key)) for b in bodies])
    session.flush()
    connection.commit()
    return outcomes


def test_an_order_is_remembered_between_transactions(connection: psycopg.Connection) -> None:
    take(connection, placed(order([line("a")])))
    (told,) = take(connection, capture(1100))
    assert [type(body).__name__ for body in told.emits] == ["DepositReceived", "SubmitDocument"]
    row = connection.execute("select number, status, total, revision, body from order_state")
    number, status, total, revision, body = row.fetchone() or ()
    assert (number, status, total, revision) == ("#1001", "paid", 1100, 2)
    assert msgspec.json.decode(body, type=OrderState).deposited == {"visa": 1100}
    (again,) = take(connection, capture(1100))
    assert again == Outcome()
    assert connection.execute("select revision from order_state").fetchone() == (2,)


def test_what_needs_a_decision_leaves_the_state_and_holds_back_its_key_alone(
    connection: psycopg.Connection,
) -> None:
    take(connection, placed(order([line("a")])), capture(1100, reference="c1"))
    other = msgspec.structs.replace(placed(order([line("a")])), key="order/web/2")
    wrong = capture(1, reference="c1")
    outcomes = take(connection, wrong, parcel("p", {"a": 1}), other)
    assert outcomes[0].decision is not None
    assert outcomes[1].follows
    assert outcomes[2].emits
    rows = connection.execute("select key, status from order_state order by key").fetchall()
    assert rows == [(KEY, "paid"), ("order/web/2", "placed")]


def test_a_void_waits_in_the_state_for_its_sale(connection: psycopg.Connection) -> None:
    (early,) = take(connection, VOID)
    assert early.halt
    (sale,) = take(connection, SALE)
    assert (sale.halt, sale.emits) == (False, (VOID,))
    (void,) = take(connection, VOID)
    assert not void.halt
    row = connection.execute(
        "select voided, total, receipt from sale_state where key = %s", (SALE_KEY,)
    )
    assert row.fetchone() == (True, 1000, "")
    assert take(connection, SALE, VOID)[0].halt
