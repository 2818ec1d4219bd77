"""Tax documents are loaded and written as sets, one row each."""

from __future__ import annotations

import psycopg

from tests.orchestration.test_tax_documents import DOCUMENT, accepted, asked
from tillbridge.canonical.documents import SubmitDocument
from tillbridge.durable.rooms import DONE
from tillbridge.orchestration.machine import Running
from tillbridge.orchestration.taxes.machine import TAXES


def test_a_document_is_kept_over_transactions(connection: psycopg.Connection) -> None:
    first = Running(TAXES, connection)
    first.load([DOCUMENT])
    (command,) = first.handle(DOCUMENT, asked("calculated")).emits
    assert isinstance(command, SubmitDocument)
    assert first.handle(DOCUMENT, asked("calculated")) is DONE
    first.flush()
    second = Running(TAXES, connection)
    second.load([DOCUMENT])
    assert len(second.handle(DOCUMENT, accepted(command)).emits) == 1
    assert second.handle(DOCUMENT, accepted(command)) is DONE
    second.flush()
    row = connection.execute(
        "select order_key, subject, state, service, direction, amount, tax from tax_document"
    ).fetchall()
    assert row == [("order/web/1", "refund-7", "calculated", "avatax", "return", 1000, 80)]
