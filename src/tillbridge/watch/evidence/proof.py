"""Reads an evidence file again, without hub or database, and says what is wrong with it.

A changed, missing, doubled or moved byte shows by the digest at the end. Whoever makes the digest
anew as well still has to make every entry balance, have its id and its fact's hash, name a rule
whose text has its hash, stand in its month, and sum up from the opening to the closing balances;
and the acts are links of one chain. That the whole file was made up is shown only by its digest,
which the hub notes in its own audit: keep it apart and compare it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date

import msgspec

from tillbridge.canonical.fact import Fact
from tillbridge.canonical.registry import UnknownType, decode
from tillbridge.durable.audit import Act, link_hash
from tillbridge.posting.money.activation import hash_of as hash_of_book
from tillbridge.posting.money.entries import entry_id, hash_of
from tillbridge.watch.evidence.rows import (
    ANY,
    FORMAT,
    ORDER,
    ActRow,
    ApprovalRow,
    ClosingRow,
    DocumentRow,
    End,
    EntryRow,
    Head,
    OpeningRow,
    Row,
    RuleBookRow,
    RuleRow,
    kind_of,
    written,
)

PROBLEMS_MAX = 20
_DECODER = msgspec.json.Decoder(ANY)


class Proof(msgspec.Struct, frozen=True):
    """What was read and what is wrong, the first 20; facts_gone: entries whose fact the log no
    longer held. digest: SHA-256 the file states of itself.
    """

    entity: str
    period: str
    counts: dict[str, int]
    facts_gone: int
    digest: str
    problems: list[str]


def prove(lines: Iterable[bytes], digest: str = "") -> Proof:
    """Check the lines of a file (with their ends). digest: the one that was kept apart, if any.

    Streams: memory grows with accounts, rules and journals, not with entries.
    """
    reading = _Reading()
    for number, line in enumerate(lines, 1):
        reading.line(number, line)
    reading.ended(digest)
    head = reading.head
    return Proof(
        entity=head.entity if head else "",
        period=head.period if head else "",
        counts=reading.counts,
        facts_gone=reading.facts_gone,
        digest=reading.digest,
        problems=reading.problems[:PROBLEMS_MAX],
    )


class _Reading:
    def __init__(self) -> None:
        self.problems: list[str] = []
        self.counts: dict[str, int] = {}
        self.head: Head | None = None
        self.digest = ""
        self.facts_gone = 0
        self._sha = hashlib.sha256()
        self._at = 0
        self._ended = False
        self._sums: dict[str, int] = {}
        self._closing: dict[str, int] = {}
        self._rules: set[str] = set()
        self._journals: set[str] = set()
        self._last_entry: tuple[date, str] = (date.min, "")
        self._last_act: tuple[int, str] | None = None

    def say(self, words: str) -> None:
        """Note a problem."""
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(words)

    def line(self, number: int, line: bytes) -> None:
        """Look at one line."""
        try:
            row = _DECODER.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            self._sha.update(line)
            self.say(f"line {number}: {problem}")
            return
        if written(row) != line:
            self.say(f"line {number}: is not written as the hub writes it")
        place = ORDER.index(type(row))
        if place < self._at or self._ended or (number == 1) != (place == 0):
            self.say(f"line {number}: a row of kind {kind_of(row)} does not belong here")
        self._at = max(self._at, place)
        if isinstance(row, End):
            self._end(row)
            return
        self._sha.update(line)
        self.counts[kind_of(row)] = self.counts.get(kind_of(row), 0) + 1
        self._look(number, row)

    def _look(self, number: int, row: Row) -> None:
        where = f"line {number}"
        match row:
            case EntryRow():
                self._entry(f"{where}: entry {row.id}", row)
            case Head() | RuleBookRow() | RuleRow():
                self._ground(where, row)
            case ActRow():
                self._act(where, row)
            case ApprovalRow():
                self._approval(where, row)
            case _:
                self._balance(row)

    def _ground(self, where: str, row: Head | RuleBookRow | RuleRow) -> None:
        if isinstance(row, Head):
            self.head = row
            if row.format != FORMAT:
                self.say(f"{where}: format {row.format!r} is not read here")
        elif isinstance(row, RuleBookRow):
            if hash_of_book(row.files).hex() != row.hash:
                self.say(f"{where}: rule book {row.hash[:16]} is not as it was in force")
        else:
            self._rules.add(row.hash)
            if hashlib.sha256(row.meaning.encode()).hexdigest()[:32] != row.hash:
                self.say(f"{where}: rule {row.name} {row.version} is not as it was")

    def _approval(self, where: str, row: ApprovalRow) -> None:
        if hashlib.sha256(row.change.encode()).hexdigest() != row.hash:
            self.say(f"{where}: proposal {row.id} is not what was approved")
        if row.state == "applied" and row.approver in ("", row.author):
            self.say(f"{where}: proposal {row.id} was approved by nobody else")

    def _balance(self, row: Row) -> None:
        if isinstance(row, OpeningRow):
            self._sums[row.account] = self._sums.get(row.account, 0) + row.amount
        elif isinstance(row, ClosingRow):
            self._closing[row.account] = self._closing.get(row.account, 0) + row.amount
        elif isinstance(row, DocumentRow):
            self._journals.discard(row.operation)

    def _act(self, where: str, row: ActRow) -> None:
        act = Act(
            row.id, row.at, row.actor, row.action, row.subject, row.reason, row.before, row.after
        )
        if link_hash(_bytes(row.previous), act).hex() != row.hash:
            self.say(f"{where}: act {row.id} is not as it was written")
        if self._last_act is not None and (row.id - 1, row.previous) != self._last_act:
            self.say(f"{where}: act {row.id} does not follow the one before it")
        self._last_act = (row.id, row.hash)

    def _entry(self, where: str, row: EntryRow) -> None:
        if self.head is None:
            return
        if sum(line[2] for line in row.lines):
            self.say(f"{where} does not balance")
        if [line[0] for line in row.lines] != list(range(1, row.stated + 1)):
            self.say(f"{where} does not have the lines it says")
        if f"{row.posted_date:%Y-%m}" != self.head.period or row.currency != self.head.currency:
            self.say(f"{where} is not of this month or in another currency")
        if (row.posted_date, row.id) <= self._last_entry:
            self.say(f"{where} is there twice or out of its order")
        self._last_entry = (row.posted_date, row.id)
        if str(entry_id(row.fact_id, self.head.entity)) != row.id:
            self.say(f"{where} does not have the id of its fact")
        hashes = [row.rule_hash[n : n + 32] for n in range(0, len(row.rule_hash), 32)]
        if not hashes or not self._rules.issuperset(hashes):
            self.say(f"{where} names a rule that is not here")
        if row.journal and not row.journal.endswith("/nil"):
            self._journals.add(row.journal)
        for _, account, amount, *_ in row.lines:
            self._sums[account] = self._sums.get(account, 0) + amount
        self._fact(where, row)

    def _fact(self, where: str, row: EntryRow) -> None:
        if row.fact is None:
            self.facts_gone += 1
            return
        try:
            fact = decode(row.fact_type, row.fact.version, row.fact.body.encode())
        except (msgspec.DecodeError, UnknownType) as problem:
            self.say(f"{where}: its fact cannot be read: {problem}")
            return
        if not isinstance(fact, Fact) or hash_of(fact).hex() != row.fact_hash:
            self.say(f"{where}: its fact is not as it was booked")
        elif (fact.id, fact.key, fact.business_date) != (row.fact_id, row.key, row.business_date):
            self.say(f"{where}: names another fact than it shows")

    def _end(self, row: End) -> None:
        self._ended = True
        self.digest = row.sha256
        if row.counts != self.counts:
            self.say(f"there are other rows than the end says: {self.counts}, not {row.counts}")
        if row.sha256 != self._sha.hexdigest():
            self.say("the bytes are not those the end was made of")

    def ended(self, digest: str) -> None:
        """What can be said once everything was read."""
        if not self._ended:
            self.say("the file has no end: something was cut off")
        if digest and digest != self.digest:
            self.say("the digest is not the one that was kept")
        names = sorted(self._sums.keys() | self._closing.keys())
        for account in names:
            summed, closing = self._sums.get(account, 0), self._closing.get(account, 0)
            if summed != closing:
                self.say(f"{account}: opening and entries make {summed}, the closing is {closing}")
        for operation in sorted(self._journals):
            self.say(f"journal {operation} is not among the documents")


def _bytes(text: str) -> bytes:
    """Bytes of a hex text; of anything else its own, which no hash fits."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return text.encode()
