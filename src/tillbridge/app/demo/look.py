"""What the demo reads from the hub's tables to show: the day so far, and documents by number."""

from __future__ import annotations

import msgspec

from tillbridge.canonical.documents import DOCUMENT_KINDS
from tillbridge.durable import log
from tillbridge.durable.rooms import Connection

CONSUMER = "flow"
_SQL_GLANCE = (
    "select (select count(*) from delivery),"
    " (select count(*) from record),"
    " (select count(*) from order_state),"
    " (select count(*) from hold where ok),"
    " (select coalesce(sum(quantity), 0) / 1000 from reservation),"
    " (select count(*) from stock_movement),"
    " (select count(*) from entry),"
    " (select count(*) from document where kind <> 'reread'),"
    " (select count(*) from document where kind <> 'reread' and state = 'accepted'),"
    " (select count(*) from document where kind <> 'reread' and state = 'refused'),"
    " (select count(*) from exception_case where state = 'open'),"
    " (select count(*) from stock),"
    " (select count(distinct k.key) from parked_key k left join order_state o using (key)"
    "  where k.key like 'order/%' and o.key is null)"
)


class Glance(msgspec.Struct, frozen=True):
    """Counts at one instant. orders: decided on; parked_orders: held back by a case from the first;
    reserved: orders whose stock was promised; held_pieces: reserved and not shipped yet; pending:
    records the flow has still to take.
    """

    messages: int
    records: int
    orders: int
    reserved: int
    held_pieces: int
    movements: int
    entries: int
    documents: int
    accepted: int
    refused: int
    cases: int
    stock_rows: int
    parked_orders: int
    pending: int

    @property
    def waiting(self) -> int:
        """Documents the ERP has not answered."""
        return self.documents - self.accepted - self.refused


class DocumentRow(msgspec.Struct, frozen=True):
    """A document with the number the ERP's users call it; total in minor units."""

    kind: str
    state: str
    number: str
    about: str
    operation: str
    total: int | None
    currency: str
    move: str


def glance(connection: Connection) -> Glance:
    """Count; the connection stands outside a transaction afterwards."""
    pending, _ = log.backlog(connection, CONSUMER)
    row = connection.execute(_SQL_GLANCE).fetchone()
    connection.rollback()
    counts = [int(value) for value in row or [0] * 13]
    return Glance(*counts, pending)  # type: ignore[call-arg]


def documents(connection: Connection) -> list[DocumentRow]:
    """Every document: orders' in order of their numbers, then the journals."""
    rows = connection.execute(
        "select d.kind, d.state, coalesce(d.number, ''),"
        " coalesce(nullif(o.number, ''), regexp_replace(d.key, '^journal/', '')), d.op, d.total,"
        " coalesce(o.currency, ''), coalesce(d.move, '')"
        " from document d left join order_state o using (key) where d.kind <> 'reread'"
        " order by o.number nulls last, array_position(%b::text[], d.kind), d.op",
        (list(DOCUMENT_KINDS),),
    ).fetchall()
    connection.rollback()
    return [DocumentRow(*row) for row in rows]


def fact_counts(connection: Connection) -> dict[str, int]:
    """Records of the log by type."""
    rows = connection.execute(
        "select type, count(*) from record group by type order by type"
    ).fetchall()
    connection.rollback()
    return {name: int(count) for name, count in rows}


def order_key(connection: Connection, number: str) -> str:
    """Key of the order with that number; "" when there is none."""
    row = connection.execute("select key from order_state where number = %b", (number,)).fetchone()
    connection.rollback()
    return str(row[0]) if row else ""
