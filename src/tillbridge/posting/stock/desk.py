"""The desk: what buyers ask for at the hub's own door, answered group by group.

One transaction answers a group: the stock rows are locked in key order, every ask is decided in
order of arrival by what the locked rows say, everything is written as sets. A bad ask is an answer,
never an error, so one of them does not spoil the group.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.stock import HOLD_KINDS, StockLine
from tillbridge.durable import log
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record
from tillbridge.posting.stock.activation import Bounds, RulesInForce
from tillbridge.posting.stock.hold import Hold, confirmed, held, moved, released
from tillbridge.posting.stock.holds import Holds
from tillbridge.posting.stock.items import Items
from tillbridge.posting.stock.levels import Bucket, Levels
from tillbridge.posting.stock.reserve import Answer, Free, Place, answer

QUERIES = load("tillbridge.posting.stock", "desk.sql", "gate", "stocked")
DUE_MOST = 500
"""Holds past their time that one group looks at; the worker sweeps the rest."""


class Ask(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One request.

    key: the hold's. `hold`: channel, kind (HOLD_KINDS), lines, locations in order of preference,
    split_most; a soft one names expires_at. `confirm`: order, its number if known. `release`: only
    the key. `move`: locations. trace: W3C traceparent.
    """

    key: str
    verb: Literal["hold", "confirm", "release", "move"]
    channel: str = ""
    kind: str = "soft"
    lines: tuple[StockLine, ...] = ()
    locations: tuple[str, ...] = ()
    split_most: int = 1
    expires_at: datetime | None = None
    order: str = ""
    trace: bytes | None = None


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The answer to one request; JSON holds it whole.

    ok with `held`, `confirmed`, `released` or `moved`; else `short` (product, wanted and free name
    the first that lacks, thousandths), `unknown` (no such hold), `unknown_product`, `not_sellable`,
    `invalid` (words say why), or why the hold has ended (HOLD_ENDS).
    kind, lines, expires_at: the hold as it is now; lines of bundles are those of their components.
    """

    ok: bool
    status: str
    kind: str = ""
    lines: tuple[StockLine, ...] = ()
    expires_at: datetime | None = None
    product: str = ""
    wanted: int = 0
    free: int = 0
    words: str = ""


def gate(connection: Connection) -> None:
    """Wait for the other writers; take the group only then. Ends with the transaction."""
    connection.execute(QUERIES.gate)


def answer_group(
    connection: Connection,
    asks: Sequence[Ask],
    rules: RulesInForce,
    now: datetime,
    stored: Callable[[Sequence[Told]], None] | None = None,
) -> list[Told]:
    """One answer per ask, in order of arrival; the caller commits next and nothing else.

    Everything, the commit too, goes out in few round trips when the caller stands in a pipeline.
    stored: called once with the answers, to write them down in the same transaction.
    A psycopg error (a deadlock, or a key made meanwhile by another process: UniqueViolation) means
    nothing happened; roll back and ask again.
    """
    log.bound(connection)
    group = _Group(connection, rules, now)
    group.lock(asks)
    told = [group.answer(ask, number) for number, ask in enumerate(asks)]
    told = group.named(told)
    group.save()
    if stored is not None:
        stored(told)
    log.append(connection, (), group.records)
    return told


class _Group:
    """The asks of one transaction."""

    def __init__(self, connection: Connection, rules: RulesInForce, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._levels = Levels(connection)
        self._items = Items(connection)
        self._bounds = Bounds(connection, rules, self._items)
        self._holds = Holds(connection, self._levels)
        self._demands: list[tuple[StockLine, ...]] = []
        self._refused: dict[int, Told] = {}
        self.records: list[Record] = []

    def lock(self, asks: Sequence[Ask]) -> None:
        """Lock every stock row the asks may need, in key order; end what is past its time there."""
        self._bounds.load()
        self._items.load(line.product for ask in asks for line in ask.lines)
        keys = {ask.key for ask in asks}
        standing = self._holds.standing(ask.key for ask in asks if ask.verb != "hold")
        due = self._holds.due(self._now, DUE_MOST)
        places: set[Bucket] = set()
        for number, ask in enumerate(asks):
            demand = self._demand(ask, number)
            self._demands.append(demand)
            stands = standing.get(ask.key, set())
            products = {line.product for line in demand} | {place.product for place in stands}
            places |= stands | {Bucket(at, name) for at in ask.locations for name in products}
        in_the_way = {key: stands for key, stands in due.items() if stands & places}
        self._holds.take(keys | in_the_way.keys(), places.union(*in_the_way.values()))
        for key in sorted(in_the_way):
            if self._holds[key].is_past(self._now):
                self._end(key, "expired", None)

    def _demand(self, ask: Ask, number: int) -> tuple[StockLine, ...]:
        """What a hold asks of the book, in base units, bundles as their components."""
        if ask.verb != "hold":
            return ()
        words = _fault(ask, self._now)
        for line in ask.lines:
            if not words and not self._items[line.product].sellable:
                self._refused[number] = Told(ok=False, status="not_sellable", product=line.product)
                return ()
        try:
            lines = () if words else self._items.expand(ask.lines)
        except NeedsDecision as problem:
            words, lines = problem.words, ()
        if words:
            self._refused[number] = Told(ok=False, status="invalid", words=words)
        return lines

    def answer(self, ask: Ask, number: int) -> Told:
        """Decide one ask by what the locked rows say now."""
        if number in self._refused:
            return self._refused[number]
        hold = self._holds[ask.key]
        if ask.verb == "hold":
            return self._open(ask, self._demands[number]) if not hold.version else _again(hold)
        if not hold.version or not hold.desk:
            return Told(ok=False, status="unknown")
        if not hold.ended and hold.is_past(self._now):
            self._end(ask.key, "expired", ask.trace)
        if hold.ended:
            return _as_it_is(hold, hold.ended, ok=False)
        match ask.verb:
            case "confirm":
                return self._confirm(hold, ask)
            case "release":
                self._end(ask.key, "released", ask.trace)
                return Told(ok=True, status="released", kind=hold.kind)
            case "move":
                return self._move(hold, ask)

    def _open(self, ask: Ask, demand: tuple[StockLine, ...]) -> Told:
        found = answer(demand, ask.locations, (), self._free(ask.channel), ask.split_most)
        if not found.held:
            return _short(found)
        hold = Hold(
            ask.key,
            kind=ask.kind,
            channel=ask.channel,
            expires_at=ask.expires_at,
            locations=ask.locations,
            split_most=ask.split_most,
            placed_at=self._now,
        )
        self._tell(held(self._holds.open(hold, found.lines), self._now), ask.trace)
        return _as_it_is(hold, "held", ok=True)

    def _confirm(self, hold: Hold, ask: Ask) -> Told:
        if hold.kind == "soft":
            self._tell(confirmed(self._holds.confirm(ask.key), ask.order, self._now), ask.trace)
        return _as_it_is(hold, "confirmed", ok=True)

    def _move(self, hold: Hold, ask: Ask) -> Told:
        """To the locations asked for; what stands at one of them already may stay."""
        demand: dict[tuple[str, str], int] = {}
        for line in hold.lines:
            place = (line.line, line.product)
            demand[place] = demand.get(place, 0) + line.quantity
        found = answer(
            [StockLine(name, product, quantity) for (name, product), quantity in demand.items()],
            ask.locations,
            hold.lines,
            self._free(hold.channel),
            ask.split_most,
            barred={line.location for line in hold.lines} - set(ask.locations),
        )
        if not found.held:
            return msgspec.structs.replace(_short(found), kind=hold.kind, lines=hold.lines)
        if set(found.lines) != set(hold.lines):
            self._tell(moved(self._holds.change(ask.key, found.lines), self._now), ask.trace)
        return _as_it_is(hold, "moved", ok=True)

    def _free(self, channel: str) -> Free:
        """What a buyer may still have of a place: less safety stock, less what stale news keep."""

        def free(place: Place) -> int:
            level = self._levels.get(Bucket(*place))
            if level is None:
                return 0
            kept = self._bounds.kept_back(channel, *place, level.heard_at, self._now)
            return level.free - kept

        return free

    def _end(self, key: str, reason: str, trace: bytes | None) -> None:
        self._tell(released(self._holds.cut(key, reason), self._now), trace)

    def _tell(self, fact: Fact, trace: bytes | None) -> None:
        name = type(fact).__name__
        self.records.append(Record(fact.key, name, fact, lane_of(fact.key), trace=trace))

    def named(self, told: list[Told]) -> list[Told]:
        """Tell apart what is short and what nobody ever heard of."""
        short = {one.product for one in told if _lacks(one)}
        strange = {
            name
            for name in short
            if not self._items[name].described and not self._levels.holds(name)
        }
        if strange:
            rows = self._connection.execute(QUERIES.stocked, (sorted(strange),)).fetchall()
            strange -= {row[0] for row in rows}
        return [
            Told(ok=False, status="unknown_product", product=one.product)
            if _lacks(one) and one.product in strange
            else one
            for one in told
        ]

    def save(self) -> None:
        """Write stock rows, headers and reservations as sets."""
        self._levels.save(self._now)
        self._holds.save()


def _fault(ask: Ask, now: datetime) -> str:
    """What is wrong with the form of an ask, in words; "" = nothing."""
    if ask.kind not in HOLD_KINDS:
        return f"{ask.kind!r} is no kind of reservation: {', '.join(HOLD_KINDS)}"
    if (ask.kind == "soft") != (ask.expires_at is not None):
        return "a soft reservation says when it expires, any other does not"
    if ask.expires_at is not None and ask.expires_at <= now:
        return "a reservation cannot expire before it begins"
    if not ask.lines:
        return "a reservation has at least one line"
    if any(line.quantity <= 0 for line in ask.lines):
        return "a quantity is more than nothing"
    if len({line.line for line in ask.lines}) < len(ask.lines):
        return "two lines have the same name"
    if not ask.locations:
        return "there is no location to reserve at"
    return ""


def _lacks(one: Told) -> bool:
    """Whether a new hold was refused; a hold that ended short names no product."""
    return one.status == "short" and one.product != "" and not one.lines


def _again(hold: Hold) -> Told:
    """The answer to a hold that was made before."""
    return _as_it_is(hold, hold.ended or "held", ok=not hold.ended)


def _as_it_is(hold: Hold, status: str, *, ok: bool) -> Told:
    return Told(ok=ok, status=status, kind=hold.kind, lines=hold.lines, expires_at=hold.expires_at)


def _short(found: Answer) -> Told:
    return Told(
        ok=False,
        status="short",
        product=found.product,
        wanted=found.wanted,
        free=max(found.free, 0),
    )
