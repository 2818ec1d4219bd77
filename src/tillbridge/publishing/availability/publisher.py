"""The publisher: makes the offers that are due at one channel and books what it answers.

As with documents: a slot and a token of the account first, the call outside of any transaction,
then one transaction for all answers. A row is under way as long as the slot of its call lives; when
the call's process died, the same offer is made again, which settles what became of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import psycopg
import structlog

from tillbridge.atoms.clock import Clock
from tillbridge.atoms.errors import NeedsDecision, Refused, RetryLater
from tillbridge.atoms.ids import Ids
from tillbridge.contract.offers import Offer, Shown
from tillbridge.contract.promises import Connection as Far
from tillbridge.contract.promises import PublishesAvailability
from tillbridge.contract.transport import Transport
from tillbridge.durable import accounts
from tillbridge.durable.crash_points import reach
from tillbridge.durable.rooms import Connection
from tillbridge.publishing.availability.shelf import (
    QUERIES,
    TOTAL,
    Channel,
    Place,
    Row,
    columns,
    rows_of,
)

STOCK = accounts.CLASSES.index("stock")
KIND = "availability"
"""What a person pauses: `tillbridge pause web/availability`."""
BACKOFF_SECONDS_MAX = 300.0
REFUSED_REST = timedelta(hours=1)
"""A refused offer is made again after so long, or when its figure changes."""
_log = structlog.get_logger("publication")


class Outlet(msgspec.Struct, frozen=True):
    """A channel with what it takes to call it."""

    channel: Channel
    connector: PublishesAvailability
    far: Far
    secrets: Mapping[str, str]
    transport: Transport


class Report(msgspec.Struct):
    """What one run did: offers made, taken, contradicted, put off, refused."""

    offered: int = 0
    applied: int = 0
    conflicts: int = 0
    postponed: int = 0
    refused: int = 0
    away: str = ""


class Publisher:
    """Runs one channel on one connection. Not shared between threads."""

    def __init__(
        self,
        connection: Connection,
        outlet: Outlet,
        clock: Clock,
        ids: Ids,
        leases: accounts.Leases | None = None,
    ) -> None:
        """leases: those of the process, which somebody renews."""
        self._connection = connection
        self._outlet = outlet
        self._channel = outlet.channel
        self._clock = clock
        self._ids = ids
        self._leases = leases or accounts.Leases()

    def run_once(self) -> Report:
        """Make the offers that are due; report.offered == 0: nothing was, or nobody may call."""
        connection, now = self._connection, self._clock.now()
        report = Report()
        accounts.sweep(connection, now)
        connection.commit()
        claimed = self._claim(now)
        if claimed is None:
            return report
        slot, rows = claimed
        reach("publication.claimed")
        transport = accounts.PacedTransport(connection, self._outlet.transport, slot, self._clock)
        self._leases.hold(accounts.Lease(slot, now))
        try:
            self._offer(slot, rows, transport, report)
        finally:
            self._leases.let_go(slot)
        accounts.end_call(connection, slot)
        return report

    def _claim(self, now: datetime) -> tuple[accounts.Slot, list[Row]] | None:
        """Rows with the offer to make, under way with a slot of their own; None: nothing to do."""
        connection, dest = self._connection, self._channel.dest
        room = accounts.room_for(connection, now, dest=dest)
        if room is None or KIND in room.kinds:
            connection.rollback()
            return None
        most = 1 if room.probe else self._outlet.connector.offers_max
        given = {"dest": dest, "until": room.until(STOCK, now), "most": most}
        found = rows_of(connection.execute(QUERIES.claim, given, binary=True).fetchall())
        rows = [row for row in found if row.owes]
        idle = {"dest": dest, **columns(row.place for row in found if not row.owes)}
        connection.execute(QUERIES.rest, idle)
        if not rows:
            connection.commit()
            return None
        slot = accounts.begin_call(connection, room, STOCK, now)
        for row in rows:
            _make_offer(row)
        given = {"dest": dest, "slot": slot.number, **columns(row.place for row in rows)}
        given |= {
            "versions": [row.version for row in rows],
            "sent": [row.sent for row in rows],
            "from": [row.sent_from for row in rows],
            "told": [row.sent_told for row in rows],
            "changes": [row.sent_change for row in rows],
        }
        connection.execute(QUERIES.send, given)
        connection.commit()
        return slot, rows

    def _offer(
        self, slot: accounts.Slot, rows: Sequence[Row], transport: Transport, report: Report
    ) -> None:
        outlet = self._outlet
        offers = self._offers(rows)
        report.offered = len(offers)
        try:
            shown = outlet.connector.publish(offers, outlet.far, outlet.secrets, transport)
        except accounts.LeaseLost:  # its rows are somebody else's by now
            return
        except RetryLater as later:
            self._away(slot, later.words, later.after_seconds, unknown=later.unknown)
            report.away, report.postponed = later.words, len(rows)
            return
        except (Refused, NeedsDecision) as problem:
            self._refused_whole(slot, problem.words)
            report.away, report.postponed = problem.words, len(rows)
            return
        except psycopg.Error:  # the way out asks the store
            raise
        except Exception as problem:  # noqa: BLE001 - a defect must not stop the others
            _log.exception("connector_defect", name=outlet.far.name)
            words = f"the connector failed: {type(problem).__name__}"
            self._refused_whole(slot, words, unknown=True)
            report.away, report.postponed = words, len(rows)
            return
        reach("publication.answered")
        answers = dict(zip((row.place for row in rows), shown, strict=True))
        self._book(slot, answers, report)
        reach("publication.booked")

    def _offers(self, rows: Sequence[Row]) -> list[Offer]:
        """Offers in the channel's names."""
        channel = self._channel
        given = {
            "name": channel.name,
            "products": sorted({row.product for row in rows}),
            "locations": sorted({self._place_name(row) for row in rows}),
        }
        names: dict[Place, tuple[str, ...]] = {
            (kind, ours): tuple(theirs)
            for kind, ours, theirs in self._connection.execute(QUERIES.names, given).fetchall()
        }
        self._connection.rollback()
        return [
            Offer(
                operation=f"{channel.name}/{row.product}/{row.location}/{row.version}",
                product=row.product,
                location=row.location,
                products=names.get(("product", row.product), ()),
                places=names.get(("location", self._place_name(row)), ()),
                quantity=row.sent or 0,
                previous=row.sent_from,
                reference=row.reference,
            )
            for row in rows
        ]

    def _place_name(self, row: Row) -> str:
        return row.location if row.location != TOTAL else self._channel.at

    # -- answers ------------------------------------------------------------------------------

    def _book(self, slot: accounts.Slot, answers: Mapping[Place, Shown], report: Report) -> None:
        """One transaction for all answers; rows that another call took over meanwhile are left."""
        connection, now, dest = self._connection, self._clock.now(), self._channel.dest
        given = {"dest": dest, "slot": slot.number}
        rows = rows_of(connection.execute(QUERIES.answered, given, binary=True).fetchall())
        settled: list[_Settled] = []
        later: list[_Later] = []
        for row in rows:
            shown = answers[row.place]
            if shown.outcome == "applied" or (
                shown.outcome == "conflict" and shown.actual is not None
            ):
                settled.append(_settled(row, shown, now, self._channel.gather))
            else:
                later.append(self._later(row, shown, now))
        self._write(settled, now)
        self._put_off(slot, later)
        accounts.breaker_close(connection, dest, now)
        connection.commit()
        report.applied += sum(one.off is None for one in settled)
        report.conflicts += sum(one.off is not None for one in settled)
        report.refused += sum(bool(one.refused) for one in later)
        report.postponed += sum(not one.refused for one in later)

    def _write(self, settled: Sequence[_Settled], now: datetime) -> None:
        if not settled:
            return
        rows = [one.row for one in settled]
        given = {"dest": self._channel.dest, "now": now}
        self._connection.execute(
            QUERIES.book,
            {
                **given,
                **columns(row.place for row in rows),
                "confirmed": [row.confirmed for row in rows],
                "tolds": [row.confirmed_told for row in rows],
                "untold": [row.untold for row in rows],
                "lags": [one.lag for one in settled],
                "changed": [row.changed_at for row in rows],
                "dues": [row.due for row in rows],
                "references": [row.reference for row in rows],
            },
        )
        drifted = [one for one in settled if one.off]
        if drifted:
            self._connection.execute(
                QUERIES.drifted,
                {
                    **given,
                    **columns(one.row.place for one in drifted),
                    "expected": [(one.row.confirmed or 0) - (one.off or 0) for one in drifted],
                    "actual": [one.row.confirmed for one in drifted],
                    "told": [one.row.confirmed_told for one in drifted],
                },
            )

    def _later(self, row: Row, shown: Shown, now: datetime) -> _Later:
        if shown.outcome == "refused":
            return _Later(row, now + REFUSED_REST, refused=shown.words or "refused")
        wait = self._backoff(row.attempts, shown.after_seconds)
        due = now + timedelta(seconds=wait)
        return _Later(row, due, unknown=shown.outcome == "unknown", refused=row.refused)

    def _put_off(self, slot: accounts.Slot, later: Sequence[_Later]) -> None:
        if not later:
            return
        rows = [one.row for one in later]
        self._connection.execute(
            QUERIES.put_off,
            {
                "dest": self._channel.dest,
                "slot": slot.number,
                **columns(row.place for row in rows),
                "dues": [one.due for one in later],
                "unknowns": [one.unknown for one in later],
                "refused": [one.refused for one in later],
            },
        )

    def _away(
        self,
        slot: accounts.Slot,
        words: str,
        wished: float | None,
        *,
        unknown: bool,
        refused: str = "",
    ) -> None:
        """The channel failed as a whole: open the breaker, give the rows back."""
        connection, now, dest = self._connection, self._clock.now(), self._channel.dest
        failed = accounts.failures(connection, dest)
        until = now + timedelta(seconds=self._backoff(failed, wished))
        given = {"dest": dest, "slot": slot.number}
        rows = rows_of(connection.execute(QUERIES.answered, given, binary=True).fetchall())
        self._put_off(
            slot,
            [_Later(row, now, unknown=unknown, refused=refused or row.refused) for row in rows],
        )
        accounts.breaker_open(connection, dest, until, now)
        connection.commit()
        _log.warning("channel_away", name=self._channel.name, why=words)

    def _refused_whole(self, slot: accounts.Slot, words: str, *, unknown: bool = False) -> None:
        """The channel refuses the connection: a rest for everybody who calls it."""
        self._away(slot, words, BACKOFF_SECONDS_MAX, unknown=unknown, refused=words)

    def _backoff(self, failures: int, wished: float | None) -> float:
        """Seconds to wait: the channel's wish, else doubling with jitter, 5 minutes at most."""
        if wished is not None:
            return min(max(wished, 0.05), accounts.WISH_MOST_SECONDS)
        base = min(0.5 * 2.0 ** min(failures, 10), BACKOFF_SECONDS_MAX)
        return base * (0.5 + self._ids.jitter() / 2)


