"""What really happened at a small retailer, and what its books, stock and cards must say of it.

Nothing here knows how the hub decides: goods move, money moves, and the sums are taken. Quantities
are whole pieces, amounts minor units.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

BEGIN = datetime(2026, 3, 2, 15, tzinfo=UTC)
WAREHOUSE, STORE = "wh-east", "store-nyc"
PLACES = (WAREHOUSE, STORE)
PRODUCTS = ("P1", "P2")
SHELVES = {
    (WAREHOUSE, "P1"): 20,
    (WAREHOUSE, "P2"): 10,
    (STORE, "P1"): 5,
    (STORE, "P2"): 5,
}
TAX_PERCENT = 8


@dataclass
class Line:
    """A line of an order as its newest version says. each, tax: of one piece."""

    product: str
    pieces: int
    each: int

    @property
    def tax(self) -> int:
        return self.each * TAX_PERCENT // 100

    @property
    def gross(self) -> int:
        return self.each + self.tax


@dataclass
class Bag:
    """Goods that lie ready for a buyer. state: ready, collected or expired."""

    line: str
    pieces: int
    state: str = "ready"


@dataclass
class Order:
    """An order. sent: pieces that left, by line and place. dropped: cancelled before they left.
    home: came back, by line. credited: net and tax given back for goods. at: of its newest version.
    """

    number: str
    key: str
    lines: dict[str, Line]
    placed: datetime
    at: datetime
    collect: bool = False
    edits: int = 0
    taken: Counter[str] = field(default_factory=Counter)
    given: Counter[str] = field(default_factory=Counter)
    sent: Counter[tuple[str, str]] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    home: Counter[str] = field(default_factory=Counter)
    credited: Counter[str] = field(default_factory=Counter)
    bags: dict[str, Bag] = field(default_factory=dict)
    cancelled: bool = False
    disputed: bool = False

    def gone(self, line: str) -> int:
        """Pieces of a line that left."""
        return sum(n for (name, _), n in self.sent.items() if name == line)

    def bagged(self, line: str, *states: str) -> int:
        """Pieces of a line in bags."""
        return sum(b.pieces for b in self.bags.values() if b.line == line and b.state in states)

    def left(self, line: str) -> int:
        """Pieces that are still to go out."""
        expired = 0 if self.cancelled else self.bagged(line, "expired")
        whole = self.lines[line].pieces - self.gone(line)
        return 0 if self.cancelled else whole - max(self.dropped[line], expired)

    @property
    def total(self) -> int:
        """What the buyer owes by the newest version, cancelled pieces included."""
        return sum(one.pieces * one.gross for one in self.lines.values())

    @property
    def kept(self) -> int:
        """What is still wanted of it, or went out."""
        if self.cancelled:
            return self.earned
        return sum((o.pieces - self.dropped[n]) * o.gross for n, o in self.lines.items())

    @property
    def earned(self) -> int:
        """Gross value of what left."""
        return sum(self.gone(name) * one.gross for name, one in self.lines.items())

    @property
    def money(self) -> int:
        """What was paid and not given back."""
        return sum(self.taken.values()) - sum(self.given.values())


class World:
    """The retailer. stock: pieces on shelves by place and product; way: between places."""

    def __init__(self) -> None:
        self.minutes = 0
        self.numbers = Counter[str]()
        self.stock = Counter(SHELVES)
        self.other = Counter[tuple[str, str, str]]()
        self.counted: dict[tuple[str, str], datetime] = {}
        self.orders: dict[str, Order] = {}
        self.ledger = Counter[str]()
        self.cards = Counter[str]()

    def now(self) -> datetime:
        """A minute later than ever before."""
        self.minutes += 1
        return BEGIN + timedelta(minutes=self.minutes)

    def number(self, kind: str) -> int:
        """The next number of a kind, from 1."""
        self.numbers[kind] += 1
        return self.numbers[kind]

    def ship(self, order: Order, line: str, place: str, pieces: int) -> None:
        """Goods of an order leave a place."""
        order.sent[line, place] += pieces
        self.stock[place, order.lines[line].product] -= pieces

    def take_back(self, order: Order, line: str, pieces: int, place: str, condition: str) -> None:
        """Goods of an order come back to a place; condition "" = thrown away."""
        order.home[line] += pieces
        product = order.lines[line].product
        if condition == "sellable":
            self.stock[place, product] += pieces
        elif condition:
            self.other[place, product, condition] += pieces

    def pay(self, order: Order, tender: str, amount: int, card: str = "") -> None:
        """The buyer pays; negative: is paid back."""
        if amount >= 0:
            order.taken[tender] += amount
        else:
            order.given[tender] -= amount
        if card:
            self.cards[card] -= amount

    def credit(self, order: Order, line: str, pieces: int) -> int:
        """Goods are credited at the price of today; gives the gross amount."""
        one = order.lines[line]
        order.credited["net"] += pieces * one.each
        order.credited["tax"] += pieces * one.tax
        return pieces * one.gross

    def ring(self, product: str, pieces: int, each: int, tender: str) -> None:
        """A till sells over the counter of the store; negative pieces are a return."""
        self.stock[STORE, product] -= pieces
        self.book(pieces * each, pieces * each * TAX_PERCENT // 100, tender)

    def book(self, net: int, tax: int, tender: str) -> None:
        """The money of a till's receipt."""
        self.ledger["sales/unassigned"] -= net
        self.ledger["sales-tax/us-ny"] -= tax
        self.ledger[tender] += net + tax

    def books(self) -> dict[str, int]:
        """The trial balance: tills as rung, orders by what was paid and what left."""
        sums = Counter(self.ledger)
        for order in self.orders.values():
            for tender, amount in (order.taken - Counter()).items():
                sums[_clearing(tender)] += amount
            for tender, amount in order.given.items():
                sums[_clearing(tender)] -= amount
            credited = order.credited["net"] + order.credited["tax"]
            sums["customer-deposits"] -= order.money - order.earned + credited
            for name, one in order.lines.items():
                sums["sales/unassigned"] -= order.gone(name) * one.each
                sums["sales-tax/us-ny"] -= order.gone(name) * one.tax
            sums["sales/unassigned"] += order.credited["net"]
            sums["sales-tax/us-ny"] += order.credited["tax"]
        return {account: amount for account, amount in sorted(sums.items()) if amount}


def _clearing(tender: str) -> str:
    return "gift-card-liability" if tender == "gift-card" else f"clearing/{tender}"
