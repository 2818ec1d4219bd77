"""What a tax service says becomes one receipt per document, whatever it says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pytest

from tillbridge.atoms.errors import NeedsDecision, Refused, RetryLater
from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.canonical.documents import SubmitDocument
from tillbridge.canonical.orders import TaxLine
from tillbridge.canonical.taxes import CALCULATE, VOID, LineTaxes, TaxDocument, TaxItem
from tillbridge.contract.promises import Assignment
from tillbridge.contract.tax_receipts import settle
from tillbridge.contract.taxes import TaxAnswer

LINES = (LineTaxes("1", (TaxLine("us-ny", "us-ny", 80),)),)


class Scripted:
    """A service that does as it is told."""

    def __init__(self, *script: Exception | TaxAnswer) -> None:
        self._script = list(script)
        self.asked: list[str] = []

    def calculate(self, document: TaxDocument, parties: Mapping[str, PartyDetails]) -> TaxAnswer:
        """The next of the script."""
        del parties
        self.asked.append(document.code)
        told = self._script.pop(0)
        if isinstance(told, Exception):
            raise told
        return told

    record = commit = adjust = void = calculate


def assignment(number: int, kind: str = CALCULATE) -> Assignment:
    item = TaxItem(line="1", kind="goods", product="P1", quantity=1000, amount=1000)
    code = f"tax/order/web/{number}/order"
    document = TaxDocument(
        code=code,
        number=f"#{number}",
        channel="web",
        currency="USD",
        direction="sale",
        document_date=date(2026, 3, 2),
        tax_date=date(2026, 3, 2),
        items=(item,),
    )
    command = SubmitDocument(key=code, id=f"{code}/1", kind=kind, entity="us", tax=document)
    return Assignment(document=command)


def test_an_answer_is_accepted_with_its_taxes_and_an_id_of_its_own_or_ours() -> None:
    service = Scripted(TaxAnswer(lines=LINES, remote_id="77", number="T-1"), TaxAnswer())
    first, second = settle(service, [assignment(1), assignment(2, VOID)])
    assert (first.outcome, first.remote_id, first.number, first.taxes) == (
        "accepted",
        "77",
        "T-1",
        LINES,
    )
    assert (second.outcome, second.remote_id) == ("accepted", second.operation)


def test_a_refusal_keeps_its_words_and_the_command_that_mends_it() -> None:
    unnamed = NeedsDecision("mapping_missing", "tax 'X' has no name", remedy="tillbridge xref set")
    first, second = settle(Scripted(unnamed, Refused("no")), [assignment(1), assignment(2)])
    assert (first.outcome, first.words, first.remedy) == (
        "refused",
        "tax 'X' has no name",
        "tillbridge xref set",
    )
    assert (second.outcome, second.words, second.remedy) == ("refused", "no", "")


def test_a_service_that_is_away_is_told_as_a_whole_only_before_anything_is_known() -> None:
    with pytest.raises(RetryLater):
        settle(Scripted(RetryLater("away")), [assignment(1)])
    lost = RetryLater("lost", unknown=True)
    first, second, third = settle(
        Scripted(TaxAnswer(lines=LINES), lost, RetryLater("busy", after_seconds=3.0)),
        [assignment(1), assignment(2), assignment(3)],
    )
    outcomes = (first.outcome, second.outcome, third.outcome, third.after_seconds)
    assert outcomes == ("accepted", "unknown", "retry", 3.0)


def test_what_is_no_tax_document_is_refused_and_never_asked() -> None:
    service = Scripted()
    (receipt,) = settle(service, [assignment(1, "invoice")])
    assert (receipt.outcome, service.asked) == ("refused", [])