class _Settled(msgspec.Struct):
    """An answer that says what the channel shows. off: what contradicts, None = it took it."""

    row: Row
    off: int | None
    lag: float | None = None


class _Later(msgspec.Struct):
    row: Row
    due: datetime
    unknown: bool = False
    refused: str = ""


def _make_offer(row: Row) -> None:
    """The offer of a claimed row; one that was never answered is made again as it was."""
    if row.sent is not None:
        return
    figures = row.figures
    row.version += 1
    row.sent, row.sent_from, row.sent_told = figures.wanted, figures.expected, row.told
    row.sent_change = row.changed_at


def _settled(row: Row, shown: Shown, now: datetime, gather: timedelta) -> _Settled:
    """The row after an answer. A channel that shows what was offered has taken it, whoever put it
    there.
    """
    took = shown.outcome == "applied" or shown.actual == row.sent
    lag = None
    off: int | None = None
    if took:
        after = row.figures.settled(row.sent or 0, row.sent_told)
        if row.sent_change is not None:
            lag = max((now - row.sent_change).total_seconds(), 0.0)
    else:
        after, off = row.figures.contradicted(shown.actual or 0, row.sent_told)
        changes = [at for at in (row.changed_at, row.sent_change) if at is not None]
        row.changed_at = min(changes, default=now)
    row.confirmed, row.confirmed_told, row.untold = (
        after.confirmed,
        after.confirmed_told,
        after.untold,
    )
    row.reference = shown.reference or row.reference
    row.due = (now + gather if took else now) if after.owes else None
    if not after.owes:
        row.changed_at = None
    return _Settled(row, off, lag)
