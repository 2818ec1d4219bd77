"""The outside in memory: a shop that sends webhooks, stores that drop files, an ERP that answers.

Each keeps its own account of what happened (a witness), which the hub cannot touch.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec

from tests.fire.simulation.post import Post
from tests.fire.simulation.scheduler import Actor, Scheduler
from tillbridge.atoms.clock import Clock
from tillbridge.atoms.errors import RetryLater
from tillbridge.connectors.sandbox.erp_faults import Fault
from tillbridge.connectors.sandbox.erp_simulator import ErpSimulator
from tillbridge.connectors.sandbox.loopback import Answer, Call
from tillbridge.connectors.sandbox.retailer import DayOfTrade
from tillbridge.connectors.sandbox.shop_day import Delivery
from tillbridge.connectors.sandbox.shopify_simulator import ShopifySimulator
from tillbridge.contract.transport import Request, Response

TOKEN = "made-up-token"
REJECTED = "simulated-refusal"
"""Header of a call whose documents the ERP is to refuse."""
TRADE_SECONDS = 3600.0
"""The day's deliveries are told within an hour of virtual time."""


class Sending(msgspec.Struct, eq=False):
    """A webhook on its way, told again until it is acknowledged."""

    headers: dict[str, str]
    body: bytes
    event: str
    tries: int = 0


class Shop(Post[Sending]):
    """Sends the day's webhooks over a bad line; `acked` is its witness: event -> (delivery id,
    hash of body).
    """

    def __init__(self, scheduler: Scheduler, day: DayOfTrade, secret: str) -> None:
        super().__init__(scheduler)
        self.acked: dict[str, tuple[str, str]] = {}
        self.given_up: set[str] = set()
        self._secret = secret.encode()
        self._plan_day(day)

    def _plan_day(self, day: DayOfTrade) -> None:
        dice, plan = self.scheduler.dice, self.scheduler.plan
        gap = TRADE_SECONDS / len(day.deliveries)
        for place, delivery in enumerate(day.deliveries):
            if dice.chance(plan.given_up):
                self.given_up.add(delivery.event)
                self.scheduler.counts["fault: delivery given up"] += 1
                continue
            at = 60.0 + place * gap
            self._send(delivery, at + self._delay())
            while dice.chance(plan.copies):
                self.scheduler.counts["fault: delivery copied"] += 1
                self._send(delivery, at + self._delay() + dice.between(0, 5))

    def _delay(self) -> float:
        most = self.scheduler.plan.delay_seconds
        dice = self.scheduler.dice
        return float(dice.between(0, most)) if most and dice.chance(0.3) else 0.0

    def _send(self, delivery: Delivery, at: float) -> None:
        signature = base64.b64encode(hmac.digest(self._secret, delivery.body, "sha256")).decode()
        headers = {**delivery.headers, "X-Shopify-Hmac-SHA256": signature}
        self.push(Sending(headers, delivery.body, delivery.event), at)

    def answered(self, actor: Actor, sending: Sending, status: int) -> None:
        """The hub's answer, which may not reach the shop."""
        if self.heard(actor, sending) and 200 <= status < 300:
            topic = sending.headers["X-Shopify-Topic"]
            digest = hashlib.sha256(sending.body).hexdigest()
            self.acked[sending.event] = (f"{topic}:{sending.event}", digest)
        else:
            self.again(sending)


class Dropping:
    """Files that senders put into the drop folders in the course of the day."""

    def __init__(self, scheduler: Scheduler, day: DayOfTrade, folder: Path) -> None:
        self._scheduler = scheduler
        self._folder = folder / "drop"
        self._opening = day.opening_stock
        self.left = 0
        self._plan("feed", "opening.csv", day.opening_stock, 1.0)
        dice = scheduler.dice
        for number, (location, body) in enumerate(day.poslogs.items(), 1):
            at = TRADE_SECONDS * number / (len(day.poslogs) + 1) + dice.between(0, 300)
            name = f"poslog-{location}.xml"
            self._plan("stores", name, body, at)
            if dice.chance(0.3):  # the whole day again under another name
                self._plan("stores", f"again-{name}", body, at + dice.between(1, 1800))

    def _plan(self, connection: str, name: str, body: bytes, at: float) -> None:
        def drop() -> None:
            self.left -= 1
            (self._folder / connection / name).write_bytes(body)
            self._scheduler.tell("files")

        self.left += 1
        self._scheduler.later(at, drop)

    def put(self, connection: str, name: str, body: bytes, at: float) -> None:
        """One file more, at a time of the run."""
        self._plan(connection, name, body, at)

    def poison(self, at: float) -> None:
        """A stock level the run's tables refuse: the write fails, not the reading."""
        head, *rows = self._opening.splitlines()
        row = next(row for row in rows if row.startswith(b"ITEM-1029,"))
        key, _, _ = row.rsplit(b",", 2)
        poisoned = key + b",5000000000,"  # counted when it comes
        self._plan("feed", "poison.csv", b"\n".join((head, poisoned, b"")), at)

    @property
    def waiting(self) -> int:
        """Files not dropped yet, or not taken out of the folders."""
        there = [path for path in self._folder.rglob("*") if path.is_file()]
        return self.left + len(there)


