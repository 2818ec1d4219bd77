"""A small flow for tests of the runner: rooms that write what they saw, fail or ask when told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime

from psycopg import Connection

from tillbridge.app.flow import MONEY, ORCHESTRATION, STOCK, Route
from tillbridge.app.runner import FlowRunner, Pace
from tillbridge.atoms.clock import SystemClock
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.registry import Body
from tillbridge.canonical.sales import CashMoved, TillNoted
from tillbridge.durable import log
from tillbridge.durable.rooms import DONE, KeyedSession, Outcome, Record, RoomSession

AT = datetime(2026, 1, 15, 10, tzinfo=UTC)
TABLES = """
create table if not exists seen (
  n bigint generated always as identity primary key, room text not null, key text, id text);
create table if not exists told (name text primary key)
"""
FLOW: dict[str, tuple[Route, ...]] = {
    "TillNoted": (Route(ORCHESTRATION),),
    "CashMoved": (Route(ORCHESTRATION), Route(MONEY, ORCHESTRATION), Route(STOCK)),
}


def noted(key: str, name: str, kind: str = "open") -> TillNoted:
    """A record for the first room; `kind` is what the toy rooms act upon."""
    return TillNoted(
        key=key,
        id=name,
        source="test",
        mapping="test/1",
        occurred_at=AT,
        business_date=date(2026, 1, 15),
        entities=Entities(selling="DE"),
        location="9",
        till="1",
        sequence=name,
        kind=kind,
    )


def moved(key: str, name: str, reason: str = "") -> CashMoved:
    """A record for all three toy rooms; `reason` is what they act upon."""
    return CashMoved(
        key=key,
        id=name,
        source="test",
        mapping="test/1",
        occurred_at=AT,
        business_date=date(2026, 1, 15),
        entities=Entities(selling="DE"),
        location="9",
        till="1",
        sequence=name,
        kind="loan",
        tender="cash",
        amount=100,
        currency="EUR",
        reason=reason,
    )


def word_of(body: Body) -> str:
    """What the toy rooms act upon."""
    return body.kind if isinstance(body, TillNoted) else getattr(body, "reason", "")


def records(*bodies: Body) -> list[Record]:
    """Records for the log."""
    return [Record(b.key, type(b).__name__, b, lane_of(b.key)) for b in bodies]


def append(connection: Connection, *bodies: Body) -> None:
    """Put facts into the log for the flow to take."""
    log.append_and_commit(connection, records(*bodies))


Hook = Callable[[str, Connection], None]


class ToyRoom:
    """A room that notes what it handled in `seen`.

    Words: `ask ROOM` needs a decision there until `told` holds it; `null ROOM` writes what the
    database refuses; `raise ROOM` fails when the state is loaded; `emit KEY WORD` lets a further
    fact follow under that key; `loop` follows itself for ever. on_flush hears of every write.
    """

    def __init__(self, name: str, on_flush: Hook | None = None) -> None:
        self.name = name
        self.on_flush = on_flush

    def open(self, connection: Connection, now: datetime) -> RoomSession:
        return ToySession(self, connection)


class ToySession(KeyedSession):
    """One transaction of a toy room."""

    def __init__(self, room: ToyRoom, connection: Connection) -> None:
        self.room = room.name
        self._hook = room.on_flush
        self._connection = connection
        self._rows: list[tuple[str | None, str, str]] = []
        self._told: set[str] = set()

    def load(self, records: Sequence[Record]) -> None:
        self._told = {row[0] for row in self._connection.execute("select name from told")}
        for record in records:
            if word_of(record.body) == f"raise {self.room}" and record.body.id not in self._told:
                raise ValueError("the state cannot be read")

    def handle(self, record: Record) -> Outcome:
        verb, _, rest = word_of(record.body).partition(" ")
        told = record.body.id in self._told
        if verb == "ask" and rest == self.room and not told:
            raise NeedsDecision("toy", f"{record.body.id} needs a decision")
        bad = verb == "null" and rest == self.room and not told
        self._rows.append((None if bad else self.room, record.key, record.body.id))
        if verb == "emit" and self.room == ORCHESTRATION:
            key, _, word = rest.partition(" ")
            return Outcome(emits=(noted(key, f"{record.body.id}/next", word or "open"),))
        if verb == "loop":
            return Outcome(emits=(noted(record.key, f"{record.body.id}+", "loop"),))
        return DONE

    def flush(self) -> None:
        columns = [list(column) for column in zip(*self._rows, strict=True)]
        if columns:
            self._connection.execute(
                "insert into seen (room, key, id)"
                " select * from unnest(%b::text[], %b::text[], %b::text[])",
                columns,
            )
        if self._hook is not None:
            self._hook(self.room, self._connection)


def rooms(on_flush: Hook | None = None) -> Mapping[str, ToyRoom]:
    """The three toy rooms under the names of the wiring table."""
    return {name: ToyRoom(name, on_flush) for name in (ORCHESTRATION, MONEY, STOCK)}


def runner(
    connection: Connection, pace: Pace | None = None, on_flush: Hook | None = None
) -> FlowRunner:
    """A runner over the toy rooms."""
    connection.execute(TABLES)
    connection.commit()
    return FlowRunner(connection, rooms(on_flush), SystemClock(), pace, flow=FLOW)


def seen(connection: Connection, room: str = ORCHESTRATION, key: str = "") -> list[str]:
    """Ids of the facts a room has handled, in the order of its writes."""
    rows = connection.execute(
        "select id from seen where room = %b and (%b = '' or key = %b) order by n",
        (room, key, key),
    ).fetchall()
    connection.rollback()
    return [row[0] for row in rows]


def parked(connection: Connection) -> list[tuple[str, str, bool, int]]:
    """Parked keys: (room, key, ready, records)."""
    rows = connection.execute(
        "select k.room, k.key, k.ready, count(p.n) from parked_key k"
        " left join parked p using (room, key) group by k.room, k.key, k.ready order by 1, 2"
    ).fetchall()
    connection.rollback()
    return rows


def make_ready(connection: Connection, *told: str) -> None:
    """Answer the questions of these facts and let every parked key be tried again."""
    connection.execute(
        "insert into told select * from unnest(%b::text[]) on conflict do nothing", (list(told),)
    )
    connection.execute("update parked_key set ready = true")
    connection.execute("notify log")
    connection.commit()
