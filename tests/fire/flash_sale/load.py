"""A load process of the sale: everybody comes when the plan says, however long others wait.

    python -m tests.fire.flash_sale.load PORT BEGIN NUMBER FILE     (plan and key on standard input)

NUMBER: which of the plan's processes; the one after them is the last buyers, who take one piece
after the other until nothing is left. BEGIN: the first phase's begin on the machine's monotonic
clock. Latencies count from the planned instant of a request, not from when it was sent. FILE: the
witness, written at the end.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import uvloop

from tests.fire.flash_sale import shop
from tests.fire.flash_sale.line import Door
from tests.fire.flash_sale.plan import HOT, Arrival, Plan, arrivals
from tests.fire.flash_sale.witness import Asked, Cart, Fate, Fault, Witness

LAST_SECONDS = 30.0
FAULTS_MOST = 200


class Orders(msgspec.Struct, frozen=True):
    """What a load process is told: the plan and the client's key."""

    plan: Plan
    key: str


class Crowd:
    """All buyers of one process."""

    def __init__(self, orders: Orders, port: int, begin: float, number: int) -> None:
        self._plan = orders.plan
        self._door = Door(port, orders.key)
        self._begin = begin
        self._number = number
        self._tasks: set[asyncio.Task[None]] = set()
        self.witness = Witness()

    async def come(self) -> None:
        """Everybody, and wait until the last one has gone."""
        for count, arrival in enumerate(arrivals(self._plan, self._number)):
            wait = arrival.at - self._now()
            if wait > 0:
                await asyncio.sleep(wait)
            self.witness.late_ms = max(self.witness.late_ms, 1000 * (self._now() - arrival.at))
            task = asyncio.create_task(self._one(arrival, f"{self._number}-{count}"))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LAST_SECONDS)

    async def come_last(self) -> None:
        """One after the other, until one is sent away."""
        for count in itertools.count():
            arrival = Arrival(self._now(), cart=True, product=HOT.code, die=0.0)
            await self._one(arrival, f"{self._number}-{count}")
            if self.witness.carts[-1].fate != "held":
                return

    def _now(self) -> float:
        return time.monotonic() - self._begin

    async def _one(self, arrival: Arrival, name: str) -> None:
        if arrival.cart:
            await self._buyer(arrival, name)
        else:
            path = shop.look(arrival.product)
            await self._ask(shop.AVAILABILITY, arrival.at, "GET", path)

    async def _buyer(self, arrival: Arrival, name: str) -> None:
        """A cart, then an order, a change of mind, or nothing more."""
        plan, at = self._plan, arrival.at
        if (arrival.die * 1000) % 1 < plan.check:
            body = shop.basket(arrival.product)
            await self._ask(shop.CHECK, at, "POST", "/v1/checkout/validate", body, name)
            at = self._now()
        cart = await self._cart(arrival.product, at, name)
        if cart.fate != "held":
            return
        due = cart.answered + arrival.think
        await asyncio.sleep(due - self._now())
        path = f"/v1/reservations/{cart.reservation}"
        if arrival.die < plan.confirm:
            number = f"F{plan.seed}-{name}"
            good = shop.GOOD[shop.CONFIRM]
            body = shop.confirmation(number)
            told = await self._ask(shop.CONFIRM, due, "POST", f"{path}/confirm", body, name)
            cart.confirmed = told[0] == good
            if cart.confirmed:
                await self._order(cart, number, self._now())
        elif arrival.die < plan.confirm + plan.release:
            told = await self._ask(shop.RELEASE, due, "POST", f"{path}/release", b"{}", name)
            cart.released = told[0] == shop.GOOD[shop.RELEASE]

    async def _cart(self, product: str, at: float, name: str) -> Cart:
        body = shop.cart(product, self._plan.soft_seconds)
        status, told = await self._ask(shop.RESERVE, at, "POST", "/v1/reservations", body, name)
        fate: Fate = "failed"
        cart = Cart(product, at, self._now(), fate)
        if status == shop.GOOD[shop.RESERVE]:
            cart.fate = "held"
            cart.reservation = shop.reservation_id(told)
            cart.until = cart.answered + self._plan.soft_seconds
        elif shop.is_refused(shop.RESERVE, status, told):
            cart.fate = "sold out"
        self.witness.carts.append(cart)
        return cart

    async def _order(self, cart: Cart, number: str, due: float) -> None:
        cart.order, cart.ordered = number, due
        body = shop.order(number, cart.product, cart.reservation, datetime.now(UTC))
        status, _ = await self._ask(shop.ORDER, due, "POST", "/v1/orders", body, number)
        cart.taken = status == shop.GOOD[shop.ORDER]

    async def _ask(
        self,
        route: str,
        due: float,
        method: str,
        path: str,
        body: bytes = b"",
        key: str = "",
    ) -> tuple[int, bytes]:
        """One request, noted."""
        once = f"{route}-{self._plan.seed}-{key}" if key else ""
        status, told = await self._door.ask(method, path, body, once)
        ms = (self._now() - due) * 1000
        self.witness.asked.append(Asked(route, round(due, 4), round(ms, 2), status))
        fine = status == shop.GOOD[route] or shop.is_refused(route, status, told)
        if not fine and len(self.witness.faults) < FAULTS_MOST:
            words = told[:400].decode(errors="replace")
            self.witness.faults.append(Fault(route, round(due, 3), status, words))
        return status, told


def main(arguments: list[str]) -> None:
    """See the module."""
    port, begin, number, file = arguments
    orders = msgspec.json.decode(sys.stdin.buffer.read(), type=Orders)
    gc.collect()
    gc.disable()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        seen = runner.run(_play(orders, int(port), float(begin), int(number)))
    Path(file).write_bytes(msgspec.json.encode(seen))


async def _play(orders: Orders, port: int, begin: float, number: int) -> Witness:
    crowd = Crowd(orders, port, begin, number)
    await (crowd.come() if number < orders.plan.loads else crowd.come_last())
    return crowd.witness


if __name__ == "__main__":
    main(sys.argv[1:])