class Line:
    """The Transport of one actor: carries calls to the twins, with what can go wrong on the way."""

    def __init__(self, actor: Actor, far: Mapping[str, Callable[[Call], Answer]]) -> None:
        """far: answers by host name."""
        self._actor = actor
        self._far = far

    def send(self, request: Request) -> Response:
        """The answer after a moment of virtual time; raises RetryLater."""
        actor, scheduler = self._actor, self._actor.scheduler
        parts = urlsplit(request.url)
        actor.point("call", f"{request.method} {parts.path}")
        answer = self._far[str(parts.hostname)]
        call = _call(request)
        fault = self._fault()
        if fault:
            scheduler.counts[f"fault: call {fault}"] += 1
        actor.rest(scheduler.dice.between(2, 200) / 1000.0)
        found = self._carried(fault, call, answer, request.timeout_seconds)
        actor.point("answered", str(found.status))
        return _response(found)

    def _fault(self) -> str:
        scheduler = self._actor.scheduler
        if not scheduler.faulty:
            return ""
        for name, chance in scheduler.plan.calls.items():
            if scheduler.dice.chance(chance):
                return name
        return ""

    def _carried(
        self, fault: str, call: Call, answer: Callable[[Call], Answer], seconds: float
    ) -> Answer:
        actor = self._actor
        if fault == "refuse":
            raise RetryLater("connection refused")
        if fault in ("hang", "late"):
            if fault == "late":  # applied while nobody listens any more
                actor.scheduler.later(seconds + 60.0, lambda: _unheard(answer, call))
            actor.rest(seconds)
            raise RetryLater("no answer in time", unknown=True)
        if fault in ("error", "busy", "throttle"):
            status = {"error": 500, "busy": 503, "throttle": 429}[fault]
            wait = {} if fault == "error" else {"Retry-After": "7"}
            return Answer(status=status, body=b'{"error":{"code":"x","words":"y"}}', headers=wait)
        if fault == "reject":
            call = msgspec.structs.replace(call, headers={**call.headers, REJECTED: ""})
        found = answer(call)
        if fault == "unanswered":
            return Answer(status=0)
        if fault == "garbled":
            return msgspec.structs.replace(found, body=b"<html>proxy</html>")
        if fault == "slow":
            actor.rest(seconds * 0.9)
        return found


class Books:
    """A Transport that reaches the twins at once and without fault; the shop's orders as they
    ended.
    """

    def __init__(self, erp: Erp, day: DayOfTrade, clock: Clock) -> None:
        self._erp = erp
        self._shop = ShopifySimulator(day.stories, TOKEN, clock=clock)

    def send(self, request: Request) -> Response:
        """The answer."""
        if urlsplit(request.url).hostname == "shop.twin":
            return _response(self._shop._answer(_call(request)))
        return _response(self._erp.answer(_call(request)))


def _call(request: Request) -> Call:
    parts = urlsplit(request.url)
    return Call(
        method=request.method,
        path=parts.path,
        query=parse_qs(parts.query),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.body,
    )


def _response(found: Answer) -> Response:
    if found.status == 0:
        raise RetryLater("the connection was cut", unknown=True)
    headers = {name.lower(): value for name, value in found.headers.items()}
    return Response(status=found.status, headers=headers, body=found.body)


def _unheard(answer: Callable[[Call], Answer], call: Call) -> None:
    """Carried out, and nobody is there to hear of it."""
    with contextlib.suppress(RetryLater):
        answer(call)


class Erp:
    """The sandbox ERP's rules and books in memory, in virtual time; `away` cuts every call."""

    def __init__(self, clock: Clock, key: str) -> None:
        self.books = ErpSimulator(":memory:", key, clock=clock)
        self.away = False
        self.found = 0
        self.looked = 0

    def answer(self, call: Call) -> Answer:
        """One call."""
        if self.away:
            raise RetryLater("connection refused")
        if REJECTED in call.headers and call.method == "POST":
            self.books.faults.add(Fault(do="refuse"))
        answer = self.books._answer(call)
        if call.method == "GET" and "external_id" in call.query and answer.status == 200:
            self.looked += 1
            self.found += answer.body != b'{"documents":[]}'
        return answer


class ShopApi:
    """The shop's API in memory: shows orders as they stand at the present moment."""

    def __init__(self, scheduler: Scheduler, clock: Clock, day: DayOfTrade, token: str) -> None:
        self._scheduler = scheduler
        self._day = day
        self._books = ShopifySimulator(day.stories, token, clock=clock)

    def answer(self, call: Call) -> Answer:
        """One call; after the hour of trade all orders are as they ended."""
        events = [state.at for story in self._day.stories for state in story.states]
        share = min(self._scheduler.elapsed / TRADE_SECONDS, 1.0)
        first, last = min(events), max(events)
        self._books.show(first + (last - first) * share)
        return self._books._answer(call)
