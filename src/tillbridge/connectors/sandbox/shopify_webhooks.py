"""The sandbox shop's webhook sender: signs, sends, retries, gives up, and keeps a witness.

As documented: HMAC-SHA256 of the raw body in base64; anything but a 2xx within 5 seconds is a
failure; a failed delivery is sent again 8 times within 4 hours with growing pauses, carrying the
body as it was (stale by then); after the eighth failure the subscription of its topic is deleted
and nothing more of that topic is sent. Time can be compressed by a factor.

The witness is an append-only file of JSON lines, forced to disk: `sent` before an attempt leaves,
`acked` after its 2xx. What it says was acknowledged, the hub must have, whoever was killed when.
"""

from __future__ import annotations

import base64
import hashlib
import heapq
import hmac
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Literal

import msgspec

from tillbridge.atoms.clock import Clock, SystemClock
from tillbridge.atoms.errors import RetryLater
from tillbridge.connectors.sandbox.dice import Dice
from tillbridge.connectors.sandbox.shop_day import Delivery
from tillbridge.contract.transport import Request, Transport

# Pauses before the 8 retries, seconds; together 4 hours.
RETRY_PAUSES = (60, 180, 420, 900, 1800, 2640, 3600, 4800)
TIMEOUT_SECONDS = 5.0
SIGNATURE = "X-Shopify-Hmac-Sha256"


class Witnessed(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the witness: what was sent or acknowledged, with the body's hash."""

    what: Literal["sent", "acked", "failed", "gave_up"]
    topic: str
    event: str
    webhook: str
    sha256: str
    attempt: int
    status: int = 0
    at: str = ""


class Witness:
    """The file; a line is on disk when `write` returns."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._file = path.open("ab")

    def write(self, *lines: Witnessed) -> None:
        """Append lines and force them to disk together."""
        text = b"".join(msgspec.json.encode(line) + b"\n" for line in lines)
        with self._lock:
            self._file.write(text)
            self._file.flush()
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()


def read_witness(path: Path) -> list[Witnessed]:
    """Lines of a witness; a last line torn by a kill is left out."""
    found = []
    for line in path.read_bytes().split(b"\n"):
        try:
            found.append(msgspec.json.decode(line, type=Witnessed))
        except msgspec.DecodeError:
            continue
    return found


def acknowledged(path: Path) -> dict[tuple[str, str], str]:
    """(topic, event) -> hash of the body, for everything the hub answered with 2xx."""
    return {
        (line.topic, line.event): line.sha256 for line in read_witness(path) if line.what == "acked"
    }


def sign(body: bytes, secret: str) -> str:
    """The signature over the raw bytes."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def disturb(
    deliveries: Sequence[Delivery], seed: int, doubled: float = 0.05, moved: float = 0.05
) -> tuple[Delivery, ...]:
    """The same deliveries with some sent twice and some late, by dice."""
    dice = Dice(seed)
    places: list[tuple[float, Delivery]] = []
    for place, delivery in enumerate(deliveries):
        late = dice.between(1, 12) + 0.5 if dice.chance(moved) else 0.0
        places.append((place + late, delivery))
        if dice.chance(doubled):
            again = msgspec.structs.replace(
                delivery,
                headers={**delivery.headers, "X-Shopify-Webhook-Id": dice.uuid()},
                note="the same event again",
            )
            places.append((place + dice.between(0, 12) + 0.7, again))
    return tuple(delivery for _, delivery in sorted(places, key=lambda one: one[0]))


class Report(msgspec.Struct, kw_only=True):
    """How a run went: deliveries given, attempts made, acknowledged, given up, never sent because
    their subscription was deleted; topics whose subscription is gone.
    """

    deliveries: int = 0
    attempts: int = 0
    acknowledged: int = 0
    gave_up: int = 0
    unsent: int = 0
    deleted: set[str] = msgspec.field(default_factory=set)


