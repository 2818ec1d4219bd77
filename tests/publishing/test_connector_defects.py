"""A connector that fails on one document holds that one up, with a case, and no other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from psycopg import Connection, errors

from tillbridge.atoms.clock import SystemClock
from tillbridge.atoms.ids import SystemIds
from tillbridge.canonical.documents import JournalDocument, SubmitDocument
from tillbridge.canonical.intake import RereadObject
from tillbridge.canonical.registry import encode
from tillbridge.contract.promises import Assignment, Item, Receipt
from tillbridge.contract.promises import Connection as Far
from tillbridge.durable import accounts, jobs
from tillbridge.mapping.names import NameTables
from tillbridge.publishing.dispatch import Dispatcher, Report, Target
from tillbridge.publishing.room import owed_document
from tillbridge.triage.cases import list_cases, replay, resolve

CLOCK = SystemClock()


class Brittle:
    """Fails on documents named `bad`, alone or in company, and whenever it has to read again."""

    name = "brittle"
    batch_max = 20

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.mended = False
        self.store_away = False

    def deliver(self, assignments: Sequence[Assignment], *_: Any) -> list[Receipt]:
        if self.store_away:  # the way out asks the store for each call
            raise errors.LockNotAvailable("canceling statement due to lock timeout")
        receipts = []
        for one in assignments:
            if "bad" in one.document.id:
                raise KeyError("no such field")
            self.sent.append(one.document.id)
            receipts.append(
                Receipt(operation=one.document.id, outcome="accepted", remote_id=one.document.id)
            )
        return receipts

    def reread(self, *_: Any) -> Any:
        if not self.mended:
            raise IndexError("an answer without a node")
        return Item(topic="reread/order", delivery="again", body=b"{}")


def dispatched(connection: Connection, *owed: jobs.Owed) -> tuple[Report, Brittle]:
    connector = Brittle()
    jobs.enqueue(connection, owed, CLOCK.now())
    connection.commit()
    return run(connection, target_of(owed[0].dest, connector)), connector


def target_of(dest: int, connector: Brittle) -> Target:
    far = Far(name="erp", entity="us", channel="", currency="USD")
    return Target(dest, connector, far, {}, None)  # type: ignore[arg-type]


def run(connection: Connection, target: Target) -> Report:
    return Dispatcher(connection, target, NameTables(), CLOCK, SystemIds()).run_once()


def document(dest: int, name: str) -> jobs.Owed:
    journal = JournalDocument(
        currency="USD", journal_date=date(2026, 1, 4), narration=name, lines=(), entries=1
    )
    command = SubmitDocument(key=name, id=f"{name}/1", kind="journal", entity="us", journal=journal)
    return owed_document(command, dest, CLOCK.now())


def test_one_bad_document_becomes_a_case_and_the_others_of_its_batch_go_through(
    connection: Connection,
) -> None:
    dest = accounts.make_dest(connection, "erp", accounts.Budget())
    report, connector = dispatched(
        connection, *(document(dest, name) for name in ("a", "bad", "c"))
    )
    assert (report.accepted, report.refused) == (2, 1)
    assert {"a/1", "c/1"} <= set(connector.sent)
    (case,) = list_cases(connection)
    assert (case.reason, case.key) == ("document_refused", "bad")
    assert "KeyError" in case.words
    leased = connection.execute("select count(*) from outkey where lease_until is not null")
    assert leased.fetchone() == (0,)


@pytest.mark.parametrize("decided", ["replay", "resolve"])
def test_a_failed_reading_again_is_a_case_that_is_tried_again_or_given_up(
    connection: Connection, decided: str
) -> None:
    dest = accounts.make_dest(connection, "erp", accounts.Budget())
    asked = RereadObject(
        key="reread/erp/5", id="r/1", connection="erp", topic="reread/order", reference="5"
    )
    kind = type(asked).__name__
    owed = jobs.Owed(dest, asked.key, "r/1", "reread", kind, encode(asked), 0, date(2026, 1, 4))
    report, connector = dispatched(connection, owed)
    assert report.refused == 1
    (case,) = list_cases(connection)
    assert case.reason == "reread_refused"
    assert "IndexError" in case.words
    connector.mended = True
    if decided == "replay":
        assert replay(connection, [case.id], "somebody") == 1
    else:
        assert "given up" in resolve(connection, case.id, "somebody", "")
    connection.commit()
    assert run(connection, target_of(dest, connector)).accepted == (decided == "replay")
    assert list_cases(connection) == []
    assert connection.execute("select count(*) from job").fetchone() == (0,)


def test_a_store_that_is_away_during_a_call_blames_no_document(connection: Connection) -> None:
    dest = accounts.make_dest(connection, "erp", accounts.Budget())
    connector = Brittle()
    connector.store_away = True
    jobs.enqueue(connection, [document(dest, "a"), document(dest, "b")], CLOCK.now())
    connection.commit()
    with pytest.raises(errors.LockNotAvailable):
        run(connection, target_of(dest, connector))
    connection.rollback()
    assert list_cases(connection) == []
    assert connection.execute("select count(*) from job").fetchone() == (2,)
