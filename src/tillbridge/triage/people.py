"""A person: found, exported, erased. Facts, entries and the audit name a party id and stay.

Erasing blanks the vault's row and every kept body that told of the person; hashes, identities and
the reason stay. It waits while something of the person is under way (records, parked records,
documents owed) or a law says that it must be kept, and is carried out by itself when that is over.
What it does not reach: files in `archive/`, backups made before, other systems.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from tillbridge.atoms.errors import Refused
from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.durable import audit, messages
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load("tillbridge.triage", "people.sql")
NUMBER_DIGITS_MIN = 7
WORD_MIN = 4
ERASED = "[erased]"
_UNIQUE = ("email", "phone")
"""Fields whose words are one person's alone, so that any body that holds them is about him."""
_PLACES = ("party", "country", "region", "city")
_decode = msgspec.json.Decoder(PartyDetails).decode


class Erasure(msgspec.Struct, frozen=True):
    """One request to erase and what became of it. kept: what a law or the books keep, by count."""

    id: int
    party: str
    connection: str
    state: str
    reason: str
    asked_by: str
    asked_at: datetime
    due_at: datetime
    waits_for: str
    done_at: datetime | None
    kept: Any


class Erased(msgspec.Struct, frozen=True):
    """What one call did. waits_for: why nothing was erased yet, "" when it was. files: places in
    archived files that hold the person and are to be removed by hand.
    """

    party: str
    waits_for: str
    messages: int = 0
    cases: int = 0
    kept: dict[str, int] = {}
    files: list[str] = []


def find(connection: Connection, text: str) -> list[tuple[str, str]]:
    """(party, connection) of whoever is meant by a party id, order, mail address, phone or name."""
    connection.execute(QUERIES.unlimited)
    for query in (QUERIES.by_party, QUERIES.by_order):
        values: Any = (text,) if query == QUERIES.by_party else {"text": text}
        rows = connection.execute(query, values).fetchall()
        if rows:
            return [(party, source) for party, source in rows]
    digits = re.sub(r"[^0-9]", "", text)
    if len(digits) < NUMBER_DIGITS_MIN or re.search(r"[A-Za-z@]", text):
        digits = ""
    rows = connection.execute(QUERIES.by_words, {"text": text, "digits": digits}).fetchall()
    return [(party, source) for party, source in rows]


def parties_of(connection: Connection, source: str) -> list[str]:
    """Everybody known from a connection and not erased."""
    return [party for (party,) in connection.execute(QUERIES.of_connection, (source,)).fetchall()]


def export(connection: Connection, party: str, by: str) -> dict[str, Any]:
    """What is known of a person, for the person; recorded. Raises Refused for an unknown party."""
    connection.execute(QUERIES.unlimited)
    source, details = _vault(connection, party)
    keys = _keys(connection, party)
    stored = messages.read(connection, _messages(connection, party, keys, details))
    orders = connection.execute(QUERIES.orders, (keys,)).fetchall()
    names = ("key", "number", "channel", "status", "currency", "total", "placed_at")
    documents = connection.execute(QUERIES.documents, (keys,)).fetchall()
    audit.record(connection, by, "people.export", party, after={"orders": len(orders)})
    return {
        "party": party,
        "connection": source,
        "details": details,
        "orders": [dict(zip(names, row, strict=True)) for row in orders],
        "documents": [
            dict(zip(("system", "kind", "number", "day"), row, strict=True)) for row in documents
        ],
        "messages": [
            {
                "id": number,
                "topic": one.topic,
                "received_at": one.received_at,
                "body": one.body.decode("utf-8", "replace"),
            }
            for number, one in sorted(stored.items())
        ],
    }


def hold(connection: Connection, party: str, until: date, reason: str, by: str) -> None:
    """Keep a person for a law's sake: an erasure waits until then. The caller commits."""
    if not reason:
        raise Refused("say which law or dispute keeps the person, with --reason")
    _vault(connection, party)  # a slip of the pen would hold nobody
    connection.execute(QUERIES.put_hold, (party, until, reason, by))
    audit.record(connection, by, "people.hold", party, after=until, reason=reason)


def release(connection: Connection, party: str, reason: str, by: str) -> None:
    """Take a hold away; the caller commits."""
    if connection.execute(QUERIES.drop_hold, (party,)).rowcount == 0:
        raise Refused(f"{party} is not held")
    audit.record(connection, by, "people.release", party, reason=reason)