class WebhookSender:
    """Sends deliveries of one shop to one address."""

    def __init__(
        self,
        address: str,
        secret: str,
        transport: Transport,
        witness: Path,
        *,
        compress: float = 1000.0,
        deletes_subscriptions: bool = True,
        clock: Clock | None = None,
    ) -> None:
        """address: URL that takes the webhooks. compress: how much faster the pauses pass."""
        self._address = address
        self._secret = secret
        self._transport = transport
        self._path = witness
        self._compress = compress
        self.deletes_subscriptions = deletes_subscriptions
        self.clock = clock or SystemClock()

    def send(
        self,
        deliveries: Iterable[Delivery],
        *,
        workers: int = 1,
        after_each: Callable[[Delivery, int], None] | None = None,
    ) -> Report:
        """Send all, retry what fails, until everything is acknowledged or given up.

        workers: attempts in flight; 1 keeps the given order. after_each: told every attempt's
        delivery and status (0 = no answer).
        """
        with closing(Witness(self._path)) as witness:
            run = _Run(self, witness, deliveries, after_each)
            if workers == 1:
                while run.step():
                    pass
                return run.report
            with ThreadPoolExecutor(workers) as threads:
                for done in [threads.submit(run.work) for _ in range(workers)]:
                    done.result()
            return run.report

    def forge(self, delivery: Delivery) -> int:
        """Send a delivery with a wrong signature, once; the status (0 = no answer)."""
        return self._post(delivery, sign(delivery.body, self._secret + "?"))

    def post(self, delivery: Delivery) -> int:
        """One attempt; the status (0 = no answer)."""
        return self._post(delivery, sign(delivery.body, self._secret))

    def pause(self, attempt: int) -> float:
        """Seconds before the next attempt, compressed."""
        return RETRY_PAUSES[attempt - 1] / self._compress

    def _post(self, delivery: Delivery, signature: str) -> int:
        request = Request(
            method="POST",
            url=self._address,
            headers={**delivery.headers, SIGNATURE: signature},
            body=delivery.body,
            timeout_seconds=TIMEOUT_SECONDS,
        )
        try:
            return self._transport.send(request).status
        except RetryLater:
            return 0


class _Run:
    """One `send`: what is due when, and what became of it."""

    def __init__(
        self,
        sender: WebhookSender,
        witness: Witness,
        deliveries: Iterable[Delivery],
        after_each: Callable[[Delivery, int], None] | None,
    ) -> None:
        self._sender = sender
        self._witness = witness
        self._after_each = after_each
        self._clock = sender.clock
        self._deletes = sender.deletes_subscriptions
        self._lock = threading.Lock()
        start = self._clock.monotonic()
        self._due = [(start, place, 1, one) for place, one in enumerate(deliveries)]
        self.report = Report(deliveries=len(self._due))

    def work(self) -> None:
        """Step until nothing is due any more."""
        while self.step():
            pass

    def step(self) -> bool:
        """Make the next attempt when its time has come; False when nothing is left."""
        with self._lock:
            if not self._due:
                return False
            due, place, attempt, delivery = heapq.heappop(self._due)
        wait = due - self._clock.monotonic()
        if wait > 0:
            self._clock.sleep(wait)
        if delivery.topic in self.report.deleted:
            with self._lock:
                self.report.unsent += 1
            return True
        self._write("sent", delivery, attempt, 0)
        status = self._sender.post(delivery)
        self._judge(delivery, place, attempt, status)
        if self._after_each:
            self._after_each(delivery, status)
        return True

    def _judge(self, delivery: Delivery, place: int, attempt: int, status: int) -> None:
        taken = 200 <= status < 300
        gave_up = not taken and attempt > len(RETRY_PAUSES)
        what: Literal["acked", "failed", "gave_up"] = "acked" if taken else "failed"
        self._write("gave_up" if gave_up else what, delivery, attempt, status)
        with self._lock:
            self.report.attempts += 1
            self.report.acknowledged += taken
            if gave_up:
                self.report.gave_up += 1
                if self._deletes:
                    self.report.deleted.add(delivery.topic)
            elif not taken:
                due = self._clock.monotonic() + self._sender.pause(attempt)
                heapq.heappush(self._due, (due, place, attempt + 1, delivery))

    def _write(
        self,
        what: Literal["sent", "acked", "failed", "gave_up"],
        delivery: Delivery,
        attempt: int,
        status: int,
    ) -> None:
        headers: Mapping[str, str] = delivery.headers
        line = Witnessed(
            what=what,
            topic=delivery.topic,
            event=delivery.event,
            webhook=headers["X-Shopify-Webhook-Id"],
            sha256=hashlib.sha256(delivery.body).hexdigest(),
            attempt=attempt,
            status=status,
            at=self._clock.now().isoformat(),
        )
        self._witness.write(line)
