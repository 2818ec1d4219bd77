"""The judge: what three witnesses outside of the hub say, against what the hub says.

The generator's journal (what was answered with 2xx must be there, as it was), the ERP's own books
(its documents and the hub's intents are a bijection with equal numbers and totals), the stores'
files. Then what the hub says of itself: nothing pending, nothing stuck, `verify --quiesced`.
"""

from __future__ import annotations

import hashlib
import time
from typing import Any

import msgspec
from psycopg import Connection

from tests.fire.chaos.generator import DROPPED, POISON
from tests.fire.chaos.scene import Scene
from tillbridge.app.pending import pending
from tillbridge.connectors.sandbox.erp_store import ErpStore, Stored
from tillbridge.connectors.sandbox.shopify_webhooks import acknowledged, read_witness
from tillbridge.durable.messages import _identity

SHOWN = 20
DRAIN_SECONDS = 420.0


class Findings(msgspec.Struct, kw_only=True):
    """What was found; every list must be empty. Counts say how much was at stake.

    attempted, acked: events by the generator's journal; unknown: sent, never answered 2xx;
    recovered: of those, present all the same.
    """

    attempted: int = 0
    acked: int = 0
    unknown: int = 0
    recovered: int = 0
    documents: int = 0
    poison: int = 0
    drain_seconds: float = 0.0
    lost: list[str] = []
    altered: list[str] = []
    unasked: list[str] = []
    doubled: list[str] = []
    files_lost: list[str] = []
    not_in_erp: list[str] = []
    not_in_hub: list[str] = []
    unequal: list[str] = []
    unbalanced: list[str] = []
    stuck: list[str] = []
    poison_without_case: list[str] = []
    lies: list[str] = []

    @property
    def faults(self) -> dict[str, list[str]]:
        """The lists that are not empty, shortened."""
        found = {name: getattr(self, name) for name in self.__struct_fields__}
        return {
            name: rows[:SHOWN] for name, rows in found.items() if isinstance(rows, list) and rows
        }


def judge(scene: Scene, drain_seconds: float = DRAIN_SECONDS) -> Findings:
    """Wait until the hub has worked everything off, then hear all witnesses."""
    found = Findings()
    found.drain_seconds = round(_drained(scene, drain_seconds), 1)
    code, words = scene.command("drain", "--timeout", "120")
    if code != 0:
        found.stuck.append(f"drain: {words}")
    with scene.store() as connection:
        _deliveries(scene, connection, found)
        _files(scene, connection, found)
        _documents(scene, connection, found)
        _books(connection, found)
        _at_rest(connection, found)
    code, words = scene.command("--json", "verify", "--quiesced")
    if code != 0:
        found.lies = _lies(words)
    return found


def _drained(scene: Scene, seconds: float) -> float:
    """Seconds until nothing moves; the hub does it by itself. Journals wait for a quiet day."""
    began = time.monotonic()
    with scene.store() as connection:
        while time.monotonic() - began < seconds:
            left = pending(connection)
            files = [p for p in (scene.workspace / "drop").glob("*/*.xml") if p.is_file()]
            if not (left.records or left.documents or files):
                break
            time.sleep(0.2)
    return time.monotonic() - began


def _rows(connection: Connection, query: str, *values: object) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode(), values or None).fetchall()


def _deliveries(scene: Scene, connection: Connection, found: Findings) -> None:
    """Whatever was answered is there, with the hash the journal has."""
    query = "select id_hash, encode(body_hash, 'hex'), message from delivery"
    present = {identity: (body, message) for identity, body, message in _rows(connection, query)}
    cases = {message for (message,) in _rows(connection, "select message from exception_case")}
    parked = {key for (key,) in _rows(connection, "select key from parked_key")}
    acked = acknowledged(scene.witness)
    attempted = {(line.topic, line.event) for line in read_witness(scene.witness)}
    found.attempted, found.acked = len(attempted), len(acked)
    found.unknown = len(attempted - acked.keys())
    for topic, event in sorted(attempted):
        name = f"{topic}:{event}"
        body, message = present.get(_identity(name), ("", 0))
        wanted = acked.get((topic, event))
        found.recovered += bool(body) and wanted is None
        if wanted is None:
            continue
        if not body:
            found.lost.append(name)
        elif body != wanted:
            found.altered.append(name)
        if event.startswith(POISON):
            found.poison += 1
            told = message in cases or any(event.removeprefix(POISON) in key for key in parked)
            if not told:
                found.poison_without_case.append(name)
    known = {_identity(f"{topic}:{event}") for topic, event in attempted}
    web = (
        "select id_hash from delivery"
        " where connection = (select id from connection_name where name = 'web')"
    )
    found.unasked = [str(one) for (one,) in _rows(connection, web) if one not in known]


