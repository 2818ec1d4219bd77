"""Who is owed money after the term is a case; one who is paid back is none any more."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from psycopg import Connection

from tests.orchestration.trade import KEY, NOON, Model, about, capture, line, order, placed
from tillbridge.canonical.payments import PaymentRefunded
from tillbridge.orchestration.orders.owed import refund_due_at
from tillbridge.orchestration.orders.state import OrderState
from tillbridge.reconciliation.owed import look_at_owed, tell_owed


def kept(connection: Connection, state: OrderState) -> None:
    connection.execute(
        "insert into order_state (key, revision, number, body, refund_due_at)"
        " values (%s, %s, '#1', %s, %s) on conflict (key) do update set"
        " body = excluded.body, refund_due_at = excluded.refund_due_at",
        (KEY, state.revision, msgspec.json.encode(state), refund_due_at(state)),
    )


def test_money_owed_is_a_case_after_its_days_and_closes_with_the_refund(
    connection: Connection,
) -> None:
    model = Model().tell([placed(order([line("1")])), capture(1100), capture(300, 2)])
    kept(connection, model.state)
    due = NOON + timedelta(days=3)
    assert tell_owed(connection, due - timedelta(seconds=1)).opened == 0
    assert look_at_owed(connection, due) == "1 buyers owed money, 0 not any more"
    (case,) = connection.execute("select key, reason, owner, amount, words from exception_case")
    assert case[:4] == (KEY, "refund_owed", "ecommerce", 300)
    assert case[4].startswith("order #1001 takes less than was paid: 3.00 USD are owed")
    back = PaymentRefunded(reference="b", tender="visa", amount=300, currency="USD", **about(9))
    kept(connection, model.tell([back]).state)
    assert look_at_owed(connection, due) == "0 buyers owed money, 1 not any more"
