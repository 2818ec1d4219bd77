"""`/v1/purchases`: what an ERP or a warehouse tells of goods that are bought, and how they stand.

Each telling is a fact, written with its act in the audit and its stored answer in one transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

import msgspec
from psycopg import errors

from tillbridge.app.api import stored_answers
from tillbridge.app.api.problems import refusal
from tillbridge.app.api.reservation_answers import (
    LINES_MOST,
    Code,
    LineAsked,
    stock_lines,
    wrong_lines,
)
from tillbridge.app.api.resources import Resources
from tillbridge.app.api.routes import Call, asking
from tillbridge.app.api.stored_answers import Stored
from tillbridge.app.purchases_by_hand import QUERIES, Bought, ordered, received, tell
from tillbridge.app.reach import reach
from tillbridge.app.stock_by_hand import Hand
from tillbridge.atoms.errors import Refused
from tillbridge.atoms.quantity import QuantityError, to_text, to_thousandths
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.supply import PurchaseLine
from tillbridge.durable.rooms import Connection
from tillbridge.inbox.answers import JSON, Answer, answer

NUMBER_BYTES = 8
_NONE = refusal("not-found", "Nothing is known of a purchase of that number.")
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]
_Text = Annotated[str, msgspec.Meta(max_length=100)]


class PurchaseLineAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is bought of a product. due_at: when, where that differs from the rest."""

    product: Code
    quantity: Annotated[str, msgspec.Meta(max_length=20)]
    unit: _Text = ""
    due_at: _Instant | None = None


class PurchaseAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Goods bought of a supplier, told whole. number: as receipts name it; version: sortable text,
    the newest telling stands; proposal: the proposal of the hub it comes from.
    """

    number: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    version: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    supplier: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    location: Code
    due_at: _Instant
    lines: Annotated[list[PurchaseLineAsked], msgspec.Meta(min_length=1, max_length=LINES_MOST)]
    proposal: _Text = ""


class GoodsCame(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Goods of a purchase that arrived at a location. complete: nothing more will come."""

    location: Code
    lines: Annotated[list[LineAsked], msgspec.Meta(min_length=1, max_length=LINES_MOST)]
    complete: bool = False


class PurchaseTaken(msgspec.Struct, frozen=True):
    """It stands in the log and will be booked. key: as the hub's own lists name it."""

    number: str
    key: str


class PurchaseStanding(msgspec.Struct, frozen=True):
    """How a purchase stands. status: `ordered`, `part-received`, `received`, `closed` or `untold`.
    Quantities are decimal text of base units, over all products.
    """

    number: str
    status: str
    supplier: str
    location: str
    due_at: datetime | None
    version: str
    expected: str
    received: str
    on_order: str
    late: bool


Facts = Callable[[Hand], tuple[Fact, ...]]


def take_purchase(resources: Resources, connection: Connection, call: Call) -> Answer:
    """`POST /v1/purchases`."""
    body: PurchaseAsked = call.body

    def facts(hand: Hand) -> tuple[Fact, ...]:
        try:
            lines = tuple(
                PurchaseLine(one.product, to_thousandths(one.quantity), one.unit, one.due_at)
                for one in body.lines
            )
        except QuantityError as problem:
            raise Refused(str(problem)) from None
        bought = Bought(
            body.supplier, body.location, body.due_at, lines, body.version, body.proposal
        )
        return (ordered(connection, bought, hand),)

    asked = _Asked(body.location, body.number, "purchases.order", facts, body.number)
    return _once(resources, connection, call, asked)


def take_goods(resources: Resources, connection: Connection, call: Call) -> Answer:
    """`POST /v1/purchases/{number}/receipts`."""
    body: GoodsCame = call.body
    number = call.path["number"]
    if wrong := wrong_lines(stock_lines(body.lines)):
        return refusal("request-invalid", wrong)

    def facts(hand: Hand) -> tuple[Fact, ...]:
        lines = tuple(
            msgspec.structs.replace(line, location=body.location)
            for line in stock_lines(body.lines)
        )
        return received(connection, number, lines, hand, complete=body.complete)

    return _once(
        resources, connection, call, _Asked(body.location, "", "purchases.receive", facts, number)
    )


class _Asked(msgspec.Struct, frozen=True):
    """A telling: at which place, under which number of the hand ("" = the hub gives one)."""

    location: str
    number: str
    action: str
    facts: Facts
    purchase: str


def _once(resources: Resources, connection: Connection, call: Call, asked: _Asked) -> Answer:
    """Tell the facts, once for each Idempotency-Key."""
    identity = (call.who.name, call.key)
    stored = stored_answers.find(connection, [identity]).get(identity)
    if stored is not None:
        return stored_answers.told_again(stored, call.asked)
    place = asked.location
    if resources.unknown_place((place,)):
        return refusal("location-unknown", f"There is no location {place}.", location=place)
    entities = {one.code: one.entity for one in resources.settings.location}
    call.who.within(entities[place])
    now = resources.clock.now()
    number = asked.number or resources.ids.random_hex(NUMBER_BYTES)
    hand = Hand(call.who.name, now, number, entities[place], frozenset(entities))
    try:
        facts = asked.facts(hand)
    except Refused as problem:
        if problem.code == "not_found":
            return _NONE
        name = "product-unknown" if problem.code == "product_unknown" else "refused"
        return refusal(name, f"{problem.words}.")
    told = msgspec.json.encode(PurchaseTaken(asked.purchase, facts[0].key))
    stored_answers.keep(connection, [Stored(*identity, call.asked, 202, told)], now.date())
    tell(connection, facts, hand, asked.action)
    return answer(202, told, JSON)


def _again(handle: Callable[[Resources, Connection, Call], Answer]) -> Callable[..., Answer]:
    """A request whose answer was stored by another meanwhile is answered from there."""

    def handled(resources: Resources, connection: Connection, call: Call) -> Answer:
        try:
            return handle(resources, connection, call)
        except errors.UniqueViolation:
            connection.rollback()
            return handle(resources, connection, call)

    return handled


tell_purchase = asking(_again(take_purchase))
tell_goods_came = asking(_again(take_goods))


def purchase_standing(resources: Resources, connection: Connection, call: Call) -> Answer:
    """How a purchase for the operator's locations stands."""
    mine = reach(call.who, resources.settings).values()
    asked = {"number": call.path["number"], "all": True, "most": 1, "now": resources.clock.now()}
    row = connection.execute(QUERIES.list, {**asked, **mine}).fetchone()
    if row is None:
        return _NONE
    number, supplier, location, due_at, version, _, status, expected, came, left, late, _ = row
    told = PurchaseStanding(
        number,
        status,
        supplier,
        location,
        due_at,
        version,
        expected=to_text(expected),
        received=to_text(came),
        on_order=to_text(left),
        late=late,
    )
    return answer(200, msgspec.json.encode(told))
