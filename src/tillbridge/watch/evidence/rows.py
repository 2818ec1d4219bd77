"""The rows of an evidence file, one JSON object per line, in this order.

    head, rule_book*, rule*, act*, approval*, opening*, entry*, document*, closing*, end

Every row is written in one way only (its fields in order of the class, nothing left out), so that a
byte that was changed shows even where its meaning is the same.
"""

from __future__ import annotations

from datetime import date, datetime

import msgspec

FORMAT = "tillbridge-evidence/1"


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of the file."""


class Head(Row, frozen=True, kw_only=True, tag="head"):
    """What the file is of. state: of the month when it was made."""

    format: str
    entity: str
    period: str
    currency: str
    state: str
    made_at: datetime
    made_by: str


class RuleBookRow(Row, frozen=True, kw_only=True, tag="rule_book"):
    """A rule book that was in force: SHA-256 over its files, and their texts."""

    hash: str
    at: datetime
    by: str
    files: dict[str, str]


class RuleRow(Row, frozen=True, kw_only=True, tag="rule"):
    """A rule that made entries. meaning: canonical JSON; hash: first 16 bytes of its SHA-256."""

    hash: str
    name: str
    version: str
    meaning: str


class ActRow(Row, frozen=True, kw_only=True, tag="act"):
    """What a person did, as a link of the audit's chain."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    reason: str
    before: str
    after: str
    previous: str
    hash: str


class ApprovalRow(Row, frozen=True, kw_only=True, tag="approval"):
    """A change that two persons decided. change: canonical JSON; hash: its SHA-256."""

    id: int
    action: str
    subject: str
    state: str
    author: str
    approver: str
    reason: str
    note: str
    made_at: datetime
    decided_at: datetime | None
    change: str
    hash: str


class BalanceRow(Row, frozen=True, kw_only=True):
    """An account: debits less credits, functional minor units."""

    account: str
    amount: int


class OpeningRow(BalanceRow, frozen=True, kw_only=True, tag="opening"):
    """What stood on an account before the month."""


class ClosingRow(BalanceRow, frozen=True, kw_only=True, tag="closing"):
    """What stands on an account after the month."""


class FactRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fact behind an entry, as the log holds it."""

    version: int
    body: str


class EntryRow(Row, frozen=True, kw_only=True, tag="entry"):
    """An entry with its fact. fact: None where the log was dropped since. journal: the operation
    that took it to the ERP, "" where the ERP books by documents or nothing was sent yet.

    lines: number, account, functional amount, transaction amount, its currency, open item.
    """

    id: str
    fact_id: str
    fact_type: str
    fact_hash: str
    key: str
    rule: str
    rule_version: str
    rule_hash: str
    business_date: date
    posted_date: date
    currency: str
    flow: str
    channel: str
    location: str
    gl: str
    reverses: str
    journal: str
    at: datetime
    stated: int
    lines: tuple[tuple[int, str, int, int, str, str], ...]
    fact: FactRow | None


class DocumentRow(Row, frozen=True, kw_only=True, tag="document"):
    """A document of a key that has entries in the month, or a journal of it."""

    destination: str
    operation: str
    key: str
    kind: str
    state: str
    number: str
    remote_id: str
    move: str
    move_total: int | None
    total: int | None


class End(Row, frozen=True, kw_only=True, tag="end"):
    """The last row: how many of each kind there are, and the SHA-256 of every byte before it."""

    counts: dict[str, int]
    sha256: str


ANY = (
    Head
    | RuleBookRow
    | RuleRow
    | ActRow
    | ApprovalRow
    | OpeningRow
    | EntryRow
    | DocumentRow
    | ClosingRow
    | End
)
ORDER: tuple[type[Row], ...] = (
    Head,
    RuleBookRow,
    RuleRow,
    ActRow,
    ApprovalRow,
    OpeningRow,
    EntryRow,
    DocumentRow,
    ClosingRow,
    End,
)


def written(row: Row) -> bytes:
    """A row as it stands in the file, with its line end."""
    return msgspec.json.encode(row) + b"\n"


def kind_of(row: Row) -> str:
    """The row's kind, as it is counted at the end."""
    return str(row.__struct_config__.tag)
