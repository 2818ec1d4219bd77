"""A fashion retailer of 300 stores: places and names, stock of the morning, tills that tell late.

The example retailer's stores keep their names, the others are added. Every store has the product on
sale on its shelf; the shop sells from some of them. All tills sold pieces before the flash and
tell only in the middle of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from tests.fire.flash_sale.plan import HOT, WAREHOUSE, Plan
from tillbridge.connectors.sandbox.assortment import (
    BY_LOCATION,
    PRODUCTS,
    Location,
    Product,
    XrefRow,
    late_row,
    xref_rows,
)
from tillbridge.connectors.sandbox.poslog_files import poslog_file
from tillbridge.connectors.sandbox.till_day import Receipt, TillDay, TillLine, TillTender

ZONE = "America/New_York"
KNOWN = ("store-nyc", "store-bos")
FIRST_STORE_ID = 1_000
PLENTY = 900_000
SHELF_PIECES = 5
"""Pieces in a store that the shop does not sell from."""
COUNTED_BEFORE = timedelta(hours=6)
SOLD_BEFORE = timedelta(hours=2)


class Sale(msgspec.Struct, frozen=True):
    """What a store's tills sold of the product on sale before anybody was told."""

    store: str
    pieces: int


def stores(plan: Plan) -> list[Location]:
    """All stores of the American entity, the known ones first."""
    found = [BY_LOCATION[code] for code in KNOWN]
    for number in range(len(found) + 1, plan.stores + 1):
        till, feed = str(FIRST_STORE_ID + number), f"S{number:03d}"
        code, title = f"store-{number:03d}", f"Store {number}"
        found.append(Location(code, "us", title, "USD", "", till, feed, ZONE))
    return found[: plan.stores]


def shelves(plan: Plan) -> list[str]:
    """The stores that the shop sells from."""
    return [store.code for store in stores(plan)[: plan.shelves]]


def places(plan: Plan) -> list[str]:
    """Everything that the shop sells from, in order of preference."""
    return [WAREHOUSE, *shelves(plan)]


def settings(plan: Plan) -> str:
    """Locations that the example workspace does not have, as its file takes them."""
    added = [store for store in stores(plan) if store.code not in KNOWN]
    return "".join(
        f'\n[[location]]\ncode = "{store.code}"\nentity = "us"\ntimezone = "{ZONE}"\n'
        for store in added
    )


def names(plan: Plan) -> list[XrefRow]:
    """Cross-references of the example and of the added stores."""
    found = [*xref_rows(), late_row()]
    for store in stores(plan):
        if store.code not in KNOWN:
            found.append(XrefRow("stores", "location", store.store_id, store.code))
            found.append(XrefRow("feed", "location", store.feed_id, store.code))
    return found


def opening(plan: Plan, now: datetime) -> str:
    """The stock of the morning: plenty of everything but the product on sale."""
    counted = (now - COUNTED_BEFORE).isoformat(timespec="seconds")
    east = BY_LOCATION[WAREHOUSE].feed_id
    lines = ["product,location,quantity,counted"]
    for product in PRODUCTS:
        pieces = plan.pieces if product == HOT else PLENTY
        lines.append(f"{product.item},{east},{pieces},{counted}")
    for number, store in enumerate(stores(plan)):
        pieces = 1 if number < plan.shelves else SHELF_PIECES
        lines.append(f"{HOT.item},{store.feed_id},{pieces},{counted}")
    return "\n".join(lines) + "\n"


def sales(plan: Plan) -> list[Sale]:
    """Every fifth of the shop's shelves is empty in truth; the other stores sold one or two."""
    found = []
    for number, store in enumerate(stores(plan)):
        if number >= plan.shelves:
            found.append(Sale(store.code, 1 + number % 2))
        elif number % 5 == 0:
            found.append(Sale(store.code, 1))
        else:
            found.append(Sale(store.code, 0))
    return found


def write_poslogs(plan: Plan, now: datetime, folder: Path) -> list[Path]:
    """One file per store in a folder; gives them in the order in which they come."""
    opened = (now - SOLD_BEFORE).astimezone(ZoneInfo(ZONE)).replace(microsecond=0)
    written = []
    for store, sale in zip(stores(plan), sales(plan), strict=True):
        path = folder / f"poslog-{store.code}.xml"
        path.write_bytes(poslog_file(_day(store, opened, sale.pieces)))
        written.append(path)
    return written


def _day(store: Location, opened: datetime, pieces: int) -> TillDay:
    """Four sales: one of it is taken back, the last one is of the product on sale."""
    numbers = iter(range(1, 99))
    sign_on, loan = next(numbers), next(numbers)
    receipts = list(_receipts(opened, numbers, pieces))
    voided = receipts[0].sequence
    return TillDay(
        location=store,
        day=opened.date(),
        opened=opened,
        receipts=tuple(receipts),
        sign_on=sign_on,
        loan=loan,
        post_void=next(numbers),
        voided=voided,
        settle=next(numbers),
        sign_off=next(numbers),
        closed=opened + timedelta(hours=1),
    )


def _receipts(opened: datetime, numbers: Iterator[int], pieces: int) -> Iterator[Receipt]:
    cheap: Product = PRODUCTS[-2]
    wanted = [(cheap, 1), (cheap, 2), (HOT, pieces)]
    for number, (product, quantity) in enumerate(wanted, 1):
        if quantity:
            line = TillLine(product, quantity, product.price)
            yield Receipt(
                sequence=next(numbers),
                at=opened + timedelta(minutes=10 * number),
                lines=(line,),
                taxes=(),
                tenders=(TillTender("CreditDebit", line.net),),
            )