def erase(
    connection: Connection, party: str, reason: str, by: str, today: date, *, now: bool = False
) -> Erased:
    """Erase a person, or note that it waits; the caller commits. May be done again later.

    now: do not wait for what is under way; a parked telling can then not be tried again, and a
    document that is owed goes out without the buyer. A legal hold is waited for all the same.
    """
    if not reason:
        raise Refused("say why with --reason; it stays when the person is gone")
    connection.execute(QUERIES.unlimited)
    source, details = _vault(connection, party)
    keys = _keys(connection, party)
    row = connection.execute(QUERIES.ask, (party, source, reason, by)).fetchone()
    number = int(row[0]) if row else 0
    waits = _waits(connection, party, keys, today, now=now)
    if waits:
        connection.execute(QUERIES.wait, (waits, number))
        audit.record(connection, by, "people.erase_asked", party, after=waits, reason=reason)
        return Erased(party, waits)
    found = _messages(connection, party, keys, details)
    blanked = connection.execute(
        QUERIES.blank_messages, {"blank": messages.ERASED, "messages": found}
    ).fetchall()
    connection.execute(QUERIES.note_messages, (number, [row[0] for row in blanked]))
    connection.execute(QUERIES.blank_party, (party, source))
    cases = _scrub_cases(connection, keys, found, details)
    counts = connection.execute(QUERIES.kept, {"keys": keys}).fetchone() or (0, 0, 0)
    kept = dict(zip(("entries", "documents", "records"), map(int, counts), strict=True))
    connection.execute(QUERIES.finish, (msgspec.json.encode(kept).decode(), number))
    after = {"messages": len(blanked), "cases": cases, "kept": kept}
    audit.record(connection, by, "people.erase", party, after=after, reason=reason)
    files = sorted({place for _, place in blanked if place})
    return Erased(party, "", len(blanked), cases, kept, files)


def erase_waiting(connection: Connection, today: date) -> str:
    """Carry out what waited and need not wait any more; a chore. Gives what was done."""
    rows = connection.execute(QUERIES.waiting).fetchall()
    done = sum(not erase(connection, p, reason, by, today).waits_for for p, reason, by in rows)
    return f"erased {done} of {len(rows)} persons waiting"


def requests(connection: Connection, party: str) -> list[int]:
    """Open cases in which somebody asked about this person."""
    return [number for (number,) in connection.execute(QUERIES.requests, (party,)).fetchall()]


def erasures(connection: Connection) -> list[Erasure]:
    """Every request to erase, oldest first."""
    rows = connection.execute(QUERIES.list).fetchall()
    return [Erasure(*[*row[:-1], msgspec.json.decode(row[-1])]) for row in rows]


def _vault(connection: Connection, party: str) -> tuple[str, PartyDetails | None]:
    row = connection.execute(QUERIES.details, (party,)).fetchone()
    if row is None:
        raise Refused(f"nobody is known as {party} (tillbridge people find WORD looks one up)")
    return str(row[0]), _decode(row[1]) if row[1] is not None else None


def _keys(connection: Connection, party: str) -> list[str]:
    rows = connection.execute(QUERIES.keys_of, {"party": party}).fetchall()
    return sorted(key for (key,) in rows)


def _messages(
    connection: Connection, party: str, keys: Sequence[str], details: PartyDetails | None
) -> list[int]:
    """Messages that told of the person; reads all kept bodies for words that are only his."""
    words = [str(getattr(details, field)) for field in _UNIQUE] if details else []
    told = {w.encode() for word in words if len(word) >= WORD_MIN for w in (word, word.lower())}
    values = {"keys": list(keys), "party": party, "words": sorted(told)}
    return sorted(number for (number,) in connection.execute(QUERIES.messages, values).fetchall())


def _waits(
    connection: Connection, party: str, keys: Sequence[str], today: date, *, now: bool
) -> str:
    """Why the person cannot be erased yet, "" when nothing speaks against it."""
    held = connection.execute(QUERIES.hold_of, (party, today)).fetchone()
    if held:
        return f"held until {held[0]}: {held[1]}"
    row = connection.execute(QUERIES.in_flight, {"keys": list(keys)}).fetchone()
    records, parked, jobs = row or (0, 0, 0)
    if now or not (records or parked or jobs):
        return ""
    return f"under way: {records} records, {parked} parked, {jobs} documents owed"


def _scrub_cases(
    connection: Connection, keys: list[str], found: list[int], details: PartyDetails | None
) -> int:
    """Closed cases lose their words; open ones keep them but for the person's own."""
    values = {"keys": keys, "messages": found}
    done = connection.execute(QUERIES.blank_closed_cases, values).rowcount
    named = msgspec.structs.asdict(details) if details else {}
    words = [str(word) for field, word in named.items() if field not in _PLACES]
    words = [part for word in words for part in (word, *word.split()) if len(part) >= WORD_MIN]
    longest_first = sorted(set(words), key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)) or "$^")
    for number, said, remedy, details_now in connection.execute(QUERIES.open_cases, values):
        texts = [said, remedy, msgspec.json.decode(details_now)]
        clean = [_scrubbed(text, pattern) for text in texts]
        if clean != texts:
            clean[2] = msgspec.json.encode(clean[2]).decode()
            connection.execute(QUERIES.scrub_case, (*clean, number))
            done += 1
    return done


def _scrubbed(value: Any, pattern: re.Pattern[str]) -> Any:
    """JSON without the words in any of its texts; its names and numbers stay."""
    if isinstance(value, str):
        return pattern.sub(ERASED, value)
    if isinstance(value, list):
        return [_scrubbed(one, pattern) for one in value]
    if isinstance(value, dict):
        return {name: _scrubbed(one, pattern) for name, one in value.items()}
    return value
