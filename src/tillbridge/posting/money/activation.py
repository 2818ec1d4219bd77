"""Which rule book is in force: the one kept in the database, whatever the files say meanwhile.

An edited file changes no entry until it is activated, with a second person where the hub asks for
one. The first book a database meets is in force at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from tillbridge.durable import audit
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.posting.money.book import FILES, RuleBook, default_text, make_book

QUERIES = load("tillbridge.posting.money", "activation.sql", "in_force", "lock", "activate")


class Activated(msgspec.Struct, frozen=True):
    """A book in force: SHA-256 of its files, their texts, since when and by whom."""

    hash: bytes
    files: dict[str, str]
    at: datetime
    by: str

    def book(self) -> RuleBook:
        """The proven book; raises BookRefused."""
        return book_of(self.files)


def files_of(folder: Path | None) -> dict[str, str]:
    """Texts of a rules folder by file name; what is not there is the shipped one's."""
    found = {}
    for name in FILES:
        path = folder / name if folder else None
        there = path is not None and path.exists()
        found[name] = path.read_text(encoding="utf-8") if path and there else default_text(name)
    return found


def hash_of(files: Mapping[str, str]) -> bytes:
    """What tells two books apart; examples prove a book and are no part of it."""
    texts = {name: text for name, text in files.items() if name != "examples.toml"}
    return hashlib.sha256(msgspec.json.encode(texts, order="sorted")).digest()


def book_of(files: Mapping[str, str]) -> RuleBook:
    """A proven book from the texts of its files; raises BookRefused with file and line."""
    return make_book(files["chart.toml"], files["rules.toml"], scenarios=files["examples.toml"])


def in_force(connection: Connection) -> Activated | None:
    """The book in force; None in a database that met none yet."""
    row = connection.execute(QUERIES.in_force).fetchone()
    if row is None:
        return None
    return Activated(
        bytes(row[0]), msgspec.json.decode(row[1], type=dict[str, str]), row[2], row[3]
    )


def activate(connection: Connection, files: Mapping[str, str], by: str, reason: str) -> None:
    """Put a book in force; the caller commits. Raises BookRefused when it is not proven."""
    book_of(files)
    before = in_force(connection)
    wanted = hash_of(files)
    connection.execute(QUERIES.activate, (wanted, msgspec.json.encode(files, order="sorted"), by))
    audit.record(
        connection,
        by,
        "rules.activate",
        wanted.hex()[:16],
        before=before.hash.hex() if before else None,
        after=wanted.hex(),
        reason=reason,
    )


def first(connection: Connection, files: Mapping[str, str]) -> Activated:
    """The book in force, made of these files when there was none; the caller commits."""
    found = in_force(connection)
    if found is None:
        connection.execute(QUERIES.lock)
        found = in_force(connection)
    if found is None:
        activate(connection, files, audit.HUB, "the first rule book of this database")
        found = in_force(connection)
    if found is None:
        raise RuntimeError("the rule book was not written")
    return found
