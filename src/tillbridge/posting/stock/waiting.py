"""Waiting: requests that were answered short, and which of them goods that came since could serve.

Whoever makes goods free (a receipt, a return, a count, a hold that ends, supply told) need not know
who waits: every second one process looks, works out in the order of placing who would be served,
and asks those orders to be sourced again, through the log. Nothing is decided here: the stock book
answers under its locks as ever. An order that would not be served is not asked, so a thousand
orders that wait for one product cost nothing while it is gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial

import msgspec

from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.stock import SourcingAsked, StockLine
from tillbridge.durable import log
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record
from tillbridge.posting.stock.activation import Bounds, RulesInForce
from tillbridge.posting.stock.hold import MAPPING, NOBODY, Hold, named_after
from tillbridge.posting.stock.items import Items
from tillbridge.posting.stock.levels import Bucket
from tillbridge.posting.stock.promises import Promises, backordered
from tillbridge.posting.stock.reserve import Place, Shelf, answer, demand_of

QUERIES = load("tillbridge.posting.stock", "waiting.sql")
LOOKED_MOST = 1000
"""Orders one look takes in, the first placed first."""
SEPARATOR = "\x1f"
Recounts = tuple[tuple[str, ...], datetime | None]
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(tuple[StockLine, ...])


class Waiting:
    """Requests that one transaction answers short, or does not any more."""

    def __init__(self, connection: Connection) -> None:
        """Nothing is read."""
        self._connection = connection
        self._put: dict[str, tuple[Hold, tuple[StockLine, ...], str, Recounts]] = {}
        self._gone: set[str] = set()

    def put(
        self,
        hold: Hold,
        lines: Iterable[StockLine],
        takes: str = "",
        recounts: Recounts = ((), None),
    ) -> None:
        """A request was answered short. lines: what it wants, base units. recounts: places that may
        serve it once they are counted after an instant.
        """
        self._gone.discard(hold.key)
        self._put[hold.key] = hold, tuple(lines), takes, recounts

    def drop(self, key: str) -> None:
        """It wants nothing any more, or has it."""
        self._put.pop(key, None)
        self._gone.add(key)

    def save(self) -> None:
        """Write them as sets."""
        if self._gone:
            self._connection.execute(QUERIES.drop, (sorted(self._gone),))
        rows = [
            (
                key,
                hold.version,
                hold.turn,
                _ENCODER.encode(lines),
                demand_of(lines).get(hold.short, 0),
                takes,
                SEPARATOR.join(recount),
                failed_at,
            )
            for key, (hold, lines, takes, (recount, failed_at)) in sorted(self._put.items())
        ]
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            self._connection.execute(QUERIES.put, columns, binary=True)
        self._gone.clear()
        self._put.clear()


class _Request(msgspec.Struct, frozen=True):
    """A request that waits, and the terms it was asked on."""

    key: str
    version: int
    turn: int
    lines: tuple[StockLine, ...]
    takes: str
    asked: bool
    channel: str
    locations: tuple[str, ...]
    split_most: int
    backorder: bool
    preorder: tuple[str, ...]
    counted: tuple[str, ...] = ()
    """Places that failed it and were counted since; they stand among the locations."""

    @property
    def places(self) -> set[Bucket]:
        """Where it might be served."""
        return {Bucket(place, line.product) for place in self.locations for line in self.lines}


def ask_again(connection: Connection, rules: RulesInForce, now: datetime) -> int:
    """Ask orders that could be served now to be sourced again. Commits; gives how many."""
    row = connection.execute(QUERIES.only).fetchone()
    found = list(_hopeful(connection, now)) if row is not None and row[0] else []
    served = list(_Look(connection, rules, found).served(now)) if found else []
    if not served:
        connection.rollback()
        return 0
    columns = [[getattr(one, name) for one in served] for name in ("key", "version", "turn")]
    asked = {row[0] for row in connection.execute(QUERIES.asked, columns, binary=True)}
    facts = [_told(one, now) for one in served if one.key in asked]
    if not facts:
        connection.rollback()
        return 0
    log.append_and_commit(
        connection,
        [Record(fact.key, type(fact).__name__, fact, lane_of(fact.key)) for fact in facts],
    )
    return len(facts)


def _hopeful(connection: Connection, now: datetime) -> Iterator[_Request]:
    rows = connection.execute(QUERIES.hopeful, {"now": now, "most": LOOKED_MOST})
    for key, version, turn, lines, takes, asked, channel, places, split, late, *more in rows:
        wanted = _DECODER.decode(bytes(lines))
        preorder, counted = (tuple(names) for names in more)
        yield _Request(
            key, version, turn, wanted, takes, asked, channel, (*places, *counted), split, late,
            preorder, counted,
        )  # fmt: skip


class _Look:
    """What is free just now, handed out in the order of placing, on paper."""

    def __init__(
        self, connection: Connection, rules: RulesInForce, requests: Sequence[_Request]
    ) -> None:
        """Reads what the requests may need; nothing is locked."""
        items = Items(connection)
        self._bounds = Bounds(connection, rules, items)
        self._bounds.load()
        self._requests = requests
        items.load(line.product for one in requests for line in one.lines)
        places = sorted(set[Bucket]().union(*(one.places for one in requests)))
        columns = [b.location for b in places], [b.product for b in places]
        self._left: dict[Place, int] = {
            (location, product): free
            for location, product, free in connection.execute(QUERIES.free, columns)
        }
        self._promises = Promises(connection)
        self._promises.load(
            place for one in requests if one.backorder or one.preorder for place in one.places
        )
        self._held: dict[str, tuple[StockLine, ...]] = {}
        carts = sorted({one.takes for one in requests} - {""})
        for key, line, location, product, much in (
            connection.execute(QUERIES.held, (carts,)) if carts else ()
        ):
            piece = StockLine(line, product, much, location)
            self._held[key] = (*self._held.get(key, ()), piece)

    def served(self, now: datetime) -> Iterator[_Request]:
        """Requests that would be answered yes, and are not on their way already."""
        for one in self._requests:
            if self._serves(one, now) and not one.asked:
                yield one

    def _serves(self, one: _Request, now: datetime) -> bool:
        """Hand out to a request what it would get; an older one comes before a newer one."""
        cart = self._held.pop(one.takes, ())
        mine = named_after(one.lines, cart)
        free = partial(self._free, one.channel)
        found = answer(one.lines, one.locations, mine, free, one.split_most)
        if found.held:
            self._hand_out(found.lines, mine)
            return True
        allowed = {line.product for line in one.lines} if one.backorder else one.preorder
        supplies = self._promises.open(allowed, one.locations, now)
        if supplies:
            shelf = Shelf(free, mine)
            late = backordered(one.lines, one.locations, shelf, one.split_most, supplies)
            if late is not None:
                self._hand_out(late.lines, mine)
                for piece in late.promised:
                    self._promises.supply(piece.supply, piece.place).promised += piece.quantity
                return True
        return False

    def _hand_out(self, given: Iterable[StockLine], back: Iterable[StockLine]) -> None:
        for sign, lines in ((-1, given), (1, back)):
            for line in lines:
                place = line.location, line.product
                self._left[place] = self._left.get(place, 0) + sign * line.quantity

    def _free(self, channel: str, place: Place) -> int:
        return self._left.get(place, 0) - self._bounds.safety(channel, *place)


def _told(one: _Request, now: datetime) -> SourcingAsked:
    return SourcingAsked(
        key=one.key,
        id=f"{one.key}/again/{one.version}/{one.turn}",
        source="hub",
        mapping=MAPPING,
        occurred_at=now,
        business_date=now.date(),
        entities=NOBODY,
        version=one.version,
        turn=one.turn,
        allows=one.counted,
    )
