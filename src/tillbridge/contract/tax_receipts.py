"""Tax documents brought to a tax service one by one: what it says becomes a receipt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tillbridge.atoms.errors import NeedsDecision, Refused, RetryLater
from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.canonical.taxes import ADJUST, CALCULATE, COMMIT, RECORD, VOID, TaxDocument
from tillbridge.contract.promises import Assignment, Receipt
from tillbridge.contract.taxes import TaxAnswer, TaxService


def settle(service: TaxService, assignments: Sequence[Assignment]) -> list[Receipt]:
    """One receipt per assignment, in order. Raises RetryLater when the service is away before
    anything is known of any of them; never for a single document.
    """
    receipts: list[Receipt] = []
    for assignment in assignments:
        try:
            receipts.append(_settled(service, assignment))
        except RetryLater as later:
            if not receipts:
                raise
            receipts.append(
                Receipt(
                    operation=assignment.document.id,
                    outcome="unknown" if later.unknown else "retry",
                    words=later.words,
                    after_seconds=later.after_seconds,
                )
            )
    return receipts


def _settled(service: TaxService, assignment: Assignment) -> Receipt:
    command = assignment.document
    steps: Mapping[str, Callable[[TaxDocument, Mapping[str, PartyDetails]], TaxAnswer]] = {
        CALCULATE: service.calculate,
        RECORD: service.record,
        COMMIT: service.commit,
        ADJUST: service.adjust,
        VOID: service.void,
    }
    step = steps.get(command.kind)
    if step is None or command.tax is None:
        words = f"a tax service takes no {command.kind}"
        return Receipt(operation=command.id, outcome="refused", words=words)
    try:
        answer = step(command.tax, assignment.parties)
    except (Refused, NeedsDecision) as problem:
        remedy = getattr(problem, "remedy", "")
        return Receipt(operation=command.id, outcome="refused", words=problem.words, remedy=remedy)
    return Receipt(
        operation=command.id,
        outcome="accepted",
        remote_id=answer.remote_id or command.id,
        number=answer.number,
        taxes=answer.lines,
    )
