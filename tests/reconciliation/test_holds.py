"""Orders are told of authorisations that lapse within a day, and of no others."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from psycopg import Connection

from tests.orchestration.trade import KEY, NOON
from tillbridge.canonical.fact import Entities
from tillbridge.orchestration.orders.state import OrderState
from tillbridge.reconciliation.holds import tell_lapsing


def test_an_order_is_told_a_day_before_its_hold_ends(connection: Connection) -> None:
    state = OrderState(key=KEY, revision=1, entities=Entities("us"), lapses="auth", lapses_at=NOON)
    body = msgspec.json.encode(state)
    connection.execute(
        "insert into order_state (key, revision, number, channel, status, currency, body,"
        " lapses_at) values (%s, 1, '#1', 'web', 'placed', 'USD', %s, %s),"
        " ('order/web/2', 1, '#2', 'web', 'placed', 'USD', %s, null)",
        (KEY, body, NOON, body),
    )
    assert tell_lapsing(connection, NOON - timedelta(days=1, seconds=1)) == 0
    assert tell_lapsing(connection, NOON - timedelta(days=1)) == 1
    rows = connection.execute(
        "select key, type, convert_from(body, 'UTF8')::json ->> 'reference' from record"
    ).fetchall()
    assert rows == [(KEY, "AuthorizationLapsing", "auth")]
