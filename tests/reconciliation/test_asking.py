"""Asking a source: its errors pass as they are, a connector's defect stops one comparison only."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from psycopg import Connection

from tests.reconciliation.test_sweeps_sweeper import NoNetwork
from tillbridge.atoms.clock import FixedClock
from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.contract.transport import Transport
from tillbridge.durable import accounts
from tillbridge.reconciliation.asking import asked

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def ask(connection: Connection, problem: Exception | None) -> str:
    def call(_: Transport) -> str:
        if problem is not None:
            raise problem
        return "told"

    accounts.make_missing(connection, "erp")
    connection.commit()
    clock, leases = FixedClock(NOW), accounts.Leases()
    return asked(connection, "erp", "stock of wh", NoNetwork(), clock, leases, call)


def test_an_answer_is_given_and_the_slot_given_back(connection: Connection) -> None:
    assert ask(connection, None) == "told"
    assert connection.execute("select count(*) from slot").fetchone() == (0,)


@pytest.mark.parametrize("problem", [RetryLater("busy"), Refused("no such place")])
def test_what_the_source_says_passes_as_it_is(connection: Connection, problem: Exception) -> None:
    with pytest.raises(type(problem), match=str(problem)):
        ask(connection, problem)
    assert connection.execute("select count(*) from slot").fetchone() == (0,)


def test_a_defect_of_a_connector_is_a_refusal_that_says_what_was_read(
    connection: Connection,
) -> None:
    with pytest.raises(Refused, match="stock of wh could not be read: KeyError: 'x'"):
        ask(connection, KeyError("x"))
