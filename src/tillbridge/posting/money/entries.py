"""Entries as the tables hold them: stable ids, hashes, columns, reversals, and the fact that tells.

Pure; `room` decides what is written and when.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec

from tillbridge.atoms.ids import key_of, stable_uuid
from tillbridge.canonical.fact import Entities, Fact
from tillbridge.canonical.registry import encode
from tillbridge.canonical.valued import EntryPosted, ValuedRow
from tillbridge.posting.money.entry import Entry, EntryLine

REVERSAL = "SaleVoided/reversal"


class Written(msgspec.Struct, frozen=True, gc=False):
    """An entry with everything the table wants."""

    id: uuid.UUID
    fact: Fact
    fact_hash: bytes
    entry: Entry
    posted_date: date
    flow: str
    channel: str
    gl: str
    reverses: uuid.UUID | None = None


class Stored(msgspec.Struct, gc=False):
    """An entry of a sale as far as its reversal needs it."""

    id: uuid.UUID
    entity: str
    rule_version: str
    rule_hash: bytes
    currency: str
    flow: str
    channel: str
    gl: str
    lines: list[EntryLine]


def hash_of(fact: Fact) -> bytes:
    """First 16 bytes of the SHA-256 of a fact's content.

    The translator's version does not count: a newer release tells the same fact again.
    """
    return hashlib.sha256(encode(msgspec.structs.replace(fact, mapping=""))).digest()[:16]


def entry_id(fact: str, entity: str) -> uuid.UUID:
    """Id of the entry that explains a fact in the books of an entity; the same after a replay."""
    return stable_uuid("entry", fact, entity)


def stored_of(written: Written) -> Stored:
    """An entry of this transaction, ready to be reversed."""
    entry = written.entry
    return Stored(
        id=written.id,
        entity=entry.entity,
        rule_version=entry.rule_version,
        rule_hash=entry.rule_hash,
        currency=entry.currency,
        flow=written.flow,
        channel=written.channel,
        gl=written.gl,
        lines=list(entry.lines),
    )


def stored_from(rows: Sequence[Sequence[Any]]) -> dict[str, list[Stored]]:
    """Entries by key from rows of `sale_entries`: one row per line, an entry's lines together."""
    found: dict[str, list[Stored]] = {}
    for number, key, entity, version, hashed, currency, flow, channel, gl, *line in rows:
        entries = found.setdefault(key, [])
        if not entries or entries[-1].id != number:
            entries.append(Stored(number, entity, version, hashed, currency, flow, channel, gl, []))
        entries[-1].lines.append(EntryLine(*line))
    return found


def taken_back(stored: Stored) -> Entry:
    """The exact reversal: every line with its sign turned, functional amounts included."""
    lines = tuple(
        EntryLine(line.account, -line.amount, -line.txn_amount, line.txn_currency, line.item)
        for line in stored.lines
    )
    return Entry(
        entity=stored.entity,
        currency=stored.currency,
        lines=lines,
        rule=REVERSAL,
        rule_version=stored.rule_version,
        rule_hash=stored.rule_hash,
    )


def posted_fact(written: Written) -> EntryPosted:
    """The fact that an entry has to reach the ERP's ledger as part of a journal."""
    fact, entry, day = written.fact, written.entry, written.posted_date
    location: str = getattr(fact, "location", "")
    place = _sold_at(written) if written.flow == "web" else location
    return EntryPosted(
        key=key_of("journal", entry.entity, written.flow, place, day.isoformat()),
        id=f"entry/{written.id}",
        source="hub",
        mapping="hub/1",
        occurred_at=fact.occurred_at,
        business_date=day,
        entities=Entities(selling=entry.entity),
        entry=str(written.id),
        entity=entry.entity,
        flow=written.flow,
        currency=entry.currency,
        lines=tuple(
            ValuedRow(kind=line.account, amount=line.amount, item=line.item)
            for line in entry.lines
            if line.amount
        ),
        channel=written.channel,
        location=location,
        place=place,
    )


def _sold_at(written: Written) -> str:
    """Channel of a web entry; the account of a settlement, which is of no one channel."""
    return written.channel or getattr(written.fact, "account", "") or written.fact.source


def entry_columns(new: Sequence[Written]) -> tuple[list[Any], ...]:
    """Columns of `write_entries`."""
    return (
        [w.id for w in new],
        [w.fact.id for w in new],
        [type(w.fact).__name__ for w in new],
        [w.fact_hash for w in new],
        [w.fact.key for w in new],
        [w.entry.entity for w in new],
        [w.entry.rule for w in new],
        [w.entry.rule_version for w in new],
        [w.entry.rule_hash for w in new],
        [w.fact.business_date for w in new],
        [w.posted_date for w in new],
        [w.entry.currency for w in new],
        [w.flow for w in new],
        [w.channel for w in new],
        [getattr(w.fact, "location", "") for w in new],
        [w.gl for w in new],
        [w.reverses for w in new],
        [len(w.entry.lines) for w in new],
    )


def line_columns(new: Sequence[Written]) -> tuple[list[Any], ...]:
    """Columns of `write_lines`."""
    rows = [(w.id, n, line) for w in new for n, line in enumerate(w.entry.lines, 1)]
    return (
        [number for number, _, _ in rows],
        [n for _, n, _ in rows],
        [line.account for _, _, line in rows],
        [line.amount for _, _, line in rows],
        [line.txn_amount for _, _, line in rows],
        [line.txn_currency for _, _, line in rows],
        [line.item for _, _, line in rows],
    )
