"""The close of a store's day, derived: what the transactions come to by tender, what was counted,
and the difference, of which only what is not booked yet is told.

Nothing waits for it and nothing depends on it. It can be worked out again at any time: when a
transaction or another count comes late, the difference changes and the change is booked. A till
that never closed, closed twice, or whose close cannot be read holds up nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from tillbridge.atoms.ids import key_of, lane_of
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.registry import Body, decode
from tillbridge.canonical.sales import CashMoved, SaleRung, SaleVoided, TenderCount, TillClosed
from tillbridge.canonical.valued import CountedTender, TillCounted
from tillbridge.durable import log
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record
from tillbridge.orchestration.sales.state import content_hash
from tillbridge.reconciliation.tills.rules import Expected

QUERIES = load(
    "tillbridge.reconciliation.tills",
    "closing.sql",
    "transactions",
    "voids",
    "booked",
    "due",
    "done",
)
DAYS_MOST = 100
"""Store days worked out at a time by the schedule."""
CASH = "cash"
KindOf = Callable[[str], str]
StoreDay = tuple[str, date]
_BOOKED = msgspec.json.Decoder(dict[str, int])


class TenderClose(msgspec.Struct, frozen=True, kw_only=True):
    """One tender of a till's day, minor units. expected: what the transactions until the count come
    to. counted, stated: what the close says was counted, and what the till itself expected; None =
    not said. booked: what of the difference is in the books.
    """

    tender: str
    kind: str
    expected: int
    counted: int | None = None
    stated: int | None = None
    booked: int = 0

    @property
    def difference(self) -> int | None:
        """Counted less expected, None when nothing was counted."""
        return None if self.counted is None else self.counted - self.expected


class TillClose(msgspec.Struct, frozen=True, kw_only=True):
    """A till's day. closed_at: of the newest close, None = there is none. closes: how many came.
    version: counts booked so far. entities: of the close, None = there is none.
    """

    source: str
    location: str
    till: str
    business_date: date
    currency: str
    sales: int
    closes: int
    closed_at: datetime | None
    version: int
    tenders: tuple[TenderClose, ...]
    entities: Entities | None = None

    @property
    def key(self) -> str:
        """Aggregate key of its counts."""
        return _key(self.source, self.location, self.till, self.business_date)


class _Movement(msgspec.Struct, frozen=True):
    """Money into a till (or, negative, out of it)."""

    tender: str
    kind: str
    amount: int
    currency: str
    at: datetime


class _Day(msgspec.Struct):
    """What is told of one till's day."""

    movements: list[_Movement] = []
    closes: list[TillClosed] = []
    sales: int = 0


Tills = dict[tuple[str, str, str, date], _Day]


def closes(
    connection: Connection, days: Sequence[StoreDay], expected: Expected, kind_of: KindOf
) -> list[TillClose]:
    """The tills of these store days, by store, till and day; reads in the caller's transaction."""
    found = _told(connection, days, kind_of)
    keys = [_key(*till) for till in found]
    rows = connection.execute(QUERIES.booked, (keys,), binary=True).fetchall()
    booked = {key: (version, _BOOKED.decode(body)) for key, version, body in rows}
    return [
        _close(till, found[till], booked.get(_key(*till), (0, {})), expected, kind_of)
        for till in sorted(found)
    ]


def tell(connection: Connection, found: Iterable[TillClose], told_of: Sequence[StoreDay]) -> int:
    """Append what is not booked yet of the differences, and commit; gives how many tills."""
    facts = [fact for one in found if (fact := _counted(one)) is not None]
    columns = [list(column) for column in zip(*told_of, strict=True)] or [[], []]
    connection.execute(QUERIES.done, columns)
    records = [Record(fact.key, "TillCounted", fact, lane_of(fact.key)) for fact in facts]
    log.append_and_commit(connection, records)
    return len(facts)


def tell_due(connection: Connection, expected: Expected, kind_of: KindOf) -> int:
    """Work out the store days of which something was heard since their count; commits."""
    days: list[StoreDay] = connection.execute(QUERIES.due, (DAYS_MOST,)).fetchall()
    return tell(connection, closes(connection, days, expected, kind_of), days) if days else 0


def _key(source: str, location: str, till: str, day: date) -> str:
    return key_of("count", source, location, till, day.isoformat())


