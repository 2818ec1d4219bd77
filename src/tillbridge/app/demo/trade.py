"""Sends a day of trade at the hub as the outside world does: signed webhooks, files in folders."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from tillbridge.app.demo.place import CARDS
from tillbridge.connectors.sandbox.card_files import card_file
from tillbridge.connectors.sandbox.payout_files import PayoutFiles
from tillbridge.connectors.sandbox.retailer import DayOfTrade
from tillbridge.connectors.sandbox.shop_payments import payment_deliveries
from tillbridge.connectors.sandbox.shopify_webhooks import Report, WebhookSender
from tillbridge.contract.transport import Transport

LOSES = "store-tor"
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


def drop_cards(workspace: Path, day: DayOfTrade) -> int:
    """The gift cards that are out there, a file per legal entity; gives how many."""
    for entity, name in CARDS.items():
        tills = [till for till in day.tills if till.location.entity == entity]
        body = card_file(tills, day.day)
        _drop(workspace / "drop" / name, f"cards-{day.day.isoformat()}.csv", body)
    return len(CARDS)


def lost_sale(day: DayOfTrade) -> tuple[str, int]:
    """The store whose log loses a sale on the way, and the number of the sale."""
    till = next(one for one in day.tills if one.location.code == LOSES)
    kept = {till.voided, *(one.origin for one in till.receipts)}
    receipt = next(r for r in till.receipts if not r.training and r.sequence not in kept)
    return LOSES, receipt.sequence


def drop_till_files(workspace: Path, day: DayOfTrade) -> int:
    """A POSLog per store, that of LOSES without one of its sales; gives how many."""
    location, sequence = lost_sale(day)
    bodies = {**day.poslogs, location: without(day.poslogs[location], sequence)}
    for store, body in bodies.items():
        _drop(workspace / "drop" / "stores", f"poslog-{store}-{day.day.isoformat()}.xml", body)
    return len(bodies)


def drop_whole_log(workspace: Path, day: DayOfTrade) -> str:
    """The log that had lost a sale, sent again whole; gives its name."""
    name = f"poslog-{LOSES}-{day.day.isoformat()}-again.xml"
    _drop(workspace / "drop" / "stores", name, day.poslogs[LOSES])
    return name


def drop_settlement(workspace: Path, files: PayoutFiles) -> tuple[str, ...]:
    """What provider and bank tell; gives the files' names below the drop folder."""
    told = (
        ("shop-pay", f"payouts-{files.paid_on}.json", files.payouts),
        ("shop-pay", f"balance-transactions-{files.paid_on}.json", files.transactions),
        ("house-bank", f"statement-{files.paid_on}.xml", files.statement),
    )
    for name, file, body in told:
        _drop(workspace / "drop" / name, file, body)
    return tuple(f"{name}/{file}" for name, file, _ in told)


def without(poslog: bytes, sequence: int) -> bytes:
    """A log that lost a transaction on the way; each stands on a line of its own."""
    number = f"<SequenceNumber>{sequence}</SequenceNumber><BusinessDayDate>".encode()
    return b"\n".join(line for line in poslog.split(b"\n") if number not in line)


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
    deliveries = (*day.deliveries, *payment_deliveries(day.seed, day.stories))
    total = len(deliveries)
    done = 0

    def after_each(_delivery: object, status: int) -> None:
        nonlocal done
        done += 200 <= status < 300
        told(done, total)

    forged = sender.forge(day.deliveries[0])
    workers = 1 if len(day.orders) <= ORDERLY_MOST else _MANY
    report: Report = sender.send(deliveries, workers=workers, after_each=after_each)
    return Sent(
        deliveries=report.deliveries,
        attempts=report.attempts,
        acknowledged=report.acknowledged,
        odd=sum(1 for delivery in day.deliveries if delivery.note),
        forged=1,
        forged_status=forged,
    )
