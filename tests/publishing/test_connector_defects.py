"""A connector that fails on one document holds that one up, with a case, and no other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from psycopg import Connection

from tillbridge.atoms.clock import SystemClock
from tillbridge.atoms.ids import SystemIds
from tillbridge.canonical.documents import JournalDocument, SubmitDocument
from tillbridge.canonical.intake import RereadObject
from tillbridge.canonical.registry import encode
from tillbridge.contract.promises import Assignment, Receipt
from tillbridge.contract.promises import Connection as Far
from tillbridge.durable import jobs
from tillbridge.mapping.names import NameTables
from tillbridge.publishing.dispatch import Dispatcher, Report, Target
from tillbridge.publishing.room import owed_document
from tillbridge.triage.cases import list_cases

CLOCK = SystemClock()


class Brittle:
    """Fails on documents named `bad`, alone or in company, and whenever it has to read again."""

    name = "brittle"
    batch_max = 20

    def __init__(self) -> None:
        self.sent: list[str] = []

    def deliver(self, assignments: Sequence[Assignment], *_: Any) -> list[Receipt]:
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
        raise IndexError("an answer without a node")


def dispatched(connection: Connection, *owed: jobs.Owed) -> tuple[Report, Brittle]:
    connector = Brittle()
    jobs.enqueue(connection, owed, CLOCK.now())
    connection.commit()
    far = Far(name="erp", entity="us", channel="", currency="USD")
    target = Target(owed[0].dest, connector, far, {}, None)  # type: ignore[arg-type]
    report = Dispatcher(connection, target, NameTables(), CLOCK, SystemIds()).run_once()
    return report, connector


def document(dest: int, name: str) -> jobs.Owed:
    journal = JournalDocument(
        currency="USD", journal_date=date(2026, 1, 4), narration=name, lines=(), entries=1
    )
    command = SubmitDocument(key=name, id=f"{name}/1", kind="journal", entity="us", journal=journal)
    return owed_document(command, dest, CLOCK.now())


def test_one_bad_document_becomes_a_case_and_the_others_of_its_batch_go_through(
    connection: Connection,
) -> None:
    dest = jobs.make_dest(connection, "erp", jobs.Budget())
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


def test_a_failed_reading_again_becomes_a_case(connection: Connection) -> None:
    dest = jobs.make_dest(connection, "erp", jobs.Budget())
    asked = RereadObject(key="r", id="r/1", connection="erp", topic="reread/order", reference="5")
    owed = jobs.Owed(dest, "r", "r/1", "reread", "RereadObject", encode(asked), 0, date(2026, 1, 4))
    report, _ = dispatched(connection, owed)
    assert report.refused == 1
    (case,) = list_cases(connection)
    assert case.reason == "reread_refused"
    assert "IndexError" in case.words
