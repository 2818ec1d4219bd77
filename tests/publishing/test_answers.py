"""What an answer of the ERP becomes."""

from __future__ import annotations

from datetime import UTC, date, datetime

from tests.publishing.twin import START, document
from tillbridge.canonical.documents import (
    DocumentAccepted,
    DocumentRefused,
    JournalDocument,
    SubmitDocument,
)
from tillbridge.canonical.registry import encode
from tillbridge.contract.promises import Receipt
from tillbridge.durable.jobs import Claimed
from tillbridge.publishing.answers import answer_of, case_of, command_of, day_of, fact_of

COMMAND = document("order/web/1/sales_order")
CLAIMED = Claimed(
    key=COMMAND.key,
    token=1,
    attempts=3,
    unknown=False,
    id=1,
    op=COMMAND.id,
    type="SubmitDocument",
    trace=b"00-trace",
    body=encode(COMMAND),
)


def test_an_acceptance_is_told_under_the_key_that_asked_with_number_and_move() -> None:
    receipt = Receipt(
        operation=COMMAND.id,
        outcome="accepted",
        remote_id="77",
        number="SO-77",
        move="M-1",
        move_total=100,
    )
    record = fact_of(CLAIMED, command_of(CLAIMED), receipt, "erp", START)
    assert isinstance(record.body, DocumentAccepted)
    assert (record.key, record.trace) == (COMMAND.key, b"00-trace")
    assert (record.body.number, record.body.move, record.body.move_total) == ("SO-77", "M-1", 100)
    assert record.body.business_date == date(2026, 3, 2)
    assert answer_of(receipt).remote_id == "77"


def test_each_refusal_is_a_fact_and_a_case_in_the_other_sides_words() -> None:
    receipt = Receipt(operation=COMMAND.id, outcome="refused", words="closed period")
    record = fact_of(CLAIMED, COMMAND, receipt, "erp", START)
    assert isinstance(record.body, DocumentRefused)
    assert record.body.id == f"{COMMAND.id}/refused/3"
    case = case_of(COMMAND, receipt, "erp")
    assert case.decision.words == f"erp refused sales_order {COMMAND.id}: closed period"
    assert (case.decision.owner, case.decision.amount) == ("integration", 100)
    other = case_of(document("order/web/1/invoice"), receipt, "erp")
    assert other.fingerprint != case.fingerprint


def test_a_journal_belongs_to_finance_and_has_a_day_of_its_own() -> None:
    body = JournalDocument(currency="USD", journal_date=date(2026, 3, 1), narration="", lines=())
    command = SubmitDocument(key="k", id="k/1", kind="journal", entity="us", journal=body)
    case = case_of(command, Receipt(operation="k/1", outcome="refused", words="no"), "erp")
    assert case.decision.owner == "finance"
    assert day_of(command, datetime(2026, 3, 9, tzinfo=UTC)) == date(2026, 3, 1)
