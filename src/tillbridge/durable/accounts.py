"""Accounts: who may call a remote account now, at which pace, and for how long a call is believed.

A connection calls within the budget of its account; several connections may share one. Every call,
be it a document, a re-read, a page of a poll or of a sweep, holds one of the account's slots, and
every request takes a token of its bucket, whatever process makes it. A slot is a lease: its process
renews it while the call is under way (`Leases`), and the sweeper takes it from one that does not.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import msgspec
import structlog

from tillbridge.atoms.clock import Clock
from tillbridge.atoms.errors import RetryLater
from tillbridge.contract.transport import Request, Response, Transport
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load("tillbridge.durable", "accounts.sql")
LEASE = "30 seconds"
BEAT_SECONDS = 8.0
CALL_MOST_SECONDS = 1800.0
"""A call that takes longer is no longer renewed: its keys are free again, their outcome unknown."""
CLASSES = ("orders", "stock", "papers", "catalogue", "polls")
"""First come orders and reservations, then stock, then the books' papers, then the catalogue."""
POLLS = CLASSES.index("polls")
WISH_MOST_SECONDS = 3600.0
"""A far side's wish for patience is granted for so long at most, then it is asked again."""
PATIENCE_SECONDS = 300.0
"""Who has waited so long for an account no longer stands back behind its other connections."""

_log = structlog.get_logger("accounts")


class Budget(msgspec.Struct, frozen=True):
    """Pace of one account: calls per second, burst, calls at once."""

    rate: float = 10.0
    burst: float = 20.0
    conc: int = 20


class Slot(msgspec.Struct, frozen=True):
    """One of an account's places for a call, held by whoever makes it."""

    number: int
    account: int


NO_SLOT = Slot(0, 0)
FRESH_SECONDS = 1.0
"""For so long after it was taken nobody asks whether a lease still holds."""


class Room(msgspec.Struct, frozen=True):
    """An account with room for a call, its row locked by this transaction.

    probe: the far side failed last time; one small call shall find out. best: the best class in
    which another connection of the account waits. kinds: paused kinds of the connection.
    """

    account: int
    tokens: float
    probe: bool
    best: int
    kinds: frozenset[str]

    def until(self, class_: int, now: datetime) -> datetime:
        """What fell due by then may go in this class: now, or long ago when others come first."""
        return now if class_ <= self.best else now - timedelta(seconds=PATIENCE_SECONDS)


def make_dest(
    connection: Connection,
    name: str,
    budget: Budget,
    account: str = "",
    settle_seconds: float = 0.0,
) -> int:
    """The row of a connection, made when missing; its pace and account are brought up to date.

    account: name of the account it shares with others, "" = its own. settle_seconds: how long a
    call may still be at work over there after nobody listens to it any more.
    """
    row = {"name": name, "rate": budget.rate, "burst": budget.burst, "conc": budget.conc}
    row["settle"] = settle_seconds
    if account in ("", name):
        return _number(connection, QUERIES.make_own, row)
    shared = _number(connection, QUERIES.make_own, {**row, "name": account})
    return _number(connection, QUERIES.make_sharing, {**row, "account": shared})


def make_missing(connection: Connection, name: str) -> None:
    """A row with an ordinary budget for a connection that has none yet."""
    budget = Budget()
    row = {"name": name, "rate": budget.rate, "burst": budget.burst, "conc": budget.conc}
    connection.execute(QUERIES.make_missing, row)


def _number(connection: Connection, query: str, values: dict[str, object]) -> int:
    row = connection.execute(query.encode(), values).fetchone()
    if row is None:
        raise LookupError(f"destination {values['name']} could not be made")
    return int(row[0])


def room_for(
    connection: Connection, now: datetime, *, dest: int | None = None, name: str | None = None
) -> Room | None:
    """Lock the account of a connection, given by number or name: the room it has for one call.

    None when it is paused, its breaker is open, its bucket empty or its slots are taken.
    """
    given = {"now": now, "dest": dest, "name": name}
    row = connection.execute(QUERIES.lock_account, given).fetchone()
    if row is None:
        return None
    account, conc, failures, tokens, closed, known = row[:6]
    if not closed or tokens < 1:
        return None
    given = {"now": now, "dest": dest, "account": account, "name": known}
    found = connection.execute(QUERIES.look, given).fetchone()
    under_way, kinds, best = found or (conc, [], 0)
    if "" in kinds or under_way >= (1 if failures else conc):
        return None
    return Room(account, tokens, failures > 0, best, frozenset(kinds))


def begin_call(connection: Connection, room: Room, class_: int, now: datetime) -> Slot:
    """Take a slot and the token of the first request."""
    given = {"account": room.account, "tokens": room.tokens, "class": class_, "now": now}
    row = connection.execute(QUERIES.begin_call, {**given, "lease": LEASE}).fetchone()
    return Slot(int(row[0]) if row else 0, room.account)


def end_call(connection: Connection, slot: Slot) -> None:
    """Give a slot back and commit; harmless when the sweeper was quicker."""
    connection.execute(QUERIES.end_call, (slot.number,))
    connection.commit()


def begin_poll(connection: Connection, name: str, now: datetime, since: datetime) -> Slot | None:
    """A slot for a page of a poll, or None when documents or others come first; commits.

    since: when it fell due.
    """
    room = room_for(connection, now, name=name)
    if room is None or since > room.until(POLLS, now):
        connection.rollback()
        return None
    slot = begin_call(connection, room, POLLS, now)
    connection.commit()
    return slot


def failures(connection: Connection, dest: int) -> int:
    """How often in a row the account of a connection has failed."""
    row = connection.execute(QUERIES.failures, (dest,)).fetchone()
    return int(row[0]) if row else 0


