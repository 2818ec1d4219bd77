"""`/v1/reservations`: hold stock, confirm, move and release what is held.

Every change goes through the group writer (`group.py`), with the Idempotency-Key it came with.
"""

from __future__ import annotations

import re
from datetime import datetime

import msgspec

from tillbridge.app.api.group import Placed
from tillbridge.app.api.problems import refusal
from tillbridge.app.api.reservation_answers import (
    Confirming,
    Moving,
    Reservation,
    ReservationAsked,
    held_lines,
    id_of,
    stock_lines,
    wrong_lines,
)
from tillbridge.app.api.resources import Resources
from tillbridge.app.api.routes import Call
from tillbridge.canonical.stock import StockLine, hold_key
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.inbox.answers import Answer, answer
from tillbridge.posting.stock.desk import Ask

QUERIES = load("tillbridge.app.api", "reservations.sql", "reservation")
ID_BYTES = 12
_ID = re.compile(r"[0-9a-f]{24}")


async def place_reservation(resources: Resources, call: Call) -> Answer:
    """`POST /v1/reservations`."""
    body: ReservationAsked = call.body
    channel = call.who.channel
    places = tuple(dict.fromkeys(body.locations)) or resources.places_of(channel)
    if not places:
        return refusal("request-invalid", f"Name locations: channel {channel} has none of its own.")
    if unknown := resources.unknown_place(places):
        return refusal("location-unknown", f"There is no location {unknown}.", location=unknown)
    lines = stock_lines(body.lines)
    if wrong := wrong_lines(lines):
        return refusal("request-invalid", wrong)
    ask = Ask(
        key=hold_key(channel, resources.ids.random_hex(ID_BYTES)),
        verb="hold",
        channel=channel,
        kind=body.kind,
        lines=lines,
        locations=places,
        split_most=resources.split_most(channel),
        trace=call.trace,
    )
    return await _placed(resources, call, ask, body.expires_in if body.kind == "soft" else 0)


async def confirm_reservation(resources: Resources, call: Call) -> Answer:
    """`POST /v1/reservations/{id}/confirm`."""
    body: Confirming = call.body
    ask = Ask(
        key=_key(call),
        verb="confirm",
        channel=call.who.channel,
        order=body.order,
        trace=call.trace,
    )
    return await _placed(resources, call, ask)


async def release_reservation(resources: Resources, call: Call) -> Answer:
    """`POST /v1/reservations/{id}/release`."""
    ask = Ask(key=_key(call), verb="release", channel=call.who.channel, trace=call.trace)
    return await _placed(resources, call, ask)


async def move_reservation(resources: Resources, call: Call) -> Answer:
    """`POST /v1/reservations/{id}/move`."""
    body: Moving = call.body
    places = tuple(dict.fromkeys(body.locations))
    if unknown := resources.unknown_place(places):
        return refusal("location-unknown", f"There is no location {unknown}.", location=unknown)
    ask = Ask(
        key=_key(call),
        verb="move",
        channel=call.who.channel,
        locations=places,
        trace=call.trace,
    )
    return await _placed(resources, call, ask)


def tell_reservation(resources: Resources, connection: Connection, call: Call) -> Answer:
    """`GET /v1/reservations/{id}`."""
    now = resources.clock.now()
    found = read(connection, _key(call), now) if _ID.fullmatch(call.path["id"]) else None
    if found is None:
        return refusal("not-found", "There is no such reservation.")
    return answer(200, msgspec.json.encode(found))


def read(connection: Connection, key: str, now: datetime) -> Reservation | None:
    """A reservation as it stands; None when nobody ever made it."""
    rows = connection.execute(QUERIES.reservation, (now, key)).fetchall()
    if not rows:
        return None
    kind, channel, expires_at, status = rows[0][:4]
    lines = tuple(StockLine(*row[4:]) for row in rows if row[4] is not None)
    return Reservation(id_of(key), status, kind, channel, held_lines(lines), expires_at)


def _key(call: Call) -> str:
    return hold_key(call.who.channel, call.path["id"])


async def _placed(resources: Resources, call: Call, ask: Ask, lasts: int = 0) -> Answer:
    if "id" in call.path and not _ID.fullmatch(call.path["id"]):
        return refusal("not-found", "There is no such reservation.")
    placed = Placed(ask, call.who.name, call.key, call.asked, lasts)
    return await resources.desk.submit(placed, len(call.raw))
