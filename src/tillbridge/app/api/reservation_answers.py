"""Reservations as the API takes and tells them, and what the desk's answers look like on the wire.

Quantities on the wire are decimal text or whole numbers of the item's base unit (or of `unit`);
inside they are thousandths.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from tillbridge.app.api.problems import refusal
from tillbridge.atoms.quantity import SCALE, to_text, to_thousandths
from tillbridge.canonical.stock import StockLine
from tillbridge.inbox.answers import Answer
from tillbridge.posting.stock.desk import Ask, Told

ENDS = {
    "expired": "its time is over",
    "released": "it was released",
    "short": "the goods were sold elsewhere or are gone",
    "taken_over": "an order took it over",
}
LINES_MOST = 100
LOCATIONS_MOST = 50
EXPIRES_IN = 900
EXPIRES_MOST = 7 * 86_400
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Wanted = (
    Annotated[int, msgspec.Meta(ge=1, le=10**9)]
    | Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,9}(\.[0-9]{1,3})?$", examples=["2", "0.65"])]
)
Places = Annotated[list[Code], msgspec.Meta(max_length=LOCATIONS_MOST)]


class LineAsked(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What is wanted of one product. line: the caller's name of it, its number by default."""

    product: Code
    quantity: Wanted
    unit: Annotated[str, msgspec.Meta(max_length=20)] = ""
    line: Annotated[str, msgspec.Meta(max_length=100)] = ""


def stock_lines(asked: Iterable[LineAsked]) -> tuple[StockLine, ...]:
    """Lines as the stock book takes them."""
    return tuple(
        StockLine(
            line.line or str(number), line.product, _thousandths(line.quantity), unit=line.unit
        )
        for number, line in enumerate(asked, 1)
    )


def _thousandths(wanted: int | str) -> int:
    return wanted * SCALE if isinstance(wanted, int) else to_thousandths(wanted)


def wrong_lines(lines: Sequence[StockLine]) -> str:
    """What is wrong with lines beyond their form, "" when nothing is."""
    for line in lines:
        if line.quantity <= 0:
            return f"Line {line.line} wants nothing of {line.product}."
    if len({line.line for line in lines}) < len(lines):
        return "Two lines have one name."
    return ""


class ReservationAsked(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Hold stock, all lines or none. locations: where to look, in order of preference; by default
    where the channel is served from. expires_in: seconds until a `soft` one ends by itself.
    """

    lines: Annotated[list[LineAsked], msgspec.Meta(min_length=1, max_length=LINES_MOST)]
    locations: Places = []
    kind: Literal["soft", "firm"] = "soft"
    expires_in: Annotated[int, msgspec.Meta(ge=1, le=EXPIRES_MOST)] = EXPIRES_IN


class Confirming(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """order: the number the reservation is for, when there is one already."""

    order: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Releasing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing more needs to be said."""


class Moving(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """locations: where it should stand instead, in order of preference."""

    locations: Annotated[list[Code], msgspec.Meta(min_length=1, max_length=LOCATIONS_MOST)]


class HeldLine(msgspec.Struct, frozen=True, gc=False):
    """A piece of a reservation; quantity: decimal text, in the base unit of the product."""

    line: str
    product: str
    quantity: str
    location: str


class Reservation(msgspec.Struct, frozen=True, gc=False):
    """A reservation. status: `held`, what was just done (`confirmed`,
    `moved`, `released`), or why it ended. expires_at: null for a firm one.
    """

    id: str
    status: str
    kind: str
    channel: str
    lines: list[HeldLine]
    expires_at: datetime | None


def told_of(ask: Ask, told: Told) -> tuple[int, bytes]:
    """Status and body of a desk's answer, made once: it is stored, and sent as it is stored."""
    if told.ok:
        return (201 if ask.verb == "hold" else 200), _JSON(reservation(ask, told))
    refused = _refused(told)
    return refused.status, refused.body


def _refused(told: Told) -> Answer:
    match told.status:
        case "short" if told.product:
            wanted, free = to_text(told.wanted), to_text(told.free)
            words = f"Of {told.product} {wanted} is wanted and {free} is free."
            return refusal("stock-short", words, product=told.product, wanted=wanted, free=free)
        case "unknown":
            return refusal("not-found", "There is no such reservation.")
        case "unknown_product":
            words = f"Nobody ever told the hub of {told.product}."
            return refusal("product-unknown", words, product=told.product)
        case "not_sellable":
            words = f"{told.product} is not to be sold."
            return refusal("product-not-sellable", words, product=told.product)
        case "invalid":
            return refusal("refused", f"{told.words[:1].upper()}{told.words[1:]}.")
        case ended:
            words = f"This reservation has ended: {ENDS.get(ended, ended)}."
            return refusal("reservation-ended", words, ended=ended)


def reservation(ask: Ask, told: Told) -> Reservation:
    """A reservation as it stands after the desk's answer."""
    return Reservation(
        id=id_of(ask.key),
        status=told.status,
        kind=told.kind,
        channel=ask.channel,
        lines=held_lines(told.lines),
        expires_at=told.expires_at,
    )


def held_lines(lines: tuple[StockLine, ...]) -> list[HeldLine]:
    """Pieces as they are told."""
    return [
        HeldLine(line.line, line.product, to_text(line.quantity), line.location) for line in lines
    ]


def id_of(key: str) -> str:
    """The id of a reservation: the last part of its key in the log."""
    return key.rpartition("/")[2]


_JSON = msgspec.json.Encoder().encode
