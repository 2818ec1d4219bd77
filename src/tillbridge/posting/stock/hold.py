"""A hold: what one key has reserved as a whole, and the facts that tell what became of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from tillbridge.canonical.fact import Entities
from tillbridge.canonical.stock import (
    HoldConfirmed,
    HoldMoved,
    HoldReleased,
    StockHeld,
    StockLine,
    StockReserved,
    StockShort,
)
from tillbridge.posting.stock.levels import Bucket
from tillbridge.posting.stock.reserve import one_place

MAPPING = "hub/1"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOBODY = Entities(selling="")


class Hold(msgspec.Struct, gc=False):
    """What a key holds and the last answer it got.

    version: of the last request answered for an order; counted from 1 for a hold made at the hub's
    own door (desk); 0 = the key never held anything. lines: what is reserved, each with its
    location. locations, split_most: where it may stand, in order of preference. placed_at: since
    when the key wants stock. ended: why it ended, one of HOLD_ENDS, "" while it lives. turn: how
    often an order's last request was answered anew. backorder, preorder: what of it may be promised
    out of supply; promised: whether something is.
    """

    key: str
    version: int = 0
    ok: bool = True
    short: str = ""
    kind: str = "firm"
    channel: str = ""
    expires_at: datetime | None = None
    locations: tuple[str, ...] = ()
    split_most: int = 1
    placed_at: datetime = EPOCH
    desk: bool = False
    ended: str = ""
    turn: int = 0
    backorder: bool = False
    preorder: tuple[str, ...] = ()
    promised: bool = False
    lines: tuple[StockLine, ...] = ()

    @property
    def places(self) -> set[Bucket]:
        """The stock rows it stands on."""
        return {Bucket(line.location, line.product) for line in self.lines}

    def is_past(self, now: datetime) -> bool:
        """Whether its time is over, swept or not."""
        return self.ended == "" and self.expires_at is not None and self.expires_at <= now


def held(hold: Hold, at: datetime) -> StockHeld:
    """A hold was granted at the hub's own door."""
    return StockHeld(
        key=hold.key,
        id=f"{hold.key}/hold/{hold.version}",
        source="hub",
        mapping=MAPPING,
        occurred_at=at,
        business_date=at.date(),
        entities=NOBODY,
        kind=hold.kind,
        channel=hold.channel,
        lines=hold.lines,
        expires_at=hold.expires_at,
        locations=hold.locations,
        split_most=hold.split_most,
    )


def confirmed(hold: Hold, order: str, at: datetime) -> HoldConfirmed:
    """A soft hold became firm."""
    return HoldConfirmed(
        key=hold.key,
        id=f"{hold.key}/hold/{hold.version}",
        source="hub",
        mapping=MAPPING,
        occurred_at=at,
        business_date=at.date(),
        entities=NOBODY,
        version=hold.version,
        order=order,
    )


def released(hold: Hold, at: datetime) -> HoldReleased:
    """A hold ended without goods; the reason is the hold's own."""
    return HoldReleased(
        key=hold.key,
        id=f"{hold.key}/hold/{hold.version}",
        source="hub",
        mapping=MAPPING,
        occurred_at=at,
        business_date=at.date(),
        entities=NOBODY,
        version=hold.version,
        reason=hold.ended,
    )


def moved(hold: Hold, at: datetime) -> HoldMoved:
    """A hold stands elsewhere now."""
    return HoldMoved(
        key=hold.key,
        id=f"{hold.key}/hold/{hold.version}",
        source="hub",
        mapping=MAPPING,
        occurred_at=at,
        business_date=at.date(),
        entities=NOBODY,
        version=hold.version,
        lines=hold.lines,
    )


def reserved(hold: Hold, at: datetime, promised: tuple[StockLine, ...] = ()) -> StockReserved:
    """An order's request is answered yes. at: the instant of its cause."""
    return StockReserved(
        key=hold.key,
        id=f"{_answer(hold)}/reserved",
        source="hub",
        mapping=MAPPING,
        occurred_at=at,
        business_date=at.date(),
        entities=NOBODY,
        version=hold.version,
        location=one_place((*hold.lines, *promised)),
        lines=hold.lines,
        promised=promised,
        turn=hold.turn,
    )


def short(
    hold: Hold, product: str, wanted: int, free: int, at: datetime, location: str = ""
) -> StockShort:
    """An order's request is answered no, or no longer yes."""
    return StockShort(
        key=hold.key,
        id=f"{_answer(hold)}/short",
        source="hub",
        mapping=MAPPING,
        occurred_at=at,
        business_date=at.date(),
        entities=NOBODY,
        version=hold.version,
        product=product,
        wanted=wanted,
        free=free,
        location=location,
        turn=hold.turn,
    )


def _answer(hold: Hold) -> str:
    turn = f"/{hold.turn}" if hold.turn else ""
    return f"{hold.key}/hold/{hold.version}{turn}"


def named_after(lines: Sequence[StockLine], pieces: Sequence[StockLine]) -> tuple[StockLine, ...]:
    """Pieces of a cart, told as lines of the order that takes them over.

    Their lines need not have the same names. What the order does not want is of no line.
    """
    left: dict[Bucket, int] = {}
    for piece in pieces:
        bucket = Bucket(piece.location, piece.product)
        left[bucket] = left.get(bucket, 0) + piece.quantity
    out: list[StockLine] = []
    for line in lines:
        wanted = line.quantity
        for bucket, quantity in left.items():
            taken = min(wanted, quantity)
            if bucket.product == line.product and taken:
                left[bucket] = quantity - taken
                wanted -= taken
                out.append(StockLine(line.line, line.product, taken, bucket.location))
    out.extend(StockLine("", b.product, rest, b.location) for b, rest in left.items() if rest)
    return tuple(out)
