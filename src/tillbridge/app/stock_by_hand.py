"""What a person tells of goods: items from a file, a correction, goods moved. Through the log.

The facts are those of any other source; the flow books them. What the stock book would refuse is
refused here, in words, before anything is written.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from tillbridge.atoms import csv_cells
from tillbridge.atoms.errors import NeedsDecision, Refused
from tillbridge.atoms.ids import lane_of
from tillbridge.atoms.quantity import QuantityError, to_text, to_thousandths
from tillbridge.canonical.fact import Entities, Fact
from tillbridge.canonical.items import Component, ItemDescribed, Pack
from tillbridge.canonical.stock import (
    SELLABLE,
    ConditionChanged,
    StockAdjusted,
    StockLine,
    TransferDispatched,
    TransferReceived,
)
from tillbridge.durable import audit, log
from tillbridge.durable.rooms import Connection, Record
from tillbridge.posting.stock.bookings import booking
from tillbridge.posting.stock.descriptions import item_of
from tillbridge.posting.stock.items import Items

COLUMNS = (
    "product", "version", "title", "unit", "step", "category", "sellable", "packs", "components",
)  # fmt: skip
ON_HAND = "select on_hand from stock where location = %s and product = %s and condition = %s"
_FLAGS = {"": True, "yes": True, "no": False}


class Hand(msgspec.Struct, frozen=True):
    """Who tells something, when, under which number, for which entity; `places` are ours."""

    actor: str
    at: datetime
    number: str
    entity: str
    places: frozenset[str] = frozenset()

    def fact(self, kind: str) -> dict[str, object]:
        """What a fact of this hand carries."""
        key = f"{kind}/hub/{self.number}"
        return {**self.told(), "key": key, "id": key}

    def told(self) -> dict[str, object]:
        """What all facts of this hand share."""
        return {
            "source": "hub",
            "mapping": "hub/1",
            "occurred_at": self.at,
            "business_date": self.at.date(),
            "entities": Entities(selling=self.entity),
        }


class Where(msgspec.Struct, frozen=True):
    """A place and the condition goods are in there."""

    location: str
    condition: str = SELLABLE


def where_of(text: str) -> Where:
    """`wh-east` or `wh-east:damaged`."""
    location, _, condition = text.partition(":")
    return Where(location, condition or SELLABLE)


def read_items(path: Path, hand: Hand) -> list[ItemDescribed]:
    """Items of a CSV file with COLUMNS; raises Refused with every mistake as file:line: words.

    packs and components are written `CS=12;PAL=480`: so much of the base unit in one.
    """
    found: list[ItemDescribed] = []
    problems: list[str] = []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [name for name in COLUMNS[:2] if name not in (reader.fieldnames or ())]
            if missing:
                raise Refused(f"{path}:1: no column {', '.join(missing)}")
            for row in reader:
                cells = {name: csv_cells.unguarded(row.get(name) or "") for name in COLUMNS}
                try:
                    found.append(_item(cells, hand))
                except (NeedsDecision, QuantityError, ValueError) as problem:
                    problems.append(f"{path}:{reader.line_num}: {problem}")
    except (UnicodeDecodeError, csv.Error, OSError) as problem:
        raise Refused(f"{path}: is no CSV file in UTF-8: {problem}") from None
    if problems:
        raise Refused("\n".join(problems[:20]))
    return found


def _item(cells: dict[str, str], hand: Hand) -> ItemDescribed:
    product, version = cells["product"], cells["version"]
    if not product or not version or cells["sellable"] not in _FLAGS:
        raise ValueError("product and version are needed, and sellable is yes or no")
    key = f"item/hub/{product}"
    body = msgspec.convert(
        {
            **hand.told(),
            "key": key,
            "id": f"{key}@{version}",
            "product": product,
            "version": version,
            "title": cells["title"],
            "unit": cells["unit"] or "EA",
            "step": to_thousandths(cells["step"] or "1"),
            "category": cells["category"],
            "sellable": _FLAGS[cells["sellable"]],
            "packs": [Pack(*pair) for pair in _pairs(cells["packs"])],
            "components": [Component(*pair) for pair in _pairs(cells["components"])],
        },
        ItemDescribed,
    )
    item_of(body)
    return body


def _pairs(text: str) -> list[tuple[str, int]]:
    pairs = [piece.partition("=") for piece in text.split(";") if piece.strip()]
    return [(name.strip(), to_thousandths(quantity.strip())) for name, _, quantity in pairs]


def describe(connection: Connection, items: Sequence[ItemDescribed], hand: Hand) -> None:
    """Tell items. Commits."""
    told = {"items": len(items), "products": [body.product for body in items[:100]]}
    _tell(connection, items, hand, "items.import", f"{len(items)} items", told)


def adjust(
    connection: Connection, place: Where, line: StockLine, reason: str, hand: Hand
) -> StockAdjusted:
    """Correct what is on hand by a signed quantity. Commits; raises Refused."""
    placed = msgspec.structs.replace(line, location=place.location, condition=place.condition)
    fact = msgspec.convert(
        {**hand.fact("adjustment"), "lines": [placed], "reason": reason}, StockAdjusted
    )
    _check(connection, [fact], hand)
    _tell(connection, [fact], hand, "stock.adjust", f"{placed.location}/{placed.product}", fact)
    return fact


def move(
    connection: Connection, origin: Where, to: Where, line: StockLine, reason: str, hand: Hand
) -> list[Fact]:
    """Goods from one place or condition to another: a change of condition where they are, else a
    transfer sent and received at once. Commits; raises Refused, also for more than is there: what a
    person moves is on hand, and where the book says otherwise it is the book that is wrong.
    """
    facts: list[Fact]
    if origin.location == to.location:
        placed = msgspec.structs.replace(line, location=to.location, condition=to.condition)
        told = {"lines": [placed], "before": origin.condition, "reason": reason}
        facts = [msgspec.convert({**hand.fact("condition"), **told}, ConditionChanged)]
    else:
        key = f"transfer/{hand.number}"
        way = {
            **hand.told(),
            "key": key,
            "transfer": hand.number,
            "origin": origin.location,
            "destination": to.location,
        }
        sent = msgspec.structs.replace(line, condition=origin.condition)
        came = msgspec.structs.replace(line, condition=to.condition)
        facts = [
            msgspec.convert({**way, "id": f"{key}/dispatch", "lines": [sent]}, TransferDispatched),
            msgspec.convert({**way, "id": f"{key}/arrival", "lines": [came]}, TransferReceived),
        ]
    _check(connection, facts, hand)
    _there(connection, origin, line)
    subject = f"{origin.location}:{origin.condition} to {to.location}:{to.condition}"
    _tell(connection, facts, hand, "stock.move", subject, line)
    return facts


def _check(connection: Connection, facts: Sequence[Fact], hand: Hand) -> None:
    """Refuse what the stock book would refuse, and a product nobody ever told of."""
    items = Items(connection)
    try:
        for fact in facts:
            found = booking(fact, hand.places)
            lines = found.lines if found else ()
            items.load(line.product for line in lines)
            items.expand(lines)
            for line in lines:
                known(connection, items, line.product)
    except NeedsDecision as problem:
        raise Refused(problem.words, code=problem.reason) from None


def _there(connection: Connection, origin: Where, line: StockLine) -> None:
    """Nothing when the book has what is to be moved; raises Refused."""
    items = Items(connection)
    items.load([line.product])
    for piece in items.expand([line]):
        place = (origin.location, piece.product, origin.condition)
        row = connection.execute(ON_HAND, place).fetchone()
        held = row[0] if row is not None else 0
        if piece.quantity > held:
            raise Refused(
                f"{origin.location} has {to_text(held)} of {piece.product} {origin.condition}, "
                f"not {to_text(piece.quantity)}; if they are there, correct the book first: "
                f"tillbridge stock adjust {piece.product} {origin.location}:{origin.condition} "
                f"{to_text(piece.quantity - held)} --reason found",
                code="not_on_hand",
            )


def known(connection: Connection, items: Items, product: str) -> None:
    """Nothing for a product somebody told of; raises Refused. It has to be loaded in items."""
    if not items[product].described and not _held(connection, product):
        raise Refused(f"nobody ever told of a product {product!r}", code="product_unknown")


def _held(connection: Connection, product: str) -> bool:
    found = connection.execute("select 1 from stock where product = %s limit 1", (product,))
    return found.fetchone() is not None


def _tell(
    connection: Connection,
    facts: Sequence[Fact],
    hand: Hand,
    action: str,
    subject: str,
    after: object,
) -> None:
    audit.record(connection, hand.actor, action, subject, after=msgspec.to_builtins(after))
    log.append_and_commit(
        connection, [Record(f.key, type(f).__name__, f, lane_of(f.key)) for f in facts]
    )
