"""Sends a day of trade at the hub as the outside world does: signed webhooks, files in folders."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from tillbridge.connectors.sandbox.retailer import DayOfTrade
from tillbridge.connectors.sandbox.shopify_webhooks import Report, WebhookSender
from tillbridge.contract.transport import Transport

WITNESS = Path(".tillbridge") / "webhooks-sent.jsonl"
ORDERLY_MOST = 200  # orders; a larger day is sent over several connections at once
_MANY = 8


class Sent(msgspec.Struct, frozen=True):
    """What the shop's sender saw: deliveries, attempts, answered 2xx, and what became of a forgery.

    odd: deliveries that came again, overtook another or carried an old version.
    """

    deliveries: int
    attempts: int
    acknowledged: int
    odd: int
    forged: int
    forged_status: int


def drop_stock(workspace: Path, day: DayOfTrade) -> None:
    """The opening stock of the morning as a CSV file for the feed."""
    _drop(workspace / "drop" / "feed", f"stock-{day.day.isoformat()}.csv", day.opening_stock)


def drop_till_files(workspace: Path, day: DayOfTrade) -> int:
    """A POSLog per store; gives how many."""
    for location, body in day.poslogs.items():
        _drop(workspace / "drop" / "stores", f"poslog-{location}-{day.day.isoformat()}.xml", body)
    return len(day.poslogs)


def _drop(folder: Path, name: str, body: bytes) -> None:
    """Written beside and renamed, as a careful sender does."""
    draft = folder / f"{name}.part"
    with draft.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(folder / name)


def waiting_files(workspace: Path) -> int:
    """Files not yet taken out of the drop folders."""
    return sum(
        1
        for folder in (workspace / "drop").iterdir()
        for file in folder.iterdir()
        if file.is_file()
    )


def send_webhooks(
    workspace: Path,
    day: DayOfTrade,
    address: str,
    secret: str,
    transport: Transport,
    told: Callable[[int, int], None],
) -> Sent:
    """Every delivery of the day, signed, over HTTP, until it is acknowledged; and one forgery."""
    sender = WebhookSender(f"{address}/in/web", secret, transport, workspace / WITNESS)
    total = len(day.deliveries)
    done = 0

    def after_each(_delivery: object, status: int) -> None:
        nonlocal done
        done += 200 <= status < 300
        told(done, total)

    forged = sender.forge(day.deliveries[0])
    workers = 1 if len(day.orders) <= ORDERLY_MOST else _MANY
    report: Report = sender.send(day.deliveries, workers=workers, after_each=after_each)
    return Sent(
        deliveries=report.deliveries,
        attempts=report.attempts,
        acknowledged=report.acknowledged,
        odd=sum(1 for delivery in day.deliveries if delivery.note),
        forged=1,
        forged_status=forged,
    )