def _files(scene: Scene, connection: Connection, found: Findings) -> None:
    """Every file a store put down is in the archive, whole, and its claim is done."""
    told = scene.outside / DROPPED
    wanted = set(told.read_text().split()) if told.exists() else set()
    archive = scene.workspace / "archive" / "stores"
    there = {hashlib.sha256(p.read_bytes()).hexdigest() for p in archive.glob("*.xml*")}
    found.files_lost = sorted(wanted - there)


def _documents(scene: Scene, connection: Connection, found: Findings) -> None:
    """The ERP's documents and the hub's intents, by the hub's key, with numbers and totals."""
    store = ErpStore(scene.books)
    there: dict[str, Stored] = {}
    after = 0
    while page := store.page(after, 500):
        there.update({one.external_id: one for one in page})
        after = page[-1].id
    found.doubled = [f"{name} x {count}" for name, count in store.duplicates().items()]
    store.close()
    found.documents = len(there)
    query = "select op, state, number, total from document where kind <> 'reread'"
    intents = {op: (state, number, total) for op, state, number, total in _rows(connection, query)}
    for op, (state, number, total) in sorted(intents.items()):
        document = there.get(op)
        if state == "accepted" and document is None:
            found.not_in_erp.append(op)
        elif document is not None and state != "accepted":
            found.unequal.append(f"{op}: {state} here, {document.number} there")
        elif document is not None and (
            number != document.number or total not in (None, document.total)
        ):
            found.unequal.append(
                f"{op}: {number} {total}, there {document.number} {document.total}"
            )
    found.not_in_hub = sorted(there.keys() - intents.keys())


def _books(connection: Connection, found: Findings) -> None:
    for query in (
        "select entry::text, sum(amount) from entry_line group by 1 having sum(amount) <> 0",
        "select fact || ' ' || entity, count(*) from entry group by 1 having count(*) > 1",
        "select op, count(*) from document group by dest, op having count(*) > 1",
        "select fact, count(*) from stock_movement group by fact, n having count(*) > 1",
    ):
        found.unbalanced += [f"{name}: {what}" for name, what in _rows(connection, query)]


_RESTLESS = """
select 'leased', key from outkey where lease_until is not null
union all
select 'unanswered', op from document where state in ('owed', 'sent', 'unknown')
  and key not in (select key from outkey where due = 'infinity')
union all
select 'held without a case', key from outkey o where due = 'infinity' and not exists
  (select 1 from exception_case c where c.key = o.key and c.state = 'open')
union all
select 'parked without a case', key from parked_key k where not exists
  (select 1 from exception_case c where c.id = k.case_id and c.state = 'open')
"""


def _at_rest(connection: Connection, found: Findings) -> None:
    """Nothing is leased, ready or owed; what is held has a case."""
    left = pending(connection)
    if left.moving:
        found.stuck.append(f"pending: {msgspec.to_builtins(left)}")
    found.stuck += [f"{what}: {key}" for what, key in _rows(connection, _RESTLESS)]


def _lies(words: str) -> list[str]:
    try:
        verdict = msgspec.json.decode(words)
    except msgspec.DecodeError:
        return [f"verify said nothing that can be read: {words[:500]}"]
    return [f"{one['name']}: {one.get('rows')}" for one in verdict["invariants"] if one["lies"]]
