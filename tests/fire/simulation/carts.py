"""Carts: buyers at the hub's own door who all want one scarce product, and how it comes and goes.

A till sells it and tells so late, a count finds less, a purchase order brings some of what is
promised out of it. What each buyer was told is a witness that the hub cannot touch.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import msgspec
from psycopg import Connection

from tests.fire.simulation.outside import TRADE_SECONDS, Dropping
from tests.fire.simulation.post import Post
from tests.fire.simulation.scheduler import Actor, Scheduler
from tests.stories.till_files import goods, poslog, receipt, tender
from tillbridge.app.api.group import DeskWork, Placed
from tillbridge.app.hub import Hub
from tillbridge.app.settings import FILE
from tillbridge.canonical.stock import StockLine, hold_key
from tillbridge.connectors.direct.keys import order_key
from tillbridge.connectors.direct.wire import TOPIC
from tillbridge.contract.promises import Item
from tillbridge.durable.group_writer import Session
from tillbridge.durable.messages import Incoming, Stored
from tillbridge.inbox.answers import Answer
from tillbridge.inbox.arrivals import arrival
from tillbridge.inbox.group_commit import IntakeWork
from tillbridge.mapping.names import NameRow
from tillbridge.posting.stock import expiry
from tillbridge.posting.stock.activation import RulesInForce
from tillbridge.posting.stock.desk import Ask
from tillbridge.posting.stock.waiting import ask_again

Process = Callable[[Actor, Hub], None]
PRODUCT = "CART-1"
CHANNEL, CONNECTION, CLIENT = "hotline", "hotline", "hotline-client"
PLACES = ("store-nyc", "wh-east")
SECONDS = 600
"""A cart ends by itself after so long."""
SWEEP_SECONDS = 60.0
SETTINGS = f"""
[[channel]]
code = "{CHANNEL}"
entity = "us"
flow = "web"
fulfil_from = ["store-nyc", "wh-east"]
order_point = "placed"
backorder = true

[connection.{CONNECTION}]
connector = "direct"
entity = "us"
channel = "{CHANNEL}"
timezone = "America/New_York"

[connection.purchasing]
connector = "feed"
entity = "us"
channel = "stores"
timezone = "America/New_York"
settings = {{ mapping = "feeds/supply.toml" }}

