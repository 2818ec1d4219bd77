"""Machines of the deciding room on PostgreSQL: states are read once and written as sets."""

from __future__ import annotations

import psycopg

from tests.orchestration.test_transfers import KEY, cancelled, ordered, sent
from tillbridge.durable.rooms import DONE
from tillbridge.orchestration.decision import Decision
from tillbridge.orchestration.machine import Running
from tillbridge.orchestration.transfers.machine import TRANSFERS
from tillbridge.orchestration.transfers.state import TransferState

ROW = "select number, origin, destination, status, hold_version, revision from transfer_state"


def test_a_state_is_kept_between_transactions(connection: psycopg.Connection) -> None:
    for body in (ordered(10), sent(3), cancelled()):
        running = Running(TRANSFERS, connection)
        running.load([KEY])
        running.handle(KEY, body)
        assert running.handle(KEY, body) == DONE
        running.flush()
        connection.commit()
    row = connection.execute(ROW).fetchone()
    assert row == ("T1", "wh", "store", "sent", 2, 3)


def test_what_changes_nothing_writes_nothing(connection: psycopg.Connection) -> None:
    assert TRANSFERS.decide(TransferState(KEY), ordered(0)) == Decision([], [], [])
    running = Running(TRANSFERS, connection)
    running.load([KEY])
    running.flush()
    assert connection.execute(ROW).fetchone() is None