def _told(connection: Connection, days: Sequence[StoreDay], kind_of: KindOf) -> Tills:
    columns = [list(column) for column in zip(*days, strict=True)]
    found: Tills = {}
    seen: set[str] = set()
    for hashed, name, version, body in connection.execute(QUERIES.transactions, columns):
        fact: Any = decode(name, version, body)
        if fact.id not in seen and content_hash(fact) == hashed:
            seen.add(fact.id)
            _take(found, fact, kind_of)
    for version, void, hashed, of_sale, body in connection.execute(QUERIES.voids, columns):
        fact, sale = decode("SaleVoided", version, void), decode("SaleRung", of_sale, body)
        if not isinstance(fact, SaleVoided) or not isinstance(sale, SaleRung):
            continue
        if fact.id not in seen and content_hash(sale) == hashed:
            seen.add(fact.id)
            _day(found, fact).movements += _money(sale, -1, fact.occurred_at)
    return found


def _day(found: Tills, fact: SaleRung | CashMoved | TillClosed | SaleVoided) -> _Day:
    till = (fact.source, fact.location, fact.till, fact.business_date)
    return found.setdefault(till, _Day())


def _take(found: Tills, fact: Body, kind_of: KindOf) -> None:
    match fact:
        case SaleRung():
            day = _day(found, fact)
            day.sales += 1
            day.movements += _money(fact, 1, fact.occurred_at)
        case CashMoved():
            _day(found, fact).movements.append(
                _Movement(
                    fact.tender, kind_of(fact.tender), fact.amount, fact.currency, fact.occurred_at
                )
            )
        case TillClosed():
            _day(found, fact).closes.append(fact)
        case _:
            pass


def _money(sale: SaleRung, sign: int, at: datetime) -> Iterator[_Movement]:
    for one in sale.tenders:
        yield _Movement(one.tender, one.kind, sign * one.amount, sale.currency, at)


def _close(
    till: tuple[str, str, str, date],
    day: _Day,
    booked: tuple[int, dict[str, int]],
    rules: Expected,
    kind_of: KindOf,
) -> TillClose:
    source, location, name, business_date = till
    newest = max(day.closes, key=lambda one: (one.occurred_at, one.sequence), default=None)
    counting = [one for one in day.closes if one.counts]
    count = max(counting, key=lambda one: (one.occurred_at, one.sequence), default=None)
    stated = {} if count is None else {one.tender: one for one in count.counts}
    currency = count.currency if count is not None else _currency(day)
    until = [
        one
        for one in day.movements
        if one.currency == currency and (count is None or one.at <= count.occurred_at)
    ]
    kinds = {one.tender: one.kind for one in until}
    version, done = booked
    drawer = rules.of(source).cash_float
    rows = []
    for tender in sorted({*kinds, *stated, *done}):
        told = stated.get(tender, TenderCount(tender))
        kind = kinds.get(tender) or kind_of(tender)
        rows.append(
            TenderClose(
                tender=tender,
                kind=kind,
                expected=sum(one.amount for one in until if one.tender == tender)
                + (drawer if kind == CASH else 0),
                counted=told.counted,
                stated=told.expected,
                booked=done.get(tender, 0),
            )
        )
    return TillClose(
        source=source,
        location=location,
        till=name,
        business_date=business_date,
        currency=currency,
        sales=day.sales,
        closes=len(day.closes),
        closed_at=None if newest is None else newest.occurred_at,
        version=version,
        tenders=tuple(rows),
        entities=None if newest is None else newest.entities,
    )


def _currency(day: _Day) -> str:
    told = [one.currency for one in day.movements] + [one.currency for one in day.closes]
    return told[0] if told else ""


def _counted(close: TillClose) -> TillCounted | None:
    """What is to be booked now; None when all of it is."""
    rows = tuple(
        CountedTender(one.tender, one.kind, one.counted or 0, one.expected, rest)
        for one in close.tenders
        if (rest := (one.difference or 0) - one.booked)
    )
    if not rows or close.closed_at is None or close.entities is None:
        return None
    version = close.version + 1
    return TillCounted(
        key=close.key,
        id=f"{close.key}/{version}",
        source="hub",
        mapping="hub/1",
        occurred_at=close.closed_at,
        business_date=close.business_date,
        entities=close.entities,
        location=close.location,
        till=close.till,
        currency=close.currency,
        version=version,
        rows=rows,
    )
