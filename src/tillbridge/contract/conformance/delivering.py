"""Checks of delivery against a live far side: one document per operation, whatever happens.

The far side (a simulator, a real ERP) is handed over by the tests as a `DeliveryTarget`. Faults are
put between connector and far side, at each call of a delivery in turn: an answer lost after the
call was applied, a refusal to serve (429, 503). Afterwards exactly one document may be there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, cast

from tillbridge.atoms.errors import RetryLater
from tillbridge.contract.conformance.samples import Suite
from tillbridge.contract.promises import (
    Assignment,
    Connection,
    Delivers,
    Directory,
    Receipt,
)
from tillbridge.contract.transport import Request, Response, Transport

CALLS_MAX = 10


class DeliveryTarget(Protocol):
    """A live far side. `tests/connectors/<name>/conformance_target.py` has a context manager
    `delivery_target()` that gives one.
    """

    @property
    def connection(self) -> Connection:
        """The connection to deliver through."""

    @property
    def secrets(self) -> Mapping[str, str]:
        """Its live secrets."""

    @property
    def directory(self) -> Directory:
        """Our names to the far side's."""

    @property
    def transport(self) -> Transport:
        """The way to the far side."""

    def assignments(self, count: int) -> Sequence[Assignment]:
        """Fresh operations, never used before, that the far side will accept."""

    def refused(self) -> Assignment:
        """A fresh operation that the far side refuses for good, with words."""

    def documents(self, operation: str) -> int:
        """How many documents the far side itself holds for an operation."""


class FaultyTransport:
    """Passes calls on, except for one: number `at` (from 0)."""

    def __init__(self, inner: Transport, at: int, fault: str) -> None:
        self._inner = inner
        self._at = at
        self._fault = fault
        self.count = 0

    def send(self, request: Request) -> Response:
        """The far side's answer, or the fault."""
        number, self.count = self.count, self.count + 1
        if number != self._at:
            return self._inner.send(request)
        if self._fault == "lost":
            self._inner.send(request)
            raise RetryLater("the answer was lost", unknown=True)
        return Response(status=int(self._fault), headers={"retry-after": "3"}, body=b"busy")


def delivers_once(suite: Suite, target: DeliveryTarget) -> list[str]:
    """Same operation twice: one document, the same remote id, with and without `unknown`."""
    problems = []
    (assignment,) = target.assignments(1)
    operation = assignment.document.id
    first = _deliver(suite, target, [assignment], target.transport)
    if first.outcome != "accepted" or not first.remote_id:
        return [f"a good document ended as {first}"]
    for unknown in (False, True):
        again = _deliver(
            suite,
            target,
            [Assignment(document=assignment.document, unknown=unknown, parties=assignment.parties)],
            target.transport,
        )
        if (again.outcome, again.remote_id) != ("accepted", first.remote_id):
            problems.append(f"delivered again (unknown={unknown}) it ended as {again}")
    count = target.documents(operation)
    if count != 1:
        problems.append(f"{count} documents for one operation delivered three times")
    return problems


def delivers_batches(suite: Suite, target: DeliveryTarget) -> list[str]:
    """A batch answers in order, one receipt each; a refused document does not sink the others."""
    connector = cast("Delivers", suite.connector)
    good = list(target.assignments(3))
    batch = [good[0], target.refused(), *good[1:]]
    size = max(1, connector.batch_max)
    receipts: list[Receipt] = []
    for start in range(0, len(batch), size):
        receipts += connector.deliver(
            batch[start : start + size],
            target.connection,
            target.secrets,
            target.directory,
            target.transport,
        )
    problems = []
    if [receipt.operation for receipt in receipts] != [one.document.id for one in batch]:
        problems.append("receipts are not one per assignment in order")
    outcomes = [receipt.outcome for receipt in receipts]
    if outcomes != ["accepted", "refused", "accepted", "accepted"]:
        problems.append(f"outcomes {outcomes}, expected accepted, refused, accepted, accepted")
    refused = [receipt for receipt in receipts if receipt.outcome == "refused"]
    if any(len(receipt.words) < 8 for receipt in refused):
        problems.append("a refusal without words")
    for assignment in good:
        count = target.documents(assignment.document.id)
        if count != 1:
            problems.append(f"{count} documents for {assignment.document.id}")
    return problems


def survives_a_fault_at_every_call(suite: Suite, target: DeliveryTarget) -> list[str]:
    """An answer lost, 429 or 503 at any call of a delivery: afterwards one document, never two."""
    problems = []
    for fault in ("lost", "429", "503"):
        for at in range(CALLS_MAX):
            (assignment,) = target.assignments(1)
            faulty = FaultyTransport(target.transport, at, fault)
            first = _deliver(suite, target, [assignment], faulty)
            if faulty.count <= at:
                break
            place = f"{fault} at call {at + 1}"
            there = target.documents(assignment.document.id)
            if there and first.outcome not in ("unknown", "accepted"):
                problems.append(f"{place}: the document is there, the receipt says {first.outcome}")
            if first.outcome == "refused":
                problems.append(f"{place}: ended as refused: {first.words}")
            again = _deliver(
                suite,
                target,
                [
                    Assignment(
                        document=assignment.document,
                        unknown=first.outcome == "unknown",
                        parties=assignment.parties,
                    )
                ],
                target.transport,
            )
            count = target.documents(assignment.document.id)
            if again.outcome != "accepted" or count != 1:
                problems.append(f"{place}: then {again.outcome} ({again.words}), {count} documents")
    return problems


def _deliver(
    suite: Suite, target: DeliveryTarget, assignments: Sequence[Assignment], transport: Transport
) -> Receipt:
    """The one receipt; RetryLater becomes a receipt `retry` or `unknown`."""
    connector = cast("Delivers", suite.connector)
    operation = assignments[0].document.id
    try:
        (receipt,) = connector.deliver(
            assignments, target.connection, target.secrets, target.directory, transport
        )
    except RetryLater as later:
        outcome = "unknown" if later.unknown else "retry"
        return Receipt(operation=operation, outcome=outcome, words=later.words)
    return receipt
