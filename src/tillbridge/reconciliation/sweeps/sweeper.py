"""The sweep of one connection: list what changed there, compare, have what is missing read again.

Webhooks are hints and may never come; a sweep does not depend on them. What is missing or behind is
asked for as any other reading again: budgeted, behind everything else, tried again until it comes.
A stream is complete through the end of a window in which nothing was missing or behind. No
transaction is open while the source is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from tillbridge.atoms.clock import Clock
from tillbridge.atoms.errors import NeedsDecision, Refused, RetryLater
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.intake import RereadObject
from tillbridge.contract.promises import Connection as Source
from tillbridge.contract.promises import Listed, Listing, Lists, Subscribes, Window
from tillbridge.contract.transport import Transport
from tillbridge.durable import accounts, log
from tillbridge.durable.alone import alone
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record
from tillbridge.reconciliation.asking import asked
from tillbridge.reconciliation.findings import settle
from tillbridge.reconciliation.sweeps.compare import Tally, compare
from tillbridge.reconciliation.sweeps.holding import holding
from tillbridge.reconciliation.sweeps.subscriptions import keep_subscribed

QUERIES = load(
    "tillbridge.reconciliation.sweeps",
    "sweeps.sql",
    "standing",
    "add_sweep",
    "add_sums",
    "add_asked",
    "move_complete_through",
)
GRACE = timedelta(minutes=5)
"""What changed just now may still be on its way."""
OVERLAP = timedelta(hours=1)
FIRST_WINDOW = timedelta(days=2)
AGAIN = timedelta(minutes=10)
"""When to look again after something was missing, or after a failure."""
_log = structlog.get_logger("sweeps")


class Swept(msgspec.Struct, frozen=True, kw_only=True):
    """One finished sweep of a stream. asked: keys to be read again because of it. listed_all:
    whether the pages held as many as the source itself counted.
    """

    connection: str
    stream: str
    window: Window
    tally: Tally
    asked: frozenset[str]
    listed_all: bool

    @property
    def complete(self) -> bool:
        """Whether nothing was missing or behind."""
        return self.listed_all and not self.tally.missing and not self.tally.behind

    def counts(self) -> dict[str, object]:
        """The figures, for a line of the log."""
        tally = self.tally
        return {
            "connection": self.connection,
            "stream": self.stream,
            "until": self.window.until.isoformat(),
            "source": tally.source_count,
            "hub": tally.hub_count,
            "missing": len(tally.missing),
            "behind": len(tally.behind),
            "waiting": tally.waiting,
            "differing": len(tally.differences),
            "asked": len(self.asked),
        }


class Sweeper:
    """Sweeps one connection. The database connection given stands outside of a transaction."""

    def __init__(
        self,
        connector: Lists,
        source: Source,
        secrets: Mapping[str, str],
        transport: Transport,
        *,
        clock: Clock,
        every_hours: float,
        leases: accounts.Leases | None = None,
    ) -> None:
        """every_hours: rest between two sweeps of a stream; 0 = only when asked. leases: those of
        the process, which somebody renews.
        """
        self._leases = leases or accounts.Leases()
        self._connector = connector
        self._source = source
        self._secrets = secrets
        self._transport = transport
        self._clock = clock
        self._every = timedelta(hours=every_hours)
        self._not_before: dict[str, datetime] = {}

    @property
    def streams(self) -> tuple[str, ...]:
        """What can be swept."""
        return self._connector.listed

    def run_due(self, connection: Connection, *, at_start: bool = False) -> list[Swept]:
        """Sweep every stream whose time has come. at_start: the hub was away, nobody knows for how
        long, so the rhythm does not count.
        """
        if not self._every:
            return []
        done = []
        for stream in self.streams:
            now = self._clock.now()
            _, last_at, left = self._standing(connection, stream)
            rest = AGAIN if left or at_start else self._every
            if last_at is not None and now < last_at + rest:
                continue
            if now < self._not_before.get(stream, now):
                continue
            swept = self._tried(connection, stream)
            if swept is not None:
                done.append(swept)
        return done

    def _tried(self, connection: Connection, stream: str) -> Swept | None:
        """Sweep; a failure is told and tried again later. Subscriptions are seen to first, so that
        nothing falls in between.
        """
        if isinstance(self._connector, Subscribes):
            keep_subscribed(
                connection,
                self._connector,
                self._source,
                self._secrets,
                self._transport,
                self._clock.now(),
            )
        failed: dict[str, NeedsDecision] = {}
        swept, key = None, f"sweep/{self._source.name}/{stream}"
        try:
            swept = self.run(connection, stream)
        except RetryLater as later:
            self._fail(stream, later.words, later.after_seconds)
            return None
        except (Refused, NeedsDecision) as problem:
            self._fail(stream, problem.words, None)
            words = f"stream {stream} of {self._source.name} cannot be compared: {problem.words}"
            failed[key] = NeedsDecision("sweep_failed", words)
        settle(connection, "sweep_failed", failed, self._clock.now(), checked={key})
        connection.commit()
        return swept

    def _fail(self, stream: str, words: str, wished: float | None) -> None:
        wait = AGAIN if wished is None else timedelta(seconds=wished)
        self._not_before[stream] = self._clock.now() + wait
        _log.warning("sweep_failed", connection=self._source.name, stream=stream, why=words)

    def run(
        self,
        connection: Connection,
        stream: str,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Swept | None:
        """Sweep a stream over a window; without one, from where it is complete until just now.

        None: another process is at it. Raises RetryLater, Refused and NeedsDecision as the source
        does; nothing is asked for then but what earlier pages showed.
        """
        accounts.make_missing(connection, self._source.name)
        connection.commit()
        with alone(connection, "sweep", self._source.name, stream) as held:
            if not held:
                return None
            window = self._window(connection, stream, since, until)
            tally, asked = Tally(), list[str]()
            counted: int | None = None
            cursor, more = "", True
            while more:
                page = self._page(connection, stream, window, cursor)
                counted = page.count if page.count is not None else counted
                asked += self._compare(connection, window, tally, page)
                more, cursor = page.more and page.cursor != cursor, page.cursor
            swept = Swept(
                connection=self._source.name,
                stream=stream,
                window=window,
                tally=tally,
                asked=frozenset(asked),
                listed_all=counted is None or tally.source_count >= counted,
            )
            self._keep(connection, swept)
            return swept

    def _window(
        self,
        connection: Connection,
        stream: str,
        since: datetime | None,
        until: datetime | None,
    ) -> Window:
        through, _, _ = self._standing(connection, stream)
        end = until or self._clock.now() - GRACE
        begin = since or (through - OVERLAP if through else end - FIRST_WINDOW)
        if begin >= end:
            raise Refused(
                f"the window from {begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} is empty"
            )
        return Window(begin.replace(microsecond=0), end.replace(microsecond=0))

    def _standing(
        self, connection: Connection, stream: str
    ) -> tuple[datetime | None, datetime | None, int]:
        """Complete through, last swept at, how many were missing or behind then."""
        row = connection.execute(
            QUERIES.standing, {"connection": self._source.name, "stream": stream}
        ).fetchone()
        connection.rollback()
        return (row[0], row[1], int(row[2] or 0)) if row else (None, None, 0)

    def _page(self, connection: Connection, stream: str, window: Window, cursor: str) -> Listing:
        """One page within the account's budget."""

        def listed(transport: Transport) -> Listing:
            return self._connector.list_objects(
                stream, window, cursor, self._source, self._secrets, transport
            )

        return asked(
            connection,
            self._source.name,
            f"stream {stream}",
            self._transport,
            self._clock,
            self._leases,
            listed,
        )

    def _compare(
        self, connection: Connection, window: Window, tally: Tally, page: Listing
    ) -> list[str]:
        """Compare a page and ask for what it shows to be missing or behind, unless that was done
        before; gives the keys.
        """
        reading = {self._reread_key(one): one.key for one in page.objects}
        found = holding(connection, list(reading.values()), reading)
        before = len(tally.missing), len(tally.behind)
        compare(tally, page.objects, found.held, found.received)
        lacking = tally.missing[before[0] :] + tally.behind[before[1] :]
        asked = [one for one in lacking if one.key not in found.asked]
        if asked:
            log.append_and_commit(connection, [self._ask(one, window) for one in asked])
        return [one.key for one in asked]

    def _reread_key(self, one: Listed) -> str:
        return f"reread/{self._source.name}/{one.reference}"

    def _operation(self, one: Listed, window: Window) -> str:
        """One reading again per object and window: run again, a sweep asks no second time."""
        until = window.until.isoformat()
        return f"reread/{self._source.name}/{one.topic}/{one.reference}/sweep/{until}"

    def _ask(self, one: Listed, window: Window) -> Record:
        body = RereadObject(
            key=self._reread_key(one),
            id=self._operation(one, window),
            connection=self._source.name,
            topic=one.topic,
            reference=one.reference,
            background=True,
        )
        return Record(body.key, "RereadObject", body, lane_of(body.key))

    def _keep(self, connection: Connection, swept: Swept) -> None:
        """The evidence, how far the stream is complete, and the cases, at once."""
        tally, window, now = swept.tally, swept.window, self._clock.now()
        row = connection.execute(
            QUERIES.add_sweep,
            (
                swept.connection,
                swept.stream,
                window.since,
                window.until,
                now,
                tally.source_count,
                tally.hub_count,
                len(tally.missing),
                len(tally.behind),
                tally.waiting,
                len(tally.differences),
            ),
        ).fetchone()
        number = row[0] if row else 0
        sums = [(name, *msgspec.structs.astuple(sums)) for name, sums in tally.sums.items()]
        asked = [
            (self._operation(one, window), one.key, why)
            for why, found in (("missing", tally.missing), ("behind", tally.behind))
            for one in found
            if one.key in swept.asked
        ]
        if sums:
            connection.execute(QUERIES.add_sums, (number, *_columns(sums)))
        if asked:
            connection.execute(QUERIES.add_asked, (number, *_columns(asked)))
        if swept.complete:
            connection.execute(
                QUERIES.move_complete_through,
                {
                    "connection": swept.connection,
                    "stream": swept.stream,
                    "since": window.since,
                    "until": window.until,
                },
            )
        settle(connection, "sweep_difference", _cases(swept), now, checked=tally.keys)
        connection.commit()


def _columns(rows: Sequence[tuple[object, ...]]) -> tuple[list[object], ...]:
    return tuple(list(column) for column in zip(*rows, strict=True))


def _cases(swept: Swept) -> dict[str, NeedsDecision]:
    """One case per object whose amounts differ although its version does not."""
    return {
        one.listed.key: NeedsDecision(
            "sweep_difference",
            f"{one.listed.key}: {one.words}",
            owner="finance",
            amount=one.at_stake,
            currency=one.listed.currency,
            details={
                "finding": f"{one.words} at {one.listed.version}",
                "connection": swept.connection,
                "reference": one.listed.reference,
            },
        )
        for one in swept.tally.differences
    }
