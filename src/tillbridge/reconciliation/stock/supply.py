"""Purchases as they came: what came too much, what never came, what is late, what nobody ordered.

The stock book takes goods as they arrive, whatever was ordered. Here the difference is judged by
the rules of deliveries: what they allow is nothing anybody hears of, and what is allowed to lack is
waited for no longer. Each case closes by itself when it is so no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import key_of
from tillbridge.atoms.quantity import to_text
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.supply import PurchaseClosed
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.findings import Settled, settle
from tillbridge.reconciliation.replenishment.deliveries import (
    Bought,
    DeliveryRule,
    DeliveryTerms,
    terms_of,
)

QUERIES = load("tillbridge.reconciliation.stock", "supply.sql", "late", "differing", "unordered")
UNORDERED_AFTER = timedelta(days=2)
"""How long after its date a proposal the ERP took may be without a purchase."""
NAMED_MOST = 20
Cases = dict[str, NeedsDecision]


class Looked(msgspec.Struct, frozen=True):
    """What a look found. facts: purchases as good as whole, to be told to the log."""

    settled: Settled
    facts: tuple[PurchaseClosed, ...] = ()


class Line(msgspec.Struct, frozen=True):
    """A product of a purchase at a place, thousandths of the base unit. let_go: closed by a person
    or the hub, who know what lacks. came: something of the purchase did.
    """

    supply: str
    supplier: str
    version: str
    location: str
    product: str
    category: str
    due_at: datetime | None
    expected: int
    received: int
    closed: bool
    let_go: bool
    came: bool

    def terms(self, rules: Sequence[DeliveryRule]) -> DeliveryTerms:
        """What it may differ by."""
        return terms_of(rules, Bought(self.supplier, self.location, self.category, self.product))


def look_at_purchases(
    connection: Connection, rules: Sequence[DeliveryRule], now: datetime
) -> Looked:
    """Open, reword and close the cases of all purchases. The caller tells the facts and commits."""
    late = dict(_waited_for(connection, now))
    over: Cases = {}
    short: Cases = {}
    facts: list[PurchaseClosed] = []
    rows = connection.execute(QUERIES.differing, (now,)).fetchall()
    for supply, group in groupby((Line(*row) for row in rows), key=lambda line: line.supply):
        lines = [(line, line.terms(rules)) for line in group]
        key = key_of("supply", supply)
        if much := list(_too_much(lines)):
            over[key] = _case("purchase_over", "more came than was ordered", lines[0][0], much)
        if lack := list(_too_little(lines)):
            short[key] = _case("purchase_short", "it ended with less", lines[0][0], lack)
        if key not in late and (lack := list(_overdue(lines, now))):
            late[key] = _case("supply_late", "it has not all come", lines[0][0], lack)
        if _as_good_as_whole(lines):
            facts.append(_closed(lines[0][0], now))
    told = [
        settle(connection, "supply_late", late, now),
        settle(connection, "purchase_over", over, now),
        settle(connection, "purchase_short", short, now),
        settle(connection, "purchase_unordered", dict(_unordered(connection, now)), now),
    ]
    opened, closed = sum(one.opened for one in told), sum(one.closed for one in told)
    return Looked(Settled(opened, closed), tuple(facts))


def _waited_for(connection: Connection, now: datetime) -> Iterator[tuple[str, NeedsDecision]]:
    """Late supply that orders wait for, whatever the rules."""
    for supply, due_at, orders, places in connection.execute(QUERIES.late, (now,)).fetchall():
        yield (
            key_of("supply", supply),
            NeedsDecision(
                "supply_late",
                f"supply {supply} was due on {due_at:%Y-%m-%d}; {orders} orders wait for it",
                owner="fulfilment",
                remedy=f"tillbridge purchases show {supply}",
                details={"supply": supply, "orders": orders, "locations": sorted(places)},
            ),
        )


def _unordered(connection: Connection, now: datetime) -> Iterator[tuple[str, NeedsDecision]]:
    rows = connection.execute(QUERIES.unordered, (now - UNORDERED_AFTER,)).fetchall()
    for number, remote, supplier, location, due_at in rows:
        yield (
            key_of("proposal", number),
            NeedsDecision(
                "purchase_unordered",
                f"proposal {number} to buy from {supplier} for {location} was taken by the ERP as "
                f"{remote or 'nothing it named'}, was due on {due_at:%Y-%m-%d}, and nobody told "
                "what was bought",
                owner="fulfilment",
                remedy=f"tillbridge purchases close {number} --reason CODE",
                details={"proposal": number, "remote": remote, "location": location},
            ),
        )


def _too_much(lines: Iterable[tuple[Line, DeliveryTerms]]) -> Iterator[tuple[Line, int]]:
    for line, terms in lines:
        if line.received > line.expected + terms.over(line.expected):
            yield line, line.received - line.expected


def _too_little(lines: Iterable[tuple[Line, DeliveryTerms]]) -> Iterator[tuple[Line, int]]:
    for line, terms in lines:
        told = line.closed and not line.let_go
        if told and line.received < line.expected - terms.under(line.expected):
            yield line, line.received - line.expected


def _overdue(
    lines: Iterable[tuple[Line, DeliveryTerms]], now: datetime
) -> Iterator[tuple[Line, int]]:
    for line, terms in lines:
        if line.closed or line.due_at is None or terms.late_days is None:
            continue
        late = line.due_at + timedelta(days=terms.late_days) < now
        if late and line.received < line.expected - terms.under(line.expected):
            yield line, line.received - line.expected


def _as_good_as_whole(lines: Sequence[tuple[Line, DeliveryTerms]]) -> bool:
    """Whether something came, and what lacks of each product is not worth waiting for."""
    lacking = [(li, terms) for li, terms in lines if not li.closed and li.received < li.expected]
    return bool(lacking) and all(
        line.came and line.received >= line.expected - terms.under(line.expected)
        for line, terms in lacking
    )


def _case(
    reason: str, what: str, first: Line, differing: Sequence[tuple[Line, int]]
) -> NeedsDecision:
    told = "; ".join(
        f"{line.product} at {line.location} {to_text(line.received)} of {to_text(line.expected)} "
        f"({'+' if much > 0 else ''}{to_text(much)})"
        for line, much in differing[:NAMED_MOST]
    )
    more = f" and {len(differing) - NAMED_MOST} more" if len(differing) > NAMED_MOST else ""
    words = f"purchase {first.supply} from {first.supplier}: {what}: {told}{more}"
    remedy = f"tillbridge purchases show {first.supply}"
    details = {
        "supply": first.supply,
        "supplier": first.supplier,
        "lines": [[li.location, li.product, li.expected, li.received] for li, _ in differing],
    }
    match reason:
        case "purchase_over":
            return NeedsDecision(
                "purchase_over", words, owner="fulfilment", remedy=remedy, details=details
            )
        case "purchase_short":
            return NeedsDecision(
                "purchase_short", words, owner="fulfilment", remedy=remedy, details=details
            )
        case _:
            return NeedsDecision(
                "supply_late", words, owner="fulfilment", remedy=remedy, details=details
            )


def _closed(line: Line, now: datetime) -> PurchaseClosed:
    key = key_of("supply", line.supply)
    return PurchaseClosed(
        key=key,
        id=f"{key}/closed/hub/{line.version}",
        source="hub",
        mapping="hub/1",
        occurred_at=now,
        business_date=now.date(),
        entities=Entities(selling=""),
        supply=line.supply,
        version=line.version,
        reason="within tolerance",
    )