[connection.dock]
connector = "feed"
entity = "us"
channel = "stores"
timezone = "America/New_York"
settings = {{ mapping = "feeds/receipt.toml" }}
"""
SUPPLY = """kind = "supply"
identity = ["po"]
[file]
format = "csv"
[head]
supply = "po"
version = { constant = "1" }
location = "site"
due_at = "due"
[[line]]
product = "sku"
quantity = "open"
"""
RECEIPT = """kind = "receipt"
identity = ["note"]
[file]
format = "csv"
[head]
number = "note"
at = "at"
supply = "po"
[[line]]
product = "sku"
location = "site"
quantity = "qty"
"""
NAMES = (
    *(
        NameRow(who, "product", PRODUCT, PRODUCT)
        for who in ("feed", "stores", "purchasing", "dock")
    ),
    NameRow("stores", "location", "12", "store-nyc"),
    NameRow("purchasing", "location", "wh-east", "wh-east"),
    NameRow("dock", "location", "wh-east", "wh-east"),
)


def furnish(folder: Path) -> None:
    """Let a workspace have the channel, and who tells of purchase orders and receipts."""
    path = folder / FILE
    path.write_text(path.read_text(encoding="utf-8") + SETTINGS, encoding="utf-8")
    (folder / "feeds" / "supply.toml").write_text(SUPPLY, encoding="utf-8")
    (folder / "feeds" / "receipt.toml").write_text(RECEIPT, encoding="utf-8")
    for name in ("purchasing", "dock"):
        (folder / "drop" / name).mkdir(parents=True)


def stock(dropping: Dropping, dice_delay: int, day: date) -> None:
    """The files that tell where the product is; the hub's day begins at 13:00 UTC.

    dice_delay: seconds by which the till's file is late, beyond the time everything is reserved.
    """
    head = "product,location,quantity,counted"
    opening = f"{head}\n{PRODUCT},NYC,8,{day}T00:00:00Z\n{PRODUCT},EAST,6,{day}T00:00:00Z\n"
    dropping.put("feed", "carts.csv", opening.encode(), 1.0)
    due = day + timedelta(days=1)
    expected = f"po,site,due,sku,open\nPO-1,wh-east,{due}T00:00:00Z,{PRODUCT},30\n"
    dropping.put("purchasing", "po.csv", expected.encode(), 1.0)
    sale = receipt(1, [goods(PRODUCT, "30.00", "0", pieces="3"), tender("30.00")], "30.00", "0")
    told = poslog(sale).replace(b"2026-03-02T10", f"{day}T08".encode())
    told = told.replace(b"2026-03-02", str(day).encode())
    dropping.put("stores", "late.xml", told, 2000.0 + dice_delay)
    count = f"{head}\n{PRODUCT},NYC,4,{day}T13:30:00Z\n"
    dropping.put("feed", "recount.csv", count.encode(), 2400.0)
    came = f"note,at,po,sku,site,qty\nN-1,{day}T13:50:00Z,PO-1,{PRODUCT},wh-east,10\n"
    dropping.put("dock", "note.csv", came.encode(), 3000.0)


class Step(msgspec.Struct, eq=False):
    """One request of a buyer: `hold`, `confirm`, `release` or `order`."""

    buyer: int
    verb: str
    tries: int = 0

    @property
    def name(self) -> str:
        """The Idempotency-Key."""
        return f"{self.verb}-{self.buyer}"


class Buyers(Post[Step]):
    """Ask, confirm, change their minds or forget; `told` is their witness: step -> answer.

    Of four one confirms and orders, one orders straight from the cart, one walks away, and one
    confirms or releases about when the cart ends. Who orders does so whatever became of the cart.
    """

    def __init__(self, scheduler: Scheduler, day: date) -> None:
        super().__init__(scheduler)
        self.told: dict[str, tuple[int, bytes]] = {}
        self.wrong: list[str] = []
        self._day = day
        gap = (TRADE_SECONDS - 300.0) / max(scheduler.plan.buyers, 1)
        for number in range(scheduler.plan.buyers):
            self._ask(number, "hold", 120.0 + number * gap)

    def _ask(self, buyer: int, verb: str, at: float) -> None:
        dice, plan = self.scheduler.dice, self.scheduler.plan
        self.push(Step(buyer, verb), at)
        while dice.chance(plan.copies):
            self.scheduler.counts["fault: delivery copied"] += 1
            self.push(Step(buyer, verb), at + dice.between(0, 5))

    def ask(self, step: Step, hub: Hub) -> Placed:
        """A step as the API hands it to the desk."""
        lines = (StockLine("1", PRODUCT, _pieces(step.buyer) * 1000),)
        asked = Ask(key=_key(step.buyer), verb=step.verb, channel=CHANNEL)  # type: ignore[arg-type]
        if step.verb == "hold":
            until = hub.agreed_clock.now() + timedelta(seconds=SECONDS)
            asked = msgspec.structs.replace(asked, lines=lines, locations=PLACES, expires_at=until)
        return Placed(asked, CLIENT, step.name, hashlib.sha256(step.name.encode()).digest())

    def order(self, step: Step, hub: Hub) -> Incoming:
        """A step as the API hands it to the intake."""
        body = {
            "number": f"T-{step.buyer}",
            "placed_at": f"{self._day}T13:{step.buyer % 60:02}:00Z",
            "currency": "USD",
            "total": f"{_pieces(step.buyer) * 10}.00",
            "lines": [
                {
                    "line": "1",
                    "product": PRODUCT,
                    "quantity": str(_pieces(step.buyer)),
                    "list": f"{_pieces(step.buyer) * 10}.00",
                }
            ],
            "reservation": _id(step.buyer),
        }
        key = order_key(CONNECTION, f"T-{step.buyer}")
        raw = msgspec.json.encode(body)
        item = Item(topic=TOPIC, delivery=f"{CLIENT}/{step.name}", body=raw, key=key)
        return arrival(CONNECTION, item, hub.clock.now())

    def answered(self, actor: Actor, step: Step, answer: object) -> None:
        """What the hub says, which may not reach the buyer; an exception is no answer."""
        if not self.heard(actor, step) or isinstance(answer, Exception):
            self.again(step)
            return
        told = (answer.status, answer.body) if isinstance(answer, Answer) else (202, b"")
        if step.name in self.told:
            self.scheduler.counts["a request was answered again"] += 1
            if self.told[step.name] != told:
                self.wrong.append(f"{step.name}: {self.told[step.name]} first, then {told}")
            return
        self.told[step.name] = told
        self._next(step, self.scheduler.elapsed)

    def _next(self, step: Step, now: float) -> None:
        """What the buyer does after an answer, whatever it said."""
        buyer, way = step.buyer, step.buyer % 4
        if (step.verb, way) == ("hold", 0):
            self._ask(buyer, "confirm", now + 120.0)
        elif (step.verb, way) == ("hold", 3):
            at = now + SECONDS + (60.0 if buyer > 8 else -60.0)
            self._ask(buyer, ("confirm", "release")[buyer % 8 // 4], at)
        elif (step.verb, way) in (("hold", 1), ("confirm", 0)):
            self._ask(buyer, "order", now + 60.0)

    def unlike(self, connection: Connection) -> list[str]:
        """What buyers were told against what the hub holds at rest, in words."""
        rows = connection.execute("select key, kind, ended from hold where desk").fetchall()
        connection.rollback()
        holds = {key: (kind, ended) for key, kind, ended in rows}
        words = list(self.wrong)
        for name, (status, _) in sorted(self.told.items()):
            verb, _, number = name.partition("-")
            found = holds.get(_key(int(number)))
            if verb != "order" and _contradicts(verb, status, found):
                words.append(f"buyer {number} was told {status} to {verb}, and there is {found}")
        return words


def _contradicts(verb: str, status: int, found: tuple[str, str] | None) -> bool:
    """Whether an answer and the hold at rest cannot both be. found: its kind and end."""
    kind, ended = found or ("", "")
    match verb, status:
        case "hold", 201:
            return found is None
        case "hold", (409 | 422):
            return found is not None
        case "confirm", 200:
            return kind != "firm" or ended not in ("", "short", "taken_over")
        case "release", 200:
            return ended != "released"
        case (("confirm" | "release"), (404 | 409)):
            return found is not None and not ended
        case _:
            return True


def happened(connection: Connection) -> Counter[str]:
    """What became of the carts, for the events that must occur in some runs."""
    found: Counter[str] = Counter()
    for kind, ended, times in connection.execute(
        "select kind, ended, count(*) from hold where desk group by 1, 2"
    ).fetchall():
        found[f"a {kind} cart ended: {ended}" if ended else f"a {kind} cart stands"] += times
    for name, query in _HAPPENED.items():
        row = connection.execute(query.encode()).fetchone()
        found[name] += row[0] if row else 0
    connection.rollback()
    return found


_ANSWERS = "select count(*) from record where type = 'StockReserved' and "
_HAPPENED = {
    "an order was promised goods out of supply": _ANSWERS
    + "convert_from(body, 'utf8')::json -> 'promised' is not null",
    "an order was sourced or served anew": _ANSWERS
    + "convert_from(body, 'utf8')::json -> 'turn' is not null",
    "an order came out short": "select count(*) from record where type = 'StockShort'",
    "a count corrected the book": "select count(*) from stock_movement where kind = 'count'"
    f" and product = '{PRODUCT}'",
    "a sale was in the count already": "select count(*) from stock_movement"
    f" where cause = 'counted_already' and product = '{PRODUCT}'",
}


def counter(buyers: Buyers) -> Process:
    """The API's process: the desk's group writer and the intake of orders."""

    def run(actor: Actor, hub: Hub) -> None:
        desk = Session(hub.connect, DeskWork(RulesInForce(), hub.agreed_clock), actor)
        door: Session[Incoming, Stored] = Session(hub.connect, IntakeWork(), actor)
        while True:
            group = buyers.arriving(actor, 5)
            if not group:
                actor.rest(max(buyers.next_in(), 0.01))
                continue
            orders = [step for step in group if step.verb == "order"]
            asks = [step for step in group if step.verb != "order"]
            answers: list[object] = []
            if asks:
                answers += desk.write([buyers.ask(step, hub) for step in asks])
            if orders:
                answers += door.write([buyers.order(step, hub) for step in orders])
            actor.point("answered", "buyers")
            for step, answer in zip([*asks, *orders], answers, strict=True):
                buyers.answered(actor, step, answer)

    return run


def sweeper(actor: Actor, hub: Hub) -> None:
    """Ends carts past their time, and has orders sourced again that could be served now."""
    rules = RulesInForce()
    with hub.connect() as connection:
        while True:
            actor.rest(SWEEP_SECONDS)
            hub.agreed_clock.set(connection)
            expiry.sweep(connection, hub.agreed_clock.now())
            again = ask_again(connection, rules, hub.agreed_clock.now())
            actor.scheduler.counts["a short order was sourced again"] += again


def _pieces(buyer: int) -> int:
    return 1 + buyer % 3


def _id(buyer: int) -> str:
    return f"{buyer:024x}"


def _key(buyer: int) -> str:
    return hold_key(CHANNEL, _id(buyer))
