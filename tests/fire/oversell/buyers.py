"""One process of buyers: `python -m tests.fire.oversell.buyers URL`, a round a line, outcomes back.

Most buyers ask through the writer of the HTTP process, with an Idempotency-Key each; two of them
are orders that channels have sold, taken by the stock room as the flow takes them. Whoever is
killed and started again asks the same once more.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from datetime import UTC, datetime, timedelta

import msgspec

from tests.fire.oversell.rounds import CHANNEL, ON_HAND, PLACE, UNIT, Outcome, Round
from tillbridge.app.api.group import DeskWork, Placed
from tillbridge.atoms.clock import SystemClock
from tillbridge.atoms.errors import RetryLater
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.stock import ReserveStock, StockLine, hold_key
from tillbridge.durable.group_writer import GroupWriter
from tillbridge.durable.rooms import Connection, Record
from tillbridge.durable.session import connect
from tillbridge.inbox.answers import Answer
from tillbridge.posting.stock.activation import RulesInForce
from tillbridge.posting.stock.desk import Ask
from tillbridge.posting.stock.room import StockBook

ORDERS = 2
"""So many buyers of a process are orders."""
CART_SECONDS = 0.15
WALKS_AWAY = 0.3
PATIENCE_SECONDS = 60.0
AGAIN = (b"idempotent-replayed", b"true")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Buyers:
    """The buyers of one process."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._clock = SystemClock()
        self._writer: GroupWriter[Placed, Answer] = GroupWriter(
            lambda: connect(url), lambda: DeskWork(RulesInForce(), self._clock), name="desk"
        )
        self._orders = connect(url)
        self._lock = threading.Lock()
        self._sold_out = asyncio.Event()

    async def run(self) -> None:
        """Play rounds until the input ends."""
        self._writer.start()
        while line := await asyncio.to_thread(sys.stdin.readline):
            told = msgspec.json.decode(line, type=Round)
            self._sold_out.clear()
            looking = asyncio.create_task(self._look(told))
            buyers = range(told.first, told.first + told.count)
            found = await asyncio.gather(*(self._buy(told, buyer) for buyer in buyers))
            looking.cancel()
            sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
            sys.stdout.flush()
        self._writer.stop()

    async def _buy(self, told: Round, buyer: int) -> Outcome:
        if buyer - told.first < ORDERS:
            return await asyncio.to_thread(self._order, told, buyer)
        if told.shape == "carts":
            return await self._cart(told, buyer)
        key = hold_key(CHANNEL, f"{told.number:012x}{buyer:012x}")
        ok = await self._ask(f"{key}/hold", self._hold(told, buyer, key, "firm"))
        return Outcome(buyer, ok, key if ok else "")

    def _hold(self, told: Round, buyer: int, key: str, kind: str) -> Ask:
        name, many = told.wish(buyer)
        until = self._clock.now() + timedelta(seconds=CART_SECONDS)
        return Ask(
            key=key,
            verb="hold",
            channel=CHANNEL,
            kind=kind,
            lines=(StockLine("1", told.product(name), many * UNIT),),
            locations=(PLACE,),
            expires_at=until if kind == "soft" else None,
        )

    async def _cart(self, told: Round, buyer: int) -> Outcome:
        """Hold, then buy, or walk away and let it expire or release it; who is late tries again.

        Who was killed goes through all he did once more before he gives up: he may have bought.
        """
        dice = told.chance(buyer)
        for step in range(10_000):
            key = hold_key(CHANNEL, f"{told.number:08x}{buyer:08x}{step:08x}")
            held = await self._answer(f"{key}/hold", self._hold(told, buyer, key, "soft"))
            if held.status < 300:
                if dice.random() < WALKS_AWAY:
                    if dice.random() < WALKS_AWAY:
                        await self._ask(f"{key}/release", Ask(key=key, verb="release"))
                    return Outcome(buyer, ok=False)
                if await self._ask(f"{key}/confirm", Ask(key=key, verb="confirm")):
                    return Outcome(buyer, ok=True, key=key)
            elif self._sold_out.is_set() and AGAIN not in held.headers:
                break
            await asyncio.sleep(0.02 + dice.random() * 0.02)
        return Outcome(buyer, ok=False)

    async def _ask(self, request: str, ask: Ask) -> bool:
        return (await self._answer(request, ask)).status < 300

    async def _answer(self, request: str, ask: Ask) -> Answer:
        placed = Placed(ask, "buyers", request, b"")
        for _ in range(100):
            try:
                return await self._writer.submit(placed)
            except RetryLater:
                await asyncio.sleep(0.1)
        raise AssertionError(f"{request} was never answered")

    async def _look(self, told: Round) -> None:
        """Until everything is bought: who is told no then need not come back."""
        began = self._clock.monotonic()
        with connect(self._url, autocommit=True) as connection:
            while told.shape == "carts":
                row = connection.execute(
                    "select coalesce(sum(quantity), 0) from reservation r join hold h using (key)"
                    " where r.product = %b and h.kind = 'firm'",
                    (told.product("p"),),
                ).fetchone()
                late = self._clock.monotonic() - began > PATIENCE_SECONDS
                if late or (row is not None and row[0] >= ON_HAND * UNIT):
                    self._sold_out.set()
                    return
                await asyncio.sleep(0.05)

    def _order(self, told: Round, buyer: int) -> Outcome:
        """An order of a channel, as the flow carries it; told once more after a kill."""
        name, many = told.wish(buyer)
        body = ReserveStock(
            key=f"order/{CHANNEL}/{told.number}-{buyer}",
            id=f"order/{CHANNEL}/{told.number}-{buyer}/hold/1",
            version=1,
            lines=(StockLine("1", told.product(name), many * UNIT),),
            locations=(PLACE,),
            occurred_at=NOON,
            channel=CHANNEL,
        )
        with self._lock:
            held = _taken(self._orders, body)
        return Outcome(buyer, held, body.key if held else "")


def _taken(connection: Connection, body: ReserveStock) -> bool:
    """Whether the room holds what an order wants."""
    session = StockBook().open(connection, NOON)
    session.take([Record(body.key, "ReserveStock", body, lane_of(body.key))])
    session.flush()
    connection.commit()
    row = connection.execute("select ok from hold where key = %b", (body.key,)).fetchone()
    connection.rollback()
    return row is not None and bool(row[0])


if __name__ == "__main__":
    asyncio.run(Buyers(sys.argv[1]).run())
