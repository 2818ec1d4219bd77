"""From assignments to drafts and from endings to receipts, the same for every kind of record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tillbridge.atoms.errors import Refused
from tillbridge.connectors.tryton.sending import Draft, Ending, Problem
from tillbridge.contract.promises import Assignment, Receipt


def bodies(assignments: Sequence[Assignment], kind: type[Any]) -> dict[str, Any]:
    """Bodies of one type by operation."""
    return {
        assignment.document.id: assignment.document.body
        for assignment in assignments
        if isinstance(assignment.document.body, kind)
    }


def channel_of(documents: Iterable[Any]) -> str:
    """The channel that all of them are of."""
    found: str = next(document.channel for document in documents)
    return found


def drafted(
    documents: Mapping[str, Any], draft: Callable[[str, Any], Draft]
) -> tuple[list[Draft], dict[str, Ending]]:
    """Drafts of the documents that make sense; the others end refused with their reason."""
    drafts: list[Draft] = []
    endings: dict[str, Ending] = {}
    for operation, document in documents.items():
        try:
            drafts.append(draft(operation, document))
        except Refused as refusal:
            endings[operation] = problem_of(refusal)
    return drafts, endings


def problem_of(refusal: Refused) -> Problem:
    """Refused for good, unless it only waits for another document."""
    if refusal.code == "retry":
        return Problem("retry", refusal.words, 60.0)
    return Problem("refused", refusal.words)


def receipt_of(
    assignment: Assignment,
    endings: Mapping[str, Ending],
    booked: Mapping[int, int] | None = None,
    *,
    move_kind: bool = False,
) -> Receipt:
    """The receipt of an assignment; booked: per ledger move, what it put on the buyer's account."""
    operation = assignment.document.id
    ending = endings[operation]
    if isinstance(ending, Problem):
        return Receipt(
            operation=operation,
            outcome=ending.outcome,
            words=ending.words,
            after_seconds=ending.after_seconds,
        )
    move = ending.move or (ending.id if move_kind else 0)
    total = (booked or {}).get(ending.move)
    return Receipt(
        operation=operation,
        outcome="accepted",
        remote_id=str(ending.id),
        number=ending.number,
        move=str(move) if move else "",
        move_total=abs(total) if total is not None else None,
    )
