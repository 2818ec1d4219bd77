"""`POST /v1/transfers`: have one place of ours send goods to another; `GET` tells how it stands.

The order, its act in the audit and the stored answer commit together.
"""

from __future__ import annotations

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
from tillbridge.app.reach import reach
from tillbridge.app.stock_by_hand import Hand
from tillbridge.app.transfers_by_hand import QUERIES, Wish, ordered, tell
from tillbridge.atoms.errors import Refused
from tillbridge.atoms.quantity import to_text
from tillbridge.durable.rooms import Connection
from tillbridge.inbox.answers import JSON, Answer, answer

NUMBER_BYTES = 8
_NONE = refusal("not-found", "Nothing is known of a transfer of that number.")


class TransferAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Goods that are to go from one location to another. number: what the caller calls it; the hub
    gives one when it is empty. due_at: when it should be there.
    """

    origin: Code
    destination: Code
    lines: Annotated[list[LineAsked], msgspec.Meta(min_length=1, max_length=LINES_MOST)]
    number: Annotated[str, msgspec.Meta(max_length=100)] = ""
    due_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class TransferTaken(msgspec.Struct, frozen=True):
    """The order is stored and will be decided on. key: as the hub's own lists name it."""

    number: str
    key: str


class TransferStanding(msgspec.Struct, frozen=True):
    """How a transfer stands. status: `asked`, `held`, `short`, `part-sent`, `sent`,
    `part-received`, `received` or `cancelled`. Quantities are decimal text of base units, over all
    products: held at the origin, left it, arrived, on the way.
    """

    number: str
    status: str
    origin: str
    destination: str
    due_at: datetime | None
    held: str
    sent: str
    received: str
    in_transit: str


def _take(resources: Resources, connection: Connection, call: Call) -> Answer:
    """Order a transfer, once for each Idempotency-Key."""
    identity = (call.who.name, call.key)
    stored = stored_answers.find(connection, [identity]).get(identity)
    if stored is not None:
        return stored_answers.told_again(stored, call.asked)
    body: TransferAsked = call.body
    lines = stock_lines(body.lines)
    if wrong := wrong_lines(lines):
        return refusal("request-invalid", wrong)
    entities = {place.code: place.entity for place in resources.settings.location}
    if unknown := resources.unknown_place((body.origin, body.destination)):
        return refusal("location-unknown", f"There is no location {unknown}.", location=unknown)
    for place in (body.origin, body.destination):
        call.who.within(entities[place])
    now = resources.clock.now()
    hand = Hand(
        call.who.name,
        now,
        body.number or resources.ids.random_hex(NUMBER_BYTES),
        entities[body.origin],
        frozenset(entities),
    )
    try:
        fact = ordered(connection, Wish(body.origin, body.destination, lines, body.due_at), hand)
    except Refused as problem:
        name = "product-unknown" if problem.code == "product_unknown" else "refused"
        return refusal(name, f"{problem.words}.")
    told = msgspec.json.encode(TransferTaken(fact.transfer, fact.key))
    stored_answers.keep(connection, [Stored(*identity, call.asked, 202, told)], now.date())
    tell(connection, fact, hand, "transfers.order")
    return answer(202, told, JSON)


def _taken(resources: Resources, connection: Connection, call: Call) -> Answer:
    try:
        return _take(resources, connection, call)
    except errors.UniqueViolation:  # the same request was answered meanwhile
        connection.rollback()
        return _take(resources, connection, call)


take_transfer = asking(_taken)


def tell_transfer(resources: Resources, connection: Connection, call: Call) -> Answer:
    """How a transfer between the operator's locations stands."""
    asked = {"number": call.path["number"], "location": "", "all": True, "most": 1}
    mine = reach(call.who, resources.settings).values()
    row = connection.execute(QUERIES.list, {**asked, **mine}).fetchone()
    if row is None:
        return _NONE
    _, number, status, origin, destination, due_at, sent, received, left, held = row
    told = TransferStanding(
        number,
        status,
        origin,
        destination,
        due_at,
        held=to_text(held),
        sent=to_text(sent),
        received=to_text(received),
        in_transit=to_text(left),
    )
    return answer(200, msgspec.json.encode(told))