def breaker_open(connection: Connection, dest: int, until: datetime, now: datetime) -> int:
    """The account failed as a whole: nobody calls it before `until`; gives its failures in a row.

    `dest` may be any connection of it.
    """
    given = {"dest": dest, "until": until, "now": now}
    row = connection.execute(QUERIES.breaker_open, given).fetchone()
    return int(row[0]) if row else 0


def breaker_close(connection: Connection, dest: int, now: datetime | None = None) -> None:
    """The account answered. now: None closes it even before its time (it has just been started)."""
    connection.execute(QUERIES.breaker_close, {"dest": dest, "now": now})


def sweep(connection: Connection, now: datetime) -> int:
    """Free what no living process renews; gives how many keys became unknown."""
    return connection.execute(QUERIES.sweep, {"now": now}).rowcount


class LeaseLost(RetryLater):
    """The lease of a call ran out while it was under way: somebody else may be sending the same."""


class PacedTransport:
    """The way out during one call: every request but the first, which is paid, takes a token.

    Nothing leaves for who has lost his lease. He may have looked in vain long ago, and who has it
    now looks in vain at this moment: both would create. The database connection stands outside a
    transaction whenever a request is sent.
    """

    def __init__(
        self, connection: Connection, transport: Transport, slot: Slot, clock: Clock
    ) -> None:
        self._connection = connection
        self._transport = transport
        self._slot = slot
        self._clock = clock
        self._paid_until = clock.monotonic() + FRESH_SECONDS

    def send(self, request: Request) -> Response:
        """The answer. Raises RetryLater as the transport does, and (nothing was sent) when the
        account has asked for patience meanwhile; LeaseLost.
        """
        if self._clock.monotonic() > self._paid_until:
            self._pay()
        self._paid_until = float("-inf")
        return self._transport.send(request)

    def _pay(self) -> None:
        now = self._clock.now()
        given = {"account": self._slot.account, "slot": self._slot.number, "now": now}
        row = self._connection.execute(QUERIES.take_token, given).fetchone()
        if row is None:
            found = self._connection.execute(QUERIES.why_not, given).fetchone()
            self._connection.rollback()
            if found is None or not found[1]:
                raise LeaseLost("the lease of this call ran out while it was under way")
            until = found[0] or now
            seconds = max((until - now).total_seconds(), 0.0)
            raise RetryLater("the account is left alone for a while", after_seconds=seconds)
        self._connection.commit()
        if row[0] > 0:
            self._clock.sleep(float(row[0]))


class Lease(msgspec.Struct, frozen=True):
    """What one call of this process holds: its slot, and (destination, key, token) of its keys."""

    slot: Slot
    since: datetime
    keys: Sequence[tuple[int, str, int]] = ()


class Leases:
    """The leases of one process, renewed together: two statements a beat, however many there are.

    A process that is frozen or cut off does not beat; its leases run out, others go on, and its
    late answers are fenced off by their tokens.
    """

    def __init__(self) -> None:
        self._held: dict[int, Lease] = {}
        self._mutex = threading.Lock()

    def hold(self, lease: Lease) -> None:
        """Renew it from now on."""
        with self._mutex:
            self._held[lease.slot.number] = lease

    def let_go(self, slot: Slot) -> None:
        """Renew it no longer."""
        with self._mutex:
            self._held.pop(slot.number, None)

    def beat(self, connection: Connection, now: datetime) -> int:
        """Renew everything held and commit; gives how many slots were still ours."""
        with self._mutex:
            held = [x for x in list(self._held.values()) if not self._given_up(x, now)]
        if not held:
            return 0
        keys = [key for lease in held for key in lease.keys]
        given = {
            "dests": [dest for dest, _, _ in keys],
            "keys": [key for _, key, _ in keys],
            "tokens": [token for _, _, token in keys],
        }
        connection.execute(QUERIES.renew_keys, {**given, "now": now, "lease": LEASE})
        slots = [lease.slot.number for lease in held]
        renewed = connection.execute(QUERIES.renew_slots, (now, LEASE, slots)).rowcount
        connection.commit()
        if renewed < len(held):
            _log.warning("leases_lost", lost=len(held) - renewed)
        return renewed

    def _given_up(self, lease: Lease, now: datetime) -> bool:
        if (now - lease.since).total_seconds() < CALL_MOST_SECONDS:
            return False
        del self._held[lease.slot.number]
        _log.error(
            "call_without_end", slot=lease.slot.number, keys=[key for _, key, _ in lease.keys][:5]
        )
        return True


@contextmanager
def polling(
    connection: Connection,
    name: str,
    transport: Transport,
    clock: Clock,
    leases: Leases,
    since: datetime,
) -> Iterator[Transport | None]:
    """The way out for one page of a poll or sweep of a connection, waiting since then.

    None when it is others' turn. A RetryLater with a wish for patience holds for all who call the
    account. The database connection stands outside a transaction before, after and meanwhile.
    """
    now = clock.now()
    sweep(connection, now)
    connection.commit()
    slot = begin_poll(connection, name, now, since)
    if slot is None:
        yield None
        return
    leases.hold(Lease(slot, now))
    try:
        yield PacedTransport(connection, transport, slot, clock)
        breaker_close(connection, slot.account, clock.now())
    except RetryLater as later:
        if later.after_seconds is not None:
            until = clock.now() + timedelta(seconds=min(later.after_seconds, WISH_MOST_SECONDS))
            breaker_open(connection, slot.account, until, clock.now())
        raise
    finally:
        leases.let_go(slot)
        end_call(connection, slot)
