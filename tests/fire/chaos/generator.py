"""The shop and the stores outside the hub: a process that sends days of trade and keeps a witness.

    python -m tests.fire.chaos.generator ADDRESS SECRET FOLDER SEED RATE POISON FILES

Orders, payments, shipments, refunds and cancellations as signed webhooks at RATE per second, with
duplicates, overtaking and a share of POISON among them; a store's day as a file now and then, put
into FILES. FOLDER holds the witness (forced to disk before an attempt leaves and after its 2xx),
`files.txt` with the files' hashes, and `stop`, which ends the run when somebody makes it. What is
not answered with 2xx is sent again, 8 times within a minute.
"""

from __future__ import annotations

import hashlib
import os
import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from tillbridge.connectors.sandbox.retailer import DAY, DayOfTrade, day_of_trade
from tillbridge.connectors.sandbox.shop_day import Delivery
from tillbridge.connectors.sandbox.shopify_webhooks import WebhookSender
from tillbridge.contract.httpx_transport import HttpTransport

WITNESS, DROPPED, STOP = "witness.jsonl", "files.txt", "stop"
POISON = "poison-"
"""How the event id of a poisoned delivery begins."""
ORDERS_A_DAY = 60
COMPRESS = 240.0
IN_FLIGHT = 8
_BODIES = (
    b"this is no JSON %d",
    b'{"id": 7700000000%d, "name": "#1", "name": "#2", "total_price": 1e999}',
    b'{"id": 7700000000%d}',
    b'{"id": 7700000000%d, "name": "\\u0000", "line_items": "none"}',
    b'{"id": 7700000000%d, "deep": ' + b"[" * 5_000,
    b'{"id": 7700000000%d, "currency": "XXX", "line_items": [{"id": 1, "quantity": -1}]}',
)


def poisoned(number: int) -> Delivery:
    """A signed delivery that no parser or translator can take."""
    headers = {
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Event-Id": f"{POISON}{number}",
        "X-Shopify-Webhook-Id": f"{POISON}w-{number}",
        "X-Shopify-Shop-Domain": "sandbox.myshopify.com",
        "Content-Type": "application/json",
    }
    body = _BODIES[number % len(_BODIES)] % number
    return Delivery(topic="orders/create", order=0, headers=headers, body=body)


def days(seed: int) -> Iterator[DayOfTrade]:
    """Day after day, each another one."""
    for number in range(999):
        yield day_of_trade(seed * 37 + number, ORDERS_A_DAY, DAY + timedelta(days=number))


def _drop(folder: Path, told: Path, day: DayOfTrade) -> None:
    """The stores' files of a day, each forced to disk before it shows; then noted."""
    for location, body in day.poslogs.items():
        draft = folder / f".{location}.part"
        with draft.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(folder / f"poslog-{location}-{day.seed}-{day.day.isoformat()}.xml")
        with told.open("a") as notes:
            notes.write(f"{hashlib.sha256(body).hexdigest()}\n")
            notes.flush()
            os.fsync(notes.fileno())


def run(
    sender: WebhookSender, folder: Path, seed: int, pace: tuple[float, float], files: Path
) -> None:
    """Send until `stop` stands in the folder; pace: webhooks per second, share of poison."""
    rate, poison = pace
    dice = random.Random(seed)  # noqa: S311 - trade, no secret
    stop = folder / STOP
    sent = 0
    began = time.monotonic()
    with ThreadPoolExecutor(IN_FLIGHT) as threads:
        for day in days(seed):
            try:
                _drop(files, folder / DROPPED, day)
            except OSError:  # the disk is full: the store sends its file another day
                sys.stderr.write(f"no room for the files of {day.day}\n")
            for delivery in day.deliveries:
                group = [delivery]
                if dice.random() < poison:
                    group.append(poisoned(sent))
                threads.submit(sender.send, group)
                sent += len(group)
                while began + sent / rate > time.monotonic() or threads._work_queue.qsize() > 200:
                    if stop.exists():
                        return
                    time.sleep(0.01)


def main(arguments: list[str]) -> None:
    """See the module."""
    address, secret, folder, seed, rate, poison, files = arguments
    transport = HttpTransport(("127.0.0.1",))
    sender = WebhookSender(
        address,
        secret,
        transport,
        Path(folder) / WITNESS,
        compress=COMPRESS,
        deletes_subscriptions=False,
    )
    run(sender, Path(folder), int(seed), (float(rate), float(poison)), Path(files))
    transport.close()


if __name__ == "__main__":
    main(sys.argv[1:])
