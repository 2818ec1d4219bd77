"""The dispatcher: takes owed jobs of one destination, calls its connector, books the answers.

Lease first, call outside any transaction, then one transaction for all answers, fenced by token.
A destination that fails as a whole opens its breaker and touches no single job; an unknown outcome
is looked up before it is sent again; a refusal is a case with the other side's words, and later
documents of the same key wait behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
import psycopg
import structlog

from tillbridge.atoms.clock import Clock
from tillbridge.atoms.errors import NeedsDecision, Refused, RetryLater
from tillbridge.atoms.ids import Ids, lane_of
from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.canonical.documents import SubmitDocument
from tillbridge.canonical.intake import RereadObject
from tillbridge.canonical.registry import decode
from tillbridge.contract.promises import (
    Assignment,
    Delivers,
    Item,
    Receipt,
    Rereads,
    Taxes,
)
from tillbridge.contract.promises import Connection as Far
from tillbridge.contract.tax_receipts import settle
from tillbridge.contract.transport import Transport
from tillbridge.durable import accounts, jobs, log, messages, parking
from tillbridge.durable.crash_points import reach
from tillbridge.durable.rooms import Connection, Record
from tillbridge.durable.windows import Windows
from tillbridge.publishing.answers import answer_of, case_of, command_of, fact_of, told_by
from tillbridge.publishing.room import QUERIES

BACKOFF_SECONDS_MAX = 300.0
# a single document that was put off so often needs a person; outages never count here
ATTEMPTS_MAX = 25
_PARTY = msgspec.json.Decoder(PartyDetails)
_log = structlog.get_logger("dispatch")


class Names(Protocol):
    """Cross-references both ways, brought up to date per run."""

    def refresh(self, connection: Connection) -> None:
        """Reload when they changed."""

    def theirs(self, name: str, table: str, ours: str) -> str | None:
        """What a connection calls a thing of ours."""

    def ours(self, name: str, table: str, theirs: str) -> str | None:
        """What we call a thing of a connection."""


class Target(msgspec.Struct, frozen=True):
    """A destination: its id, connector, configured connection, secrets and transport.

    settle_seconds: how long a call may still be at work over there after it was cut off; what may
    have been applied is not looked up before. windows: when its ledger takes anything, None = at
    any hour.
    """

    dest: int
    connector: object
    far: Far
    secrets: Mapping[str, str]
    transport: Transport
    settle_seconds: float = 0.0
    windows: Windows | None = None

    def opening(self, now: datetime) -> datetime | None:
        """When its ledger takes something again, None = now."""
        return self.windows.opening(now) if self.windows else None


class Report(msgspec.Struct):
    """What one run did."""

    claimed: int = 0
    accepted: int = 0
    refused: int = 0
    postponed: int = 0
    away: str = ""


class _Directory:
    """Our names to theirs for one connection."""

    def __init__(self, names: Names, connection: str) -> None:
        self._names = names
        self._connection = connection

    def theirs(self, table: str, ours: str) -> str | None:
        """See Directory."""
        return self._names.theirs(self._connection, table, ours)

    def ours(self, table: str, theirs: str) -> str | None:
        """See TaxDirectory."""
        return self._names.ours(self._connection, table, theirs)


class Dispatcher:
    """Runs one destination on one connection. Not shared between threads."""

    def __init__(
        self,
        connection: Connection,
        target: Target,
        names: Names,
        clock: Clock,
        ids: Ids,
        leases: accounts.Leases | None = None,
        claimed: Callable[[], None] | None = None,
    ) -> None:
        """leases: those of the process, which somebody renews. claimed: called whenever there was
        something to deliver, before the call: there may be more for others.
        """
        self._claimed = claimed
        self._connection = connection
        self._target = target
        self._leases = leases or accounts.Leases()
        self._transport: Transport = target.transport
        self._names = names
        self._clock = clock
        self._ids = ids
        self._batch = getattr(target.connector, "batch_max", 1)

    def run_once(self) -> Report:
        """Claim a batch, deliver it, book the answers. report.claimed == 0: nothing was due."""
        connection, dest, now = self._connection, self._target.dest, self._clock.now()
        accounts.sweep(connection, now)
        connection.commit()
        claimed = jobs.claim(connection, dest, self._batch, now, self._target.opening(now))
        report = Report(claimed=len(claimed))
        if not claimed:
            return report
        if self._claimed is not None:
            self._claimed()
        reach("dispatch.claimed")
        slot = claimed[0].slot
        keys = [(dest, one.key, one.token) for one in claimed]
        self._transport = accounts.PacedTransport(
            connection, self._target.transport, slot, self._clock
        )
        self._leases.hold(accounts.Lease(slot, now, keys))
        try:
            self._call(claimed, report)
        finally:
            self._leases.let_go(slot)
        accounts.end_call(connection, slot)
        return report

    def _call(self, claimed: Sequence[jobs.Claimed], report: Report) -> None:
        """Everything that goes out with one claim, one call after the other."""
        documents = [one for one in claimed if one.type == "SubmitDocument"]
        if documents:
            self._deliver(documents, report)
        for one in claimed:
            if one.type == "RereadObject":
                self._reread(one, report)

    # -- documents ----------------------------------------------------------------------------

    def _deliver(self, claimed: Sequence[jobs.Claimed], report: Report) -> None:
        target = self._target
        commands = [command_of(one) for one in claimed]
        self._names.refresh(self._connection)
        parties = self._parties(commands)
        self._connection.rollback()
        if not isinstance(target.connector, (Delivers, Taxes)):
            self._away(claimed, RetryLater(f"{target.far.name} takes no documents"), report)
            return
        assignments = [
            Assignment(document=command, unknown=one.unknown, parties=parties)
            for one, command in zip(claimed, commands, strict=True)
        ]
        reach("dispatch.before_call")
        try:
            receipts = self._receipts(target.connector, assignments)
        except accounts.LeaseLost:
            _log.warning("lease_lost", name=target.far.name, documents=len(claimed))
            return
        except RetryLater as away:
            self._away(claimed, away, report)
            return
        except (Refused, NeedsDecision) as problem:
            receipts = [
                Receipt(operation=c.id, outcome="refused", words=problem.words) for c in commands
            ]
        except psycopg.Error:  # the way out asks the store; no document is to blame
            raise
        except Exception as problem:  # noqa: BLE001 - one bad document must not hold up the others
            _log.exception("connector_defect", name=target.far.name)
            if len(claimed) > 1:
                for one in claimed:
                    self._deliver([msgspec.structs.replace(one, unknown=True)], report)
                return
            words = f"the connector failed: {type(problem).__name__}: {problem}"[:500]
            receipts = [Receipt(operation=commands[0].id, outcome="refused", words=words)]
        self._book(claimed, commands, receipts, report)

    def _receipts(
        self, connector: Delivers | Taxes, assignments: Sequence[Assignment]
    ) -> list[Receipt]:
        """The call itself."""
        target = self._target
        directory = _Directory(self._names, target.far.name)
        way = (target.far, target.secrets, directory, self._transport)
        if isinstance(connector, Delivers):
            return connector.deliver(assignments, *way)
        return settle(connector.tax_service(*way), assignments)

    def _parties(self, commands: Sequence[SubmitDocument]) -> dict[str, PartyDetails]:
        wanted = {getattr(command.body, "party", "") for command in commands} - {""}
        if not wanted:
            return {}
        rows = self._connection.execute(QUERIES.parties, (sorted(wanted),)).fetchall()
        return {party: _PARTY.decode(details) for party, details in rows if details is not None}

    def _away(self, claimed: Sequence[jobs.Claimed], away: RetryLater, report: Report) -> None:
        """The destination failed as a whole: open the breaker, give the leases back untouched."""
        now = self._clock.now()
        failed = accounts.failures(self._connection, self._target.dest)
        seconds = self._backoff(failed, away.after_seconds)
        settled = self._target.settle_seconds if away.unknown else 0.0
        due = now + timedelta(seconds=settled)
        jobs.postpone(
            self._connection,
            self._target.dest,
            [jobs.Postponed(one, due, unknown=away.unknown, free=True) for one in claimed],
        )
        failures = accounts.breaker_open(
            self._connection, self._target.dest, now + timedelta(seconds=seconds), now
        )
        self._connection.commit()
        report.away, report.postponed = away.words, len(claimed)
        _log.warning(
            "destination_away",
            name=self._target.far.name,
            why=away.words,
            failures=failures,
            seconds=round(seconds, 1),
        )

    def _backoff(self, failures: int, wished: float | None) -> float:
        """Seconds to wait: the other side's wish, else doubling with jitter, 5 minutes at most."""
        if wished is not None:
            return min(max(wished, 0.05), accounts.WISH_MOST_SECONDS)
        base = min(0.5 * 2.0 ** min(failures, 10), BACKOFF_SECONDS_MAX)
        return base * (0.5 + self._ids.jitter() / 2)

    def _book(
        self,
        claimed: Sequence[jobs.Claimed],
        commands: Sequence[SubmitDocument],
        receipts: Sequence[Receipt],
        report: Report,
    ) -> None:
        """One transaction for all answers: documents, keys, cases, facts."""
        reach("dispatch.answered")
        now = self._clock.now()
        done: list[tuple[jobs.Claimed, jobs.Answer]] = []
        later: list[jobs.Postponed] = []
        told: dict[str, tuple[SubmitDocument, Receipt]] = {}
        for one, command, receipt in zip(claimed, commands, receipts, strict=True):
            if receipt.outcome in ("accepted", "refused"):
                done.append((one, answer_of(receipt)))
                told[one.op] = (command, receipt)
            elif receipt.outcome == "retry" and one.attempts >= ATTEMPTS_MAX:
                done.append((one, answer_of(_given_up(receipt, one.attempts))))
                told[one.op] = (command, _given_up(receipt, one.attempts))
            else:
                wait = self._backoff(one.attempts, receipt.after_seconds)
                unknown = receipt.outcome == "unknown"
                wait = max(wait, self._target.settle_seconds) if unknown else wait
                later.append(jobs.Postponed(one, now + timedelta(seconds=wait), unknown=unknown))
        kept = jobs.finish(self._connection, self._target.dest, done, now)
        jobs.postpone(self._connection, self._target.dest, later)
        accounts.breaker_close(self._connection, self._target.dest, now)
        name = self._target.far.name
        self._tell_late(done, kept)
        records = []
        for one, _ in kept:
            records += told_by(one, *told[one.op], now)
            records.append(fact_of(one, *told[one.op], name, now))
        refused = [told[one.op] for one, answer in kept if answer.state == "refused"]
        parking.open_cases(self._connection, [case_of(*row, name) for row in refused])
        log.append_and_commit(self._connection, records)
        reach("dispatch.booked")
        report.accepted += len(kept) - len(refused)
        report.refused += len(refused)
        report.postponed += len(later)

    def _tell_late(
        self,
        done: Sequence[tuple[jobs.Claimed, jobs.Answer]],
        kept: Sequence[tuple[jobs.Claimed, jobs.Answer]],
    ) -> None:
        """Answers for leases that were lost meanwhile: not booked, kept as evidence."""
        ours = {one.op for one, _ in kept}
        for one, answer in done:
            if one.op not in ours:
                _log.warning(
                    "late_answer_fenced_off",
                    name=self._target.far.name,
                    operation=one.op,
                    token=one.token,
                    state=answer.state,
                    remote_id=answer.remote_id,
                    number=answer.number,
                )

    # -- re-reading ---------------------------------------------------------------------------

    def _reread(self, one: jobs.Claimed, report: Report) -> None:
        command = decode(one.type, one.version, one.body)
        connector = self._target.connector
        if not isinstance(command, RereadObject) or not isinstance(connector, Rereads):
            raise TypeError(f"{self._target.far.name} cannot read {one.op} again")
        try:
            item = connector.reread(
                command.topic,
                command.reference,
                self._target.far,
                self._target.secrets,
                self._transport,
            )
        except accounts.LeaseLost:
            return
        except RetryLater as away:
            self._away([one], away, report)
            return
        except (Refused, NeedsDecision) as problem:
            words = problem.words
        except psycopg.Error:
            raise
        except Exception as problem:  # noqa: BLE001 - this one is held, the others go on
            _log.exception("connector_defect", name=self._target.far.name)
            words = f"the connector failed: {type(problem).__name__}"
        else:
            reach("dispatch.reread_answered")
            self._store(one, item)
            report.accepted += 1
            return
        self._reread_refused(one, command, words)
        report.refused += 1

    def _store(self, one: jobs.Claimed, item: Item) -> None:
        """Keep the answer as a message and finish the job in one transaction."""
        now = self._clock.now()
        name = self._target.far.name
        numbers = messages.connection_ids(self._connection, [name])
        arrival = messages.Incoming(
            connection=name,
            topic=item.topic,
            delivery=item.delivery,
            body=item.body,
            received_at=now,
            key=item.key,
            place=item.place,
            problem=item.problem,
            trace=one.trace,
        )
        _, records = messages.store(self._connection, [arrival], numbers)
        answer = jobs.Answer(one.op, "accepted", remote_id=item.delivery)
        jobs.finish(self._connection, self._target.dest, [(one, answer)], now)
        accounts.breaker_close(self._connection, self._target.dest, now)
        log.append_and_commit(self._connection, records)

    def _reread_refused(self, one: jobs.Claimed, command: RereadObject, words: str) -> None:
        now = self._clock.now()
        decision = NeedsDecision(
            "reread_refused",
            f"{command.connection} does not give {command.reference}: {words}",
            details={"operation": command.id},
        )
        record = Record(key=command.key, type=one.type, body=command, lane=lane_of(command.key))
        jobs.finish(
            self._connection, self._target.dest, [(one, jobs.Answer(one.op, "refused"))], now
        )
        parking.open_cases(self._connection, [parking.CaseOpened("publishing", record, decision)])
        self._connection.commit()


def _given_up(receipt: Receipt, attempts: int) -> Receipt:
    """A document put off too often, as a refusal in the other side's last words."""
    words = f"put off {attempts} times, last: {receipt.words or 'no reason given'}"
    return Receipt(operation=receipt.operation, outcome="refused", words=words)
