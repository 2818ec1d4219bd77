"""The sandbox ERP's books on disk: one SQLite file, written through before any answer leaves.

It is a witness outside the hub: what stands here was really applied, whoever was killed when.
Nothing in it is unique by external id unless the rules say so: a second create makes a second
document, as with most ERPs.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tillbridge.connectors.sandbox.erp_documents import PREFIXES, MoveLine, Ready, Rules

_SCHEMA = """
create table if not exists document (
  id integer primary key autoincrement, kind text not null, number text not null unique,
  external_id text not null, body text not null, currency text not null, total integer not null,
  move text not null, move_total integer not null, at text not null);
create index if not exists document_external_id on document (external_id);
create table if not exists move (
  number text primary key, document integer not null references document, lines text not null);
create table if not exists request (
  id integer primary key autoincrement, at text not null, method text not null,
  path text not null, status integer not null, fault text not null, external_ids text not null);
create table if not exists stock (
  location text not null, product text not null, quantity integer not null,
  primary key (location, product));
create table if not exists rules (one integer primary key check (one = 1), body text not null);
"""
_COLUMNS = "id, kind, number, external_id, currency, total, move, move_total, at"


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A document as it stands in the books; amounts in minor units."""

    id: int
    kind: str
    number: str
    external_id: str
    currency: str
    total: int
    move: str
    move_total: int
    at: str


class Logged(msgspec.Struct, frozen=True, kw_only=True):
    """A call as it was answered: status 0 = no answer; external_ids it was about."""

    at: str
    method: str
    path: str
    status: int
    fault: str
    external_ids: tuple[str, ...]


