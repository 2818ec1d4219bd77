"""Carries the steps of a replay through the real rooms, batch by batch, over an empty database.

What the rooms emit is compared with what the log says they emitted, and never goes on itself: what
goes on is what the log says. So one difference stays one difference. Translating reads the raw
bodies from the live database and writes nothing; the personal data of the vault is no state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from tillbridge.app.flow import MAPPING, ROOMS
from tillbridge.app.replay.findings import OTHER_TRANSLATOR, REASONS, RULES_CHANGED, Findings
from tillbridge.app.replay.reader import QUERIES, Step, Told
from tillbridge.atoms.clock import Clock
from tillbridge.canonical.documents import DocumentAccepted, DocumentRefused
from tillbridge.canonical.markers import (
    AvailabilityRulesChanged,
    DocumentGivenUp,
    DocumentRetried,
    JournalSummed,
    NameGiven,
    NamesChanged,
    PeriodAdmitted,
    PeriodChanged,
)
from tillbridge.canonical.registry import Body, encode
from tillbridge.canonical.valued import EntryPosted
from tillbridge.durable import jobs
from tillbridge.durable.rooms import Connection, Outcome, Room
from tillbridge.mapping.names import NameTables
from tillbridge.publishing.room import owed_document

Emission = tuple[int, str, bytes]  # root, type, body


class NamesThen(NameTables):
    """The cross-references as they were at a place of the log."""

    def refresh(self, connection: Connection) -> None:
        """They come out of the log."""

    def hold(self, connection: Connection) -> None:
        """Nobody else changes them."""

    def give(self, names: Iterable[NameGiven]) -> None:
        """From here on they read so."""
        for name in names:
            own = self._tables.setdefault(name.connection, {})
            own[(name.table, name.theirs)] = name.ours


class Carrier:
    """The rooms over the scratch database, and what they emitted that the log has yet to show."""

    def __init__(
        self,
        live: Connection,
        scratch: Connection,
        rooms: Mapping[str, Room],
        names: NamesThen,
        clock: Clock,
        findings: Findings,
    ) -> None:
        self._live = live
        self._scratch = scratch
        self._rooms = rooms
        self._names = names
        self._clock = clock
        self._findings = findings
        self._dests = jobs.dests(scratch)
        self._steps: list[Step] = []
        self._expected: list[Told] = []
        self._answers: list[tuple[str, str, str, str, str, str, int | None]] = []
        self._open: dict[Emission, int] = {}
        self._missing: dict[tuple[int, str], list[bytes]] = {}
        self.visits = 0

    # -- what comes -----------------------------------------------------------------------------

    def add(self, steps: Iterable[Step]) -> None:
        """Steps to be carried with the next batch."""
        self._steps += steps

    def expect(self, told: Told) -> None:
        """A row of the log: what set it off has to emit it; an answer of an ERP has its effect."""
        if told.record.cause is not None:
            self._expected.append(told)
        body = told.record.body
        if isinstance(body, DocumentAccepted):
            answer = (body.remote_id, body.number, body.move, body.move_total)
            self._answers.append((body.destination, body.operation, "accepted", *answer))
        elif isinstance(body, DocumentRefused):
            self._answers.append((body.destination, body.operation, "refused", "", "", "", None))

    def marked(self, body: Body) -> None:
        """An effect that a marker tells by itself; what came before it is carried first."""
        if isinstance(body, NamesChanged):
            self.carry()
            self._names.give(body.names)
            rows = [(n.connection, n.table, n.theirs, n.ours) for n in body.names]
            columns = [list(column) for column in zip(*rows, strict=True)]
            self._scratch.execute(QUERIES.give_names, columns)
        elif isinstance(body, PeriodChanged):
            self.carry()
            values = (body.entity, body.period, body.state)
            self._scratch.execute(QUERIES.set_period, values)
            self._scratch.execute(QUERIES.end_admissions, values[:2])
        elif isinstance(body, PeriodAdmitted):
            self.carry()
            self._scratch.execute(QUERIES.admit, (body.entity, body.period, body.admitted))
        elif isinstance(body, AvailabilityRulesChanged):
            self.carry()
            self._scratch.execute(QUERIES.set_availability_rules, (body.hash, body.text))
        elif isinstance(body, JournalSummed):
            self.carry()
            self._summed(body)
        elif isinstance(body, DocumentRetried | DocumentGivenUp):
            self.carry()
            state = "owed" if isinstance(body, DocumentRetried) else "dropped"
            self._scratch.execute(QUERIES.reopen, ([body.destination], [body.id], [state]))

    def _summed(self, body: JournalSummed) -> None:
        self._scratch.execute(QUERIES.sum_journal, (list(body.entries), body.id))
        if body.document is None:
            return
        dest = self._dests.get(body.destination)
        if dest is None:
            self._findings.add(REASONS["erp_missing"], f"journal {body.id} to {body.destination}")
            return
        now = self._clock.now()
        jobs.enqueue(self._scratch, [owed_document(body.document, dest, now)], now)

    # -- one batch ------------------------------------------------------------------------------

    def carry(self) -> None:
        """Take the batch through its rooms, write the effects, compare, commit."""
        now = self._clock.now()
        for name in ROOMS:
            steps = [step for step in self._steps if _goes_to(step, name)]
            if not steps:
                continue
            connection = self._live if name == MAPPING else self._scratch
            session = self._rooms[name].open(connection, now)
            outcomes = session.take([step.record for step in steps])
            for step, outcome in zip(steps, outcomes, strict=True):
                self._settle(name, step, outcome)
            if name != MAPPING:
                session.flush()
            self.visits += len(steps)
        if self._answers:
            columns = [list(column) for column in zip(*_last(self._answers), strict=True)]
            self._scratch.execute(QUERIES.answer, columns)
        self._scratch.commit()
        for told in self._expected:
            self._compare(told)
        self._steps, self._expected, self._answers = [], [], []

    def _settle(self, room: str, step: Step, outcome: Outcome) -> None:
        if outcome.decision is not None or outcome.follows:
            step.stopped.add(room)
            decision = outcome.decision
            if decision is not None:
                words = REASONS.get(
                    decision.reason, f"{room} asks for a decision now ({decision.reason})"
                )
                self._findings.add(words, f"{step.record.key}: {decision.words}")
                if decision.reason == "body_gone":
                    self._missing[(step.root, "")] = []
            return
        if outcome.halt:
            step.stopped.add(room)
        for body in outcome.emits:
            emission = (step.root, type(body).__name__, encode(body))
            self._open[emission] = self._open.get(emission, 0) + 1

    def _compare(self, told: Told) -> None:
        record = told.record
        emission = (record.cause or 0, record.type, record.stored_body())
        count = self._open.get(emission, 0)
        if count > 1:
            self._open[emission] = count - 1
        elif count:
            del self._open[emission]
        elif (emission[0], "") not in self._missing:
            self._missing.setdefault(emission[:2], []).append(emission[2])

    # -- at the end -----------------------------------------------------------------------------

    def differences(self, rule_gone: Callable[[str], bool]) -> None:
        """Tell what the rooms emitted that the log does not hold, and the other way round.

        rule_gone: whether the rule that made an entry is no longer in the book.
        """
        for (root, name, body), count in self._open.items():
            logged = self._missing.get((root, name), [])
            for _ in range(count):
                place = f"record {root}: {name} {_id(body)}"
                if logged:
                    self._findings.add(
                        _differ(name, body, _closest(logged, body), rule_gone), place
                    )
                else:
                    self._findings.add(f"{name} follows now and did not then", place)
        for (root, name), bodies in self._missing.items():
            for body in bodies:
                place = f"record {root}: {name} {_id(body)}"
                self._findings.add(f"{name} followed then and does not now", place)


def _goes_to(step: Step, room: str) -> bool:
    return any(r.room == room and r.after not in step.stopped for r in step.routes)


def _last(
    answers: Sequence[tuple[str, str, str, str, str, str, int | None]],
) -> list[tuple[str, str, str, str, str, str, int | None]]:
    """The last answer of each document."""
    return list({(answer[0], answer[1]): answer for answer in answers}.values())


def _closest(logged: list[bytes], body: bytes) -> bytes:
    """Take the logged body with the same id, else the first."""
    wanted = _id(body)
    for place, one in enumerate(logged):
        if _id(one) == wanted:
            return logged.pop(place)
    return logged.pop(0)


class _Named(msgspec.Struct):
    id: str = ""


def _id(body: bytes) -> str:
    return msgspec.json.decode(body, type=_Named).id


def _differ(name: str, now: bytes, then: bytes, rule_gone: Callable[[str], bool]) -> str:
    """In words how a record reads otherwise than the log has it."""
    new, old = msgspec.json.decode(now), msgspec.json.decode(then)
    fields = {field for field in new.keys() | old.keys() if new.get(field) != old.get(field)}
    if fields == {"mapping"}:
        return OTHER_TRANSLATOR
    if name == EntryPosted.__name__ and rule_gone(str(old.get("entry", ""))):
        return RULES_CHANGED
    return f"{name} reads otherwise: {', '.join(sorted(fields))}"
