"""The posting room of the money book: valued facts in, entries written as sets.

A fact is booked once: told again with the same content it is a no-op, with other content a case.
A void reverses the sale's own entries; when it comes before its sale, it waits in `sale_void` and
both are booked when the sale comes, so arrival order changes no balance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import cast

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.registry import Body, decode, encode, version_of
from tillbridge.canonical.sales import SaleVoided
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import DONE, Connection, KeyedSession, Outcome, Record
from tillbridge.posting.money.book import RuleBook
from tillbridge.posting.money.carried import OpenItems, items_of
from tillbridge.posting.money.engine import post
from tillbridge.posting.money.entries import (
    Stored,
    Written,
    entry_columns,
    entry_id,
    hash_of,
    line_columns,
    posted_fact,
    stored_from,
    stored_of,
    taken_back,
)
from tillbridge.posting.money.periods import posted_date
from tillbridge.posting.money.policy import Policy
from tillbridge.posting.money.shapes import REVERSES

NAME = "posting.money"
QUERIES = load(
    "tillbridge.posting.money",
    "room.sql",
    "share_periods",
    "share_lanes",
    "lock_lanes",
    "closed_periods",
    "admissions",
    "known_facts",
    "known_voids",
    "open_items",
    "sale_entries",
    "write_rules",
    "write_entries",
    "write_lines",
    "write_voids",
)


class Void(msgspec.Struct, frozen=True):
    """A void of a sale; posted is false while the sale is not booked yet."""

    fact: SaleVoided
    fact_hash: bytes
    posted: bool


class MoneyRoom:
    """The room as the runner knows it. Holds no state of its own between transactions."""

    def __init__(self, book: RuleBook, policy: Policy) -> None:
        self.book = book
        self.policy = policy
        self._flows = {name: shape.flow for name, shape in book.shapes.items()}

    @property
    def name(self) -> str:
        """Name in the wiring table."""
        return NAME

    def open(self, connection: Connection, now: datetime) -> MoneySession:
        """A session on this transaction."""
        return MoneySession(connection, now, self.book, self.policy, self._flows)


class MoneySession(KeyedSession):
    """Posting inside one transaction."""

    room = NAME

    def __init__(
        self,
        connection: Connection,
        now: datetime,
        book: RuleBook,
        policy: Policy,
        flows: Mapping[str, str],
    ) -> None:
        self._connection = connection
        self._now = now
        self._book = book
        self._policy = policy
        self._flows = flows
        self._closed: set[tuple[str, str]] | None = None
        self._soft = False  # whether any month is soft-closed
        self._admitted: dict[str, set[tuple[str, str]]] = {}
        self._shared_lanes: set[int] = set()
        self._own_lanes: set[int] = set()
        self._asked: set[str] = set()  # facts and voided keys looked up so far
        self._hashes: dict[str, bytes] = {}
        self._voids: dict[str, Void] = {}
        self._sales: dict[str, list[Written]] = {}  # by key; booked before or in this transaction
        self._stored: dict[str, list[Stored]] = {}
        self._new: list[Written] = []
        self._items: OpenItems | None = None  # made by the first fact in another currency
        self._items_asked: set[str] = set()
        self._changed_voids: dict[str, Void] = {}

    def load(self, records: Sequence[Record]) -> None:
        """Closed periods once, then what is known of these facts, and of voids for till sales."""
        if self._closed is None:
            self._connection.execute(QUERIES.share_periods)
            rows = self._connection.execute(QUERIES.closed_periods).fetchall()
            self._closed = {(entity, period) for entity, period, _ in rows}
            self._soft = any(state == "soft-closed" for _, _, state in rows)
        if self._soft:
            self._load_admissions({record.body.key for record in records})
        facts = {record.body.id for record in records} - self._asked
        if facts:
            self._asked |= facts
            found = self._connection.execute(QUERIES.known_facts, (list(facts),), binary=True)
            self._hashes.update((fact, hashed) for fact, hashed in found)
        self._load_voids(records)
        self._load_items(records)

    def _load_items(self, records: Sequence[Record]) -> None:
        """Open items of facts in another currency than their entity's: what they are carried at."""
        wanted: set[str] = set()
        for record in records:
            currency = getattr(record.body, "currency", None)
            if currency and self._policy.is_foreign(record.body, currency):
                wanted |= items_of(record.body)
                self._items = self._items or OpenItems()
        wanted -= self._items_asked
        if wanted and self._items is not None:
            self._items_asked |= wanted
            rows = self._connection.execute(QUERIES.open_items, (list(wanted),), binary=True)
            for entity, account, item, currency, amount, txn in rows:
                self._items.put((entity, account, item, currency), amount, txn)

    def _load_admissions(self, keys: set[str]) -> None:
        for key, entity, period in self._connection.execute(QUERIES.admissions, (list(keys),)):
            self._admitted.setdefault(key, set()).add((entity, period))

    def _day(self, fact: Fact, entity: str) -> date:
        """The day an entry of the fact is posted on in the books of an entity."""
        closed = self._closed or set()
        if fact.key in self._admitted:
            closed = closed - self._admitted[fact.key]
        return posted_date(entity, fact.business_date, closed)

    def _load_voids(self, records: Sequence[Record]) -> None:
        voided = {r.body.voided for r in records if isinstance(r.body, SaleVoided)}
        rung = {r.key for r in records if r.type in REVERSES.values()}
        if not voided and not rung:
            return
        self._lock_lanes(voided, rung)
        keys = (voided | rung) - self._voids.keys()
        if keys:
            rows = self._connection.execute(QUERIES.known_voids, (list(keys),), binary=True)
            for key, _, hashed, version, body, posted in rows:
                void = cast("SaleVoided", decode("SaleVoided", version, body))
                self._voids[key] = Void(void, hashed, posted)
        missing = voided - self._stored.keys()
        if missing:
            self._stored.update({key: [] for key in missing})
            rows = self._connection.execute(QUERIES.sale_entries, (list(missing),), binary=True)
            self._stored.update(stored_from(rows.fetchall()))

    def _lock_lanes(self, voided: set[str], rung: set[str]) -> None:
        """See `share_lanes` in room.sql; in lane order, so that two voids do not meet crosswise."""
        own = {lane_of(key) for key in voided} - self._own_lanes
        shared = {lane_of(key) for key in rung} - self._shared_lanes - self._own_lanes - own
        if own:
            self._connection.execute(QUERIES.lock_lanes, (sorted(own),))
        if shared:
            self._connection.execute(QUERIES.share_lanes, (sorted(shared),))
        self._own_lanes |= own
        self._shared_lanes |= shared

    def handle(self, record: Record) -> Outcome:
        """Book one fact; raises NeedsDecision (fact_changed and those of `engine.post`)."""
        fact = record.body
        if not isinstance(fact, Fact):
            raise NeedsDecision("not_a_fact", f"{record.type} is nothing that can be booked")
        hashed = hash_of(fact)
        known = self._hashes.get(fact.id)
        if known is not None:
            if known == hashed:
                return DONE
            raise _changed(fact)
        if isinstance(fact, SaleVoided):
            return self._void(fact, hashed)
        written = self._written(fact, hashed)
        void = self._voids.get(fact.key) if record.type in REVERSES.values() else None
        if void is not None and not void.posted:
            entries = [stored_of(one) for one in written]
            reversal = self._reversed(void.fact, void.fact_hash, entries)
            return self._remember(written + reversal, {fact.key: void})
        return self._remember(written, {})

    def flush(self) -> None:
        """Write rules, entries, lines and voids, one statement each."""
        if self._new:
            self._write_entries()
        if self._changed_voids:
            voids = list(self._changed_voids.items())
            columns = (
                [key for key, _ in voids],
                [void.fact.id for _, void in voids],
                [void.fact_hash for _, void in voids],
                [version_of("SaleVoided")] * len(voids),
                [encode(void.fact) for _, void in voids],
                [void.posted for _, void in voids],
            )
            self._connection.execute(QUERIES.write_voids, (self._now, *columns), binary=True)

    def _written(self, fact: Fact, hashed: bytes) -> list[Written]:
        name = type(fact).__name__
        flow = self._flows[name]
        channel: str = getattr(fact, "channel", "")
        return [
            Written(
                id=entry_id(fact.id, entry.entity),
                fact=fact,
                fact_hash=hashed,
                entry=entry,
                posted_date=self._day(fact, entry.entity),
                flow=flow,
                channel=channel,
                gl=self._policy.ledger_of(entry.entity, flow, name),
            )
            for entry in post(self._book, fact, self._policy, self._items)
        ]

    def _void(self, fact: SaleVoided, hashed: bytes) -> Outcome:
        earlier = self._voids.get(fact.voided)
        if earlier is not None:
            if earlier.fact.id != fact.id:
                raise NeedsDecision(
                    "voided_twice",
                    f"{fact.id} voids {fact.voided}, which {earlier.fact.id} has already voided",
                    owner="stores",
                )
            if earlier.fact_hash != hashed:
                raise _changed(fact)
            return DONE
        in_this = [stored_of(written) for written in self._sales.get(fact.voided, [])]
        entries = self._stored[fact.voided] + in_this
        reversal = self._reversed(fact, hashed, entries)
        return self._remember(reversal, {fact.voided: Void(fact, hashed, bool(entries))})

    def _reversed(self, fact: SaleVoided, hashed: bytes, entries: list[Stored]) -> list[Written]:
        return [
            Written(
                id=entry_id(fact.id, stored.entity),
                fact=fact,
                fact_hash=hashed,
                entry=taken_back(stored),
                posted_date=self._day(fact, stored.entity),
                flow=stored.flow,
                channel=stored.channel,
                gl=stored.gl,
                reverses=stored.id,
            )
            for stored in entries
        ]

    def _remember(self, written: list[Written], voids: dict[str, Void]) -> Outcome:
        """Keep effects for `flush`; from here on nothing can fail."""
        for key, void in voids.items():
            posted = Void(void.fact, void.fact_hash, posted=void.posted or bool(written))
            self._voids[key] = self._changed_voids[key] = posted
        if self._items is not None:
            self._items.take(one.entry for one in written)
        for one in written:
            self._hashes[one.fact.id] = one.fact_hash
            if type(one.fact).__name__ in REVERSES.values():
                self._sales.setdefault(one.fact.key, []).append(one)
        self._new += written
        emits: tuple[Body, ...] = tuple(posted_fact(w) for w in written if w.gl == "journals")
        return Outcome(emits=emits) if emits else DONE

    def _write_entries(self) -> None:
        new = self._new
        rules = self._book.rules_of({written.entry.rule_hash for written in new})
        self._connection.execute(
            QUERIES.write_rules,
            (
                self._now,
                [rule.hash for rule in rules],
                [rule.name for rule in rules],
                [rule.version for rule in rules],
                [rule.rule.text for rule in rules],
            ),
            binary=True,
        )
        self._connection.execute(
            QUERIES.write_entries, (self._now, *entry_columns(new)), binary=True
        )
        self._connection.execute(QUERIES.write_lines, line_columns(new), binary=True)


def _changed(fact: Fact) -> NeedsDecision:
    return NeedsDecision(
        "fact_changed",
        f"{type(fact).__name__} {fact.id} was booked before with other content;"
        " an entry is never changed, so decide whether to reverse it",
        owner="finance",
        currency=getattr(fact, "currency", None),
    )