class ErpStore:
    """The file; every method is one transaction and safe to call from many threads."""

    def __init__(self, path: Path | str) -> None:
        """Opens or creates the file; a file of a killed process is recovered by SQLite."""
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = full")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def rules(self) -> Rules | None:
        """The rules stored last, None in a new file."""
        with self._lock:
            row = self._database.execute("select body from rules").fetchone()
        return msgspec.json.decode(row[0], type=Rules) if row else None

    def keep_rules(self, rules: Rules) -> None:
        """Store the rules, so that a restart enforces the same ones."""
        body = msgspec.json.encode(rules).decode()
        with self._lock:
            self._database.execute("insert or replace into rules values (1, ?)", (body,))

    def add(self, documents: Sequence[Ready], at: str) -> list[Stored]:
        """Number, book and store documents in one transaction; on return they are on disk."""
        with self._lock:
            self._database.execute("begin immediate")
            try:
                stored = [self._insert(document, at) for document in documents]
            except BaseException:
                self._database.execute("rollback")
                raise
            self._database.execute("commit")
        return stored

    def find(self, external_ids: Sequence[str]) -> list[Stored]:
        """Documents with one of the external ids, oldest first."""
        marks = ", ".join("?" * len(external_ids))
        where = f"external_id in ({marks}) order by id"
        return self._select(where, tuple(external_ids))

    def bodies_about(self, order: str) -> list[tuple[str, dict[str, Any]]]:
        """(kind, body) of every document that names an order, oldest first."""
        with self._lock:
            rows = self._database.execute(
                "select kind, body from document"
                " where json_extract(body, '$.order_external_id') = ? order by id",
                (order,),
            ).fetchall()
        return [(kind, msgspec.json.decode(body)) for kind, body in rows]

    def page(self, after: int, limit: int, kind: str = "") -> list[Stored]:
        """Documents with an id above `after`, in order; kind "" = all."""
        return self._select(
            "id > ? and (? = '' or kind = ?) order by id limit ?", (after, kind, kind, limit)
        )

    def duplicates(self) -> dict[str, int]:
        """External ids that stand on more than one document, with how many."""
        with self._lock:
            rows = self._database.execute(
                "select external_id, count(*) from document group by 1 having count(*) > 1"
            ).fetchall()
        return dict(rows)

    def counts(self) -> dict[str, int]:
        """Documents by kind; kinds without any are missing."""
        with self._lock:
            rows = self._database.execute(
                "select kind, count(*) from document group by 1"
            ).fetchall()
        return dict(rows)

    def body(self, number: str) -> bytes:
        """The document as it came in; raises KeyError."""
        with self._lock:
            row = self._database.execute(
                "select body from document where number = ?", (number,)
            ).fetchone()
        if row is None:
            raise KeyError(number)
        return str(row[0]).encode()

    def move(self, number: str) -> list[MoveLine]:
        """Lines of a ledger move, debit positive; raises KeyError."""
        with self._lock:
            row = self._database.execute(
                "select lines from move where number = ?", (number,)
            ).fetchone()
        if row is None:
            raise KeyError(number)
        return msgspec.json.decode(row[0], type=list[MoveLine])

    def balances(self) -> dict[tuple[str, str], int]:
        """Trial balance of all moves: (currency, account) -> minor units, debit positive."""
        with self._lock:
            rows = self._database.execute(
                "select currency, lines from move join document on document.id = move.document"
            ).fetchall()
        totals: dict[tuple[str, str], int] = {}
        for currency, lines in rows:
            for line in msgspec.json.decode(lines, type=list[MoveLine]):
                place = (currency, line.account)
                totals[place] = totals.get(place, 0) + line.amount
        return totals

    def moves(
        self, company: str, first: str, last: str, after: int, limit: int
    ) -> list[tuple[int, str, str, str, str, list[MoveLine]]]:
        """Moves of a company's documents of some days, ids above `after`, in order: id, move,
        external id, day, currency, lines.
        """
        with self._lock:
            rows = self._database.execute(
                "select document.id, move.number, external_id, json_extract(body, '$.date'),"
                " currency, lines from document join move on move.document = document.id"
                " where document.id > ? and json_extract(body, '$.company') = ?"
                " and json_extract(body, '$.date') between ? and ? order by document.id limit ?",
                (after, company, first, last, limit),
            ).fetchall()
        return [(*row[:5], msgspec.json.decode(row[5], type=list[MoveLine])) for row in rows]

    def set_stock(self, levels: Sequence[tuple[str, str, int]]) -> None:
        """What somebody over there counted: (location, product, thousandths)."""
        with self._lock:
            self._database.executemany("insert or replace into stock values (?, ?, ?)", levels)

    def stock(self, location: str, after: str, limit: int) -> list[tuple[str, int]]:
        """(product, thousandths) at a location behind a product, in order."""
        with self._lock:
            return self._database.execute(
                "select product, quantity from stock where location = ? and product > ?"
                " order by product limit ?",
                (location, after, limit),
            ).fetchall()

    def log(self, call: Logged) -> None:
        """Append to the request log."""
        ids = msgspec.json.encode(call.external_ids).decode()
        with self._lock:
            self._database.execute(
                "insert into request (at, method, path, status, fault, external_ids)"
                " values (?, ?, ?, ?, ?, ?)",
                (call.at, call.method, call.path, call.status, call.fault, ids),
            )

    def calls(self) -> list[Logged]:
        """The whole request log, oldest first."""
        with self._lock:
            rows = self._database.execute(
                "select at, method, path, status, fault, external_ids from request order by id"
            ).fetchall()
        return [
            Logged(
                at=at,
                method=method,
                path=path,
                status=status,
                fault=fault,
                external_ids=tuple(msgspec.json.decode(ids, type=list[str])),
            )
            for at, method, path, status, fault, ids in rows
        ]

    def _insert(self, ready: Ready, at: str) -> Stored:
        document = ready.incoming
        count = self._database.execute(
            "select count(*) from document where kind = ?", (document.kind,)
        ).fetchone()[0]
        number = f"{PREFIXES[document.kind]}-{count + 1:06d}"
        move = f"MV-{number}" if ready.move else ""
        body = msgspec.json.encode(document).decode()
        values = (
            document.kind, number, document.external_id, body, document.currency,
            ready.total, move, ready.move_total, at,
        )  # fmt: skip
        row = self._database.execute(
            "insert into document (kind, number, external_id, body, currency, total, move,"
            " move_total, at) values (?, ?, ?, ?, ?, ?, ?, ?, ?) returning id",
            values,
        ).fetchone()
        if ready.move:
            lines = msgspec.json.encode(ready.move).decode()
            self._database.execute("insert into move values (?, ?, ?)", (move, row[0], lines))
        self._database.executemany(
            "insert into stock values (?, ?, ?) on conflict (location, product)"
            " do update set quantity = quantity + excluded.quantity",
            ready.goods,
        )
        return Stored(
            id=row[0],
            kind=document.kind,
            number=number,
            external_id=document.external_id,
            currency=document.currency,
            total=ready.total,
            move=move,
            move_total=ready.move_total,
            at=at,
        )

    def _select(self, where: str, values: tuple[object, ...]) -> list[Stored]:
        statement = f"select {_COLUMNS} from document where {where}"  # noqa: S608 - own words
        with self._lock:
            rows = self._database.execute(statement, values).fetchall()
        names = _COLUMNS.split(", ")
        return [msgspec.convert(dict(zip(names, row, strict=True)), Stored) for row in rows]
