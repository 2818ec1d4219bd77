"""Movements of goods of entities whose stock the hub values: read behind the stock book, once each.

Numbers of movements are given before their transaction commits, so the newest one seen says nothing
of those below it. Taking the table's lock for a moment waits for whoever is writing; it is let go
again before anything is read, and nobody pays where no entity is valued here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from tillbridge.durable.rooms import Connection
from tillbridge.orchestration.sales.state import SaleReturns
from tillbridge.reconciliation.costs.lists import QUERIES
from tillbridge.reconciliation.costs.worth import RETURNED, SOLD

MOST = 20_000
"""Movements read in one run; the next run goes on."""
VOID = "void"
WRITTEN_OFF = frozenset({"write_off", "damage", "damaged", "sample", "expired"})
"""Reasons of adjustments by which goods were given up; what else lacks or is found is shrinkage."""
_KINDS = {
    "opening": "opening",
    "receipt": "received",
    "count": "shrinkage",
    "condition": "damaged",
    "transfer_in": "moved",
}
_RETURNS = msgspec.json.Decoder(SaleReturns)


class Place(msgspec.Struct, frozen=True):
    """Whose goods stand at a location, and in which zone its days are read."""

    entity: str
    zone: str = "UTC"


class Valuing(msgspec.Struct, frozen=True):
    """What is valued: entity -> its currency, location -> place (all there are), connection ->
    channel.
    """

    currencies: Mapping[str, str]
    places: Mapping[str, Place] = {}
    channels: Mapping[str, str] = {}

    def locations(self, entity: str) -> list[str]:
        """Locations of an entity."""
        return [code for code, place in self.places.items() if place.entity == entity]

    def channel(self, key: str) -> str:
        """Channel of an order or a till sale by its key; "" for what belongs to none."""
        kind, _, rest = key.partition("/")
        first = rest.partition("/")[0]
        if kind == "order":
            return first
        return self.channels.get(first, "") if kind == "sale" else ""


def read_goods(connection: Connection, valuing: Valuing) -> int:
    """Take in the movements since the last time; gives how many. The caller commits."""
    if not valuing.currencies:
        return 0
    upto = _settled(connection)
    read = 0
    for entity in valuing.currencies:
        row = connection.execute(QUERIES.position, (entity,)).fetchone()
        values = (int(row[0]) if row else 0, upto, valuing.locations(entity), MOST)
        rows = connection.execute(QUERIES.moved, values).fetchall()
        if rows:
            _keep(connection, valuing, entity, rows)
        read += len(rows)
        last = rows[-1][0] if len(rows) == MOST else upto
        connection.execute(QUERIES.move_on, (entity, last))
    return read


def _settled(connection: Connection) -> int:
    """The number up to which every movement is written or never will be."""
    with connection.transaction(force_rollback=True):
        connection.execute(QUERIES.lock)
        row = connection.execute(QUERIES.last_movement).fetchone()
    return int(row[0]) if row else 0


def _keep(
    connection: Connection, valuing: Valuing, entity: str, rows: Sequence[tuple[Any, ...]]
) -> None:
    origins = _origins(connection, rows)
    kept = []
    for (
        number,
        key,
        kind,
        cause,
        location,
        product,
        condition,
        quantity,
        at,
        others,
        category,
    ) in rows:
        zone = ZoneInfo(valuing.places[location].zone)
        abroad = any(_entity(valuing, other) != entity for other in others or ())
        kept.append(
            (
                number,
                key,
                origins.get(key, key),
                entity,
                product,
                location,
                condition == "damaged",
                kind_of(kind, cause, quantity, abroad=abroad),
                quantity,
                _day(at, zone),
                at,
                category,
            )
        )
    connection.execute(QUERIES.keep, [list(column) for column in zip(*kept, strict=True)])
    voided = sorted({row[1] for row in rows if row[2] == "return" and row[3] == VOID})
    if voided:
        connection.execute(QUERIES.void, (voided,))


def kind_of(kind: str, cause: str, quantity: int, *, abroad: bool) -> str:
    """Why value came or went, of GOODS_KINDS. kind, cause: of the movement. abroad: it goes to a
    place of another entity.
    """
    if kind in ("sale", "return"):
        return SOLD if quantity < 0 else RETURNED
    if kind == "adjustment":
        return "written_off" if cause in WRITTEN_OFF else "shrinkage"
    if kind == "transfer_out":
        return "transferred" if abroad else "moved"
    return _KINDS.get(kind, "shrinkage")


def _origins(connection: Connection, rows: Sequence[tuple[Any, ...]]) -> dict[str, str]:
    """Receipts that took goods back: under which sale or order those had left. One that names
    several is nobody's: its goods come in at the list.
    """
    keys = sorted({row[1] for row in rows if row[1].startswith("sale/") and row[7] > 0})
    found: dict[str, str] = {}
    for key, body in connection.execute(QUERIES.returns, (keys,)) if keys else ():
        told = _RETURNS.decode(body).told
        if len(told) == 1:
            found[key] = told[0]
    return found


def _entity(valuing: Valuing, location: str) -> str:
    place = valuing.places.get(location)
    return place.entity if place else ""


def _day(at: datetime, zone: ZoneInfo) -> Any:
    return at.astimezone(zone).date()
