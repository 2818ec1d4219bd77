"""The proof: rounds of buyers in processes of their own, and a checker that sums the rows.

What must hold after every round: no more is reserved than is there without the safety stock, what
counts as reserved is the sum of the rows, every yes has its rows and no row is nobody's, and
whoever was told no could not have been served by what is left.
"""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from tests.fire.oversell.rounds import (
    BUYERS,
    ON_HAND,
    PART_OF_BOX,
    PLACE,
    PROCESSES,
    SAFETY,
    SHAPES,
    UNIT,
    Outcome,
    Round,
    wanted,
)
from tests.one_person import works_alone
from tests.posting.test_stock_book import count, take
from tests.posting.test_stock_desk import item
from tillbridge.canonical.items import Component
from tillbridge.durable.rooms import Connection
from tillbridge.posting.stock.activation import activate
from tillbridge.posting.stock.expiry import sweep

Child = subprocess.Popen[str]
Rows = dict[str, dict[str, int]]
KILL_WITHIN_SECONDS = 0.08


class Proof:
    """Plays rounds against one migrated database."""

    def __init__(self, url: str, connection: Connection, *, kill_every: int = 0) -> None:
        """kill_every: in each so many-th round a process is killed with all it has under way."""
        self._url = url
        self._connection = connection
        self._kill_every = kill_every
        works_alone(connection)
        activate(connection, f"[[rule]]\nsafety_stock = {SAFETY}\n", "proof", "")
        connection.commit()
        self._children = [self._started() for _ in range(PROCESSES)]
        self.told: Counter[str] = Counter()

    def _started(self) -> Child:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.fire.oversell.buyers", self._url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def end(self) -> None:
        """End the processes."""
        for child in self._children:
            with contextlib.suppress(BrokenPipeError):
                child.communicate(timeout=30)

    def play(self, number: int, seed: int) -> list[str]:
        """Play one round; gives what is wrong afterwards."""
        told = Round(number, SHAPES[number % len(SHAPES)], seed)
        there = (ON_HAND + SAFETY) * UNIT
        shelf = [count(there, product=told.product(name)) for name in PART_OF_BOX]
        parts = tuple(
            Component(told.product(name), each * UNIT) for name, each in PART_OF_BOX.items()
        )
        take(self._connection, [*shelf, item(told.product("box"), components=parts)])
        share = BUYERS // PROCESSES
        shares = [
            msgspec.structs.replace(told, first=n * share, count=share) for n in range(PROCESSES)
        ]
        for child, mine in zip(self._children, shares, strict=True):
            _say(child, mine)
        if self._kill_every and number % self._kill_every == 0:
            self._kill_one(told, shares)
        outcomes = [one for child in self._children for one in _heard(child)]
        if told.shape == "carts":
            sweep(self._connection, datetime.now(UTC) + timedelta(hours=1))
        self.told.update(f"{told.shape}: {'yes' if one.ok else 'no'}" for one in outcomes)
        return [
            f"round {number} ({told.shape}, seed {seed}): {lie}"
            for lie in self._lies(told, outcomes)
        ]

    def _kill_one(self, told: Round, shares: list[Round]) -> None:
        dice = random.Random(f"{told.seed}/{told.number}/kill")  # noqa: S311 - to be repeated
        time.sleep(dice.random() * KILL_WITHIN_SECONDS)
        victim = dice.randrange(PROCESSES)
        self._children[victim].kill()
        self._children[victim].communicate()
        self._children[victim] = self._started()
        _say(self._children[victim], shares[victim])
        self.told["killed"] += 1

    def _lies(self, told: Round, outcomes: list[Outcome]) -> Iterator[str]:
        products = [told.product(name) for name in PART_OF_BOX]
        rows = self._reserved(products)
        left = dict.fromkeys(products, ON_HAND * UNIT)
        for held in rows.values():
            for product, quantity in held.items():
                left[product] -= quantity
        yield from self._false_counters(left)
        yield from (f"oversold {product} by {-much}" for product, much in left.items() if much < 0)
        bought = {one.key: one.buyer for one in outcomes if one.ok}
        yield from (f"{key} holds pieces for nobody" for key in rows.keys() - bought.keys())
        for key, buyer in bought.items():
            if rows.get(key) != wanted(told, buyer):
                yield f"buyer {buyer} was told yes and holds {rows.get(key)}"
        if told.shape == "carts":
            if left[told.product("p")]:
                yield f"undersold: {left[told.product('p')]} left while buyers came back for more"
            return
        for one in outcomes:
            if not one.ok and _fits(wanted(told, one.buyer), left):
                yield f"undersold: buyer {one.buyer} was told no, {left} is left"

    def _reserved(self, products: list[str]) -> Rows:
        """What each key holds of the products, from the reservation rows and nothing else."""
        found: Rows = {}
        query = (
            "select key, product, sum(quantity)::bigint from reservation where product = any(%b)"
        )
        for key, product, quantity in self._connection.execute(
            query + " group by key, product", (products,)
        ):
            found.setdefault(key, {})[product] = quantity
        self._connection.rollback()
        return found

    def _false_counters(self, left: Mapping[str, int]) -> Iterator[str]:
        rows = self._connection.execute(
            "select product, on_hand - reserved from stock where location = %b"
            " and product = any(%b)",
            (PLACE, list(left)),
        ).fetchall()
        self._connection.rollback()
        for product, there in rows:
            free = there - SAFETY * UNIT
            if free != left[product]:
                yield f"{product}: {free} free says its row, {left[product]} the reservations"


def _fits(wish: Mapping[str, int], left: Mapping[str, int]) -> bool:
    return all(left[product] >= quantity for product, quantity in wish.items())


def _say(child: Child, told: Round) -> None:
    if child.stdin is not None:
        child.stdin.write(msgspec.json.encode(told).decode() + "\n")
        child.stdin.flush()


def _heard(child: Child) -> list[Outcome]:
    line = child.stdout.readline() if child.stdout is not None else ""
    if not line:
        raise AssertionError("buyers ended before their round did; their words stand above")
    return msgspec.json.decode(line, type=list[Outcome])
