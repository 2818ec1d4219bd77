"""Brings a batch of rows into Tryton exactly once: look up, create, check the total, finish.

One refused row never sinks the others: a batch that is refused is halved until the culprit stands
alone. Every look-up is by operation id, so the same code serves the first attempt and the tenth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.connectors.tryton.client import TrytonClient
from tillbridge.connectors.tryton.kinds import Found, Kind

T = TypeVar("T", "Draft", Found)


class Draft(msgspec.Struct, frozen=True):
    """A row to create for an operation; total: what Tryton must make of it, None = not checked."""

    operation: str
    row: Mapping[str, Any]
    total: Decimal | None = None


class Problem(msgspec.Struct, frozen=True):
    """Why an operation did not end well: `refused`, `retry` (not applied) or `unknown`."""

    outcome: str
    words: str
    after_seconds: float | None = None


Ending = Found | Problem


class Sender:
    """Sends rows of one kind in one company."""

    def __init__(self, client: TrytonClient, company: int, kind: Kind) -> None:
        self._client = client
        self._company = company
        self._kind = kind
        self._problems: dict[str, Problem] = {}

    def send(self, drafts: Sequence[Draft]) -> dict[str, Ending]:
        """An ending per operation. RetryLater with unknown=True once something may be written;
        sending the same again is always safe.
        """
        if not drafts:
            return {}
        wanted = {draft.operation: draft for draft in drafts}
        present = self._present(list(wanted))
        try:
            return self._bring(wanted, present)
        except RetryLater as later:
            raise RetryLater(later.words, after_seconds=later.after_seconds, unknown=True) from None

    def _bring(self, wanted: Mapping[str, Draft], present: dict[str, Found]) -> dict[str, Ending]:
        """Create what is missing, check what stands there, finish it."""
        missing = [draft for draft in wanted.values() if draft.operation not in present]
        if missing:
            self._in_halves(missing, self._create)
            present |= self._created(missing)
        right = {
            operation: found
            for operation, found in present.items()
            if self._is_right(wanted[operation], found)
        }
        unfinished = [found for found in right.values() if found.state not in self._kind.done]
        if unfinished:
            self._in_halves(unfinished, self._finish, written=True)
            right |= self._finished(unfinished)
        return {operation: self._ending(operation, right) for operation in wanted}

    def _create(self, drafts: Sequence[Draft]) -> None:
        rows = [draft.row for draft in drafts]
        self._client.create(self._kind.model, rows, company=self._company)

    def _finish(self, found: Sequence[Found]) -> None:
        self._kind.finish(self._client, self._company, [one.id for one in found])

    def _present(self, operations: Sequence[str]) -> dict[str, Found]:
        """The one record per operation; spare drafts of a lost attempt are deleted."""
        chosen: dict[str, Found] = {}
        spare: list[int] = []
        for found in self._kind.find(self._client, self._company, operations):
            kept = chosen.get(found.operation)
            if kept is None:
                chosen[found.operation] = found
            elif found.state == self._kind.draft:
                spare.append(found.id)
            elif kept.state == self._kind.draft:
                spare.append(kept.id)
                chosen[found.operation] = found
            elif found.state not in self._kind.dead:
                words = f"Tryton holds it twice: {kept.number} and {found.number}"
                self._problems[found.operation] = Problem("refused", words)
        if spare:
            self._delete(spare)
        return chosen

    def _created(self, missing: Sequence[Draft]) -> dict[str, Found]:
        """What stands there after creating; a record another attempt made is adopted."""
        try:
            present = self._present([draft.operation for draft in missing])
        except RetryLater as later:
            for draft in missing:
                self._problems.setdefault(draft.operation, _later(later, unknown=True))
            return {}
        for operation in present:
            if self._problems.get(operation, _FINE).outcome != "unknown":
                self._problems.pop(operation, None)
        return present

    def _finished(self, unfinished: Sequence[Found]) -> dict[str, Found]:
        """How they stand now; one that ended well in spite of a lost answer has no problem."""
        try:
            present = self._present([found.operation for found in unfinished])
        except RetryLater as later:
            for found in unfinished:
                self._problems[found.operation] = _later(later, unknown=True)
            return {}
        for operation, found in present.items():
            problem = self._problems.get(operation, _FINE)
            if found.state in self._kind.done and problem.outcome != "refused":
                self._problems.pop(operation, None)
        return present

    def _is_right(self, draft: Draft, found: Found) -> bool:
        """Whether Tryton makes the hub's total of it; a wrong draft is deleted, both are told."""
        if found.state in self._kind.dead:
            words = f"{found.number or 'the record'} was cancelled in Tryton"
            self._problems[draft.operation] = Problem("refused", words)
            return False
        if draft.total is None or found.total is None or draft.total == found.total:
            return draft.operation not in self._problems
        words = f"Tryton makes {found.total} of it, the document says {draft.total}"
        if found.state == self._kind.draft:
            self._delete([found.id])
        self._problems[draft.operation] = Problem("refused", words)
        return False

    def _delete(self, ids: Sequence[int]) -> None:
        self._client.press(self._kind.model, "delete", ids, company=self._company)

    def _in_halves(
        self, items: Sequence[T], act: Callable[[Sequence[T]], None], *, written: bool = False
    ) -> None:
        """Act on all; when Tryton refuses, on each half, down to the one it refuses.

        written: the records stand there already, so a call that fails leaves them half done.
        """
        try:
            act(items)
        except RetryLater as later:
            for item in items:
                self._problems[item.operation] = _later(later, unknown=written)
        except Refused as refusal:
            if len(items) == 1:
                self._problems[items[0].operation] = Problem("refused", refusal.words)
                return
            middle = len(items) // 2
            self._in_halves(items[:middle], act, written=written)
            self._in_halves(items[middle:], act, written=written)

    def _ending(self, operation: str, present: Mapping[str, Found]) -> Ending:
        problem = self._problems.get(operation)
        if problem:
            return problem
        found = present.get(operation)
        if found is None:
            return Problem("unknown", "Tryton does not show it after it was created")
        if found.state not in self._kind.done:
            return Problem("unknown", f"{found.number or 'it'} is still {found.state} there", 1.0)
        return found


_FINE = Problem("", "")


def _later(later: RetryLater, *, unknown: bool = False) -> Problem:
    outcome = "unknown" if unknown or later.unknown else "retry"
    return Problem(outcome, later.words, later.after_seconds)
