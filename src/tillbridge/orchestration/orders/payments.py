"""Payments of an order, one machine per payment intent, folded from whoever tells of it. Pure.

The checkout's answer, the channel's transactions and the provider's webhook may each tell the same
movement under a reference of its own. What one road tells by different references are different
movements; what several roads tell of one intent is the same money, so an intent counts for what its
fullest road tells. Nothing here depends on which road was the fastest.

Purse: our tender code, and behind `SEP` the id of the gift card or credit the money lies on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import to_text
from tillbridge.canonical.cards import CardRedeemed
from tillbridge.canonical.payments import (
    PROVIDER,
    DisputeResolved,
    Payment,
    PaymentAuthorized,
    PaymentCaptured,
    PaymentDisputed,
    PaymentFailed,
    PaymentRefunded,
    PaymentVoided,
    RefundFailed,
)
from tillbridge.canonical.valued import ValuedTender
from tillbridge.orchestration.policies import PURSE_SEP as SEP

AUTHORIZED, VOIDED, FAILED = "authorized", "voided", "failed"
CAPTURED, REFUNDED, REFUND_FAILED = "captured", "refunded", "refund_failed"
_KINDS: dict[type[Payment], str] = {
    PaymentAuthorized: AUTHORIZED,
    PaymentVoided: VOIDED,
    PaymentFailed: FAILED,
    PaymentCaptured: CAPTURED,
    PaymentRefunded: REFUNDED,
    RefundFailed: REFUND_FAILED,
}
# reference -> (tender, minor units, currency)
Movements = dict[str, tuple[str, int, str]]
Amounts = dict[str, int]


class PaymentTold(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is told of one movement. roads: who told it; a later telling adds what it knows more."""

    kind: str
    reference: str
    tender: str
    amount: int
    currency: str
    at: datetime
    intent: str = ""
    parent: str = ""
    roads: tuple[str, ...] = ()
    card: str = ""
    until: datetime | None = None


class Dispute(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is told of one dispute; `tender` is "" while only its end is known. amount, fee,
    given_back: minor units. given_back counts when it was won, 0 = all of it.
    """

    tender: str = ""
    amount: int = 0
    currency: str = ""
    reference: str = ""
    intent: str = ""
    fee: int = 0
    respond_by: datetime | None = None
    outcome: str = ""
    given_back: int = 0
    resolved_at: datetime | None = None


class Tables(msgspec.Struct, frozen=True):
    """The evidence of an order's payments: its tables, and the rows of its refunds."""

    captures: Movements
    refund_payments: Movements
    payments: dict[str, PaymentTold]
    refund_rows: tuple[PaymentTold, ...] = ()


def fold(
    tables: Tables,
    disputes: dict[str, Dispute],
    body: Payment | CardRedeemed | PaymentDisputed | DisputeResolved,
) -> bool:
    """Merge what is told of payments (tables changed in place); False when it tells nothing new."""
    if isinstance(body, PaymentDisputed | DisputeResolved):
        return fold_dispute(disputes, body)
    return fold_payment(tables, body)


def fold_payment(tables: Tables, body: Payment | CardRedeemed) -> bool:
    """Merge a movement (tables changed in place); False when it tells nothing new.

    A movement is immutable: another amount under its reference raises NeedsDecision.
    """
    told = _told(body)
    plain = {CAPTURED: tables.captures, REFUNDED: tables.refund_payments}.get(told.kind)
    news = False
    if plain is not None:
        news = _amount_stands(plain, told, body.key)
        simple = not (told.intent or told.parent or told.card or isinstance(body, CardRedeemed))
        if simple and told.kind == CAPTURED and not _has_road(body):
            return news
    name = f"{told.kind}/{told.reference}"
    known = tables.payments.get(name)
    if known is None:
        tables.payments[name] = told
        return True
    if (known.amount, known.currency) != (told.amount, told.currency):
        raise immutable_changed(told.reference, known.amount, told, body.key, known.currency)
    merged = _merged(known, told)
    if merged == known:
        return news
    tables.payments[name] = merged
    return True


def _has_road(body: Payment | CardRedeemed) -> bool:
    return isinstance(body, Payment) and bool(body.road)


def _told(body: Payment | CardRedeemed) -> PaymentTold:
    if isinstance(body, CardRedeemed):
        return PaymentTold(
            CAPTURED,
            body.reference,
            body.tender,
            body.amount,
            body.currency,
            body.occurred_at,
            roads=("cards",),
            card=body.card,
        )
    return PaymentTold(
        _KINDS[type(body)],
        body.reference,
        body.tender,
        body.amount,
        body.currency,
        body.occurred_at,
        body.intent,
        body.parent,
        (body.road or body.source,),
        body.card,
        body.until if isinstance(body, PaymentAuthorized) else None,
    )


def _amount_stands(table: Movements, told: PaymentTold, key: str) -> bool:
    """The first telling stands. Another tender alone is no other movement: our name for the gateway
    was changed meanwhile.
    """
    known = table.get(told.reference)
    if known is None:
        table[told.reference] = (told.tender, told.amount, told.currency)
        return True
    if known[1:] != (told.amount, told.currency):
        raise immutable_changed(told.reference, known[1], told, key, known[2])
    return False


def immutable_changed(
    name: str, known: int, told: PaymentTold, key: str, currency: str = ""
) -> NeedsDecision:
    """The case of a movement that is told again with another amount."""
    return NeedsDecision(
        "immutable_changed",
        f"payment {name} was told as {to_text(known, currency or told.currency)} "
        f"{currency or told.currency} and now as {to_text(told.amount, told.currency)} "
        f"{told.currency}",
        owner="finance",
        amount=abs(known - told.amount),
        currency=told.currency,
        details={"reference": told.reference, "key": key},
    )


def _merged(known: PaymentTold, told: PaymentTold) -> PaymentTold:
    """What both tellings know; where they differ the greater text and the earlier instant stand, so
    that it does not matter which came first.
    """
    untils = [one.until for one in (known, told) if one.until is not None]
    return msgspec.structs.replace(
        known,
        at=min(known.at, told.at),
        intent=max(known.intent, told.intent),
        parent=max(known.parent, told.parent),
        roads=tuple(sorted({*known.roads, *told.roads})),
        card=max(known.card, told.card),
        until=max(untils) if untils else None,
    )


def fold_dispute(disputes: dict[str, Dispute], body: PaymentDisputed | DisputeResolved) -> bool:
    """Merge what is told of a dispute: its beginning is immutable, its latest end counts."""
    known = disputes.get(body.dispute, Dispute())
    if isinstance(body, PaymentDisputed):
        if known.tender and (known.amount, known.currency) != (body.amount, body.currency):
            named = (body.dispute, body.tender, body.amount, body.currency)
            told = PaymentTold("", *named, body.occurred_at)
            raise immutable_changed(f"dispute {body.dispute}", known.amount, told, body.key)
        now = msgspec.structs.replace(
            known,
            tender=known.tender or body.tender,
            amount=body.amount,
            currency=body.currency,
            reference=max(known.reference, body.reference),
            intent=max(known.intent, body.intent),
            fee=max(known.fee, body.fee),
            respond_by=body.respond_by or known.respond_by,
        )
    else:
        at = known.resolved_at
        rank = (body.occurred_at, body.outcome, body.amount)
        if at is not None and rank <= (at, known.outcome, known.given_back):
            return False
        now = msgspec.structs.replace(
            known,
            currency=known.currency or body.currency,
            outcome=body.outcome,
            given_back=body.amount,
            resolved_at=body.occurred_at,
        )
    if now == known:
        return False
    disputes[body.dispute] = now
    return True


# -- What the evidence sums to ------------------------------------------------------------------


class Groups:
    """Which movements belong to one intent: those that share it, their parents, or a card."""

    def __init__(self, rows: Iterable[PaymentTold]) -> None:
        self._up: dict[str, str] = {}
        for row in rows:
            # a refund's or void's own reference may be that of another movement on another road
            name = node(row)
            if row.parent:
                self._join(name, f"ref:{row.parent}")
            if row.intent:
                self._join(name, f"intent:{row.intent}")
            if row.card and (row.kind == CAPTURED or not (row.parent or row.intent)):
                self._join(name, f"{row.kind}:{row.card}")

    def of(self, name: str) -> str:
        """Name of the group a node is in; its own when it stands alone."""
        while name in self._up:
            name = self._up[name]
        return name

    def _join(self, one: str, other: str) -> None:
        first, second = sorted((self.of(one), self.of(other)))
        if first != second:
            self._up[second] = first


def node(row: PaymentTold) -> str:
    """A movement's place among the groups."""
    return f"ref:{row.reference}"


def purse_of(tender: str, card: str) -> str:
    """Where money lies: the tender, and the card if there is one."""
    return f"{tender}{SEP}{card}" if card else tender


def tender_row(purse: str, amount: int, kind: str) -> ValuedTender:
    """A purse's amount as finance books it."""
    tender, _, card = purse.partition(SEP)
    return ValuedTender(tender, amount, kind, card=card)


def taken(tables: Tables) -> Amounts:
    """Money taken so far by purse, each intent as its fullest road tells it."""
    if not tables.payments:
        sums: Amounts = {}
        for tender, amount, _ in tables.captures.values():
            sums[tender] = sums.get(tender, 0) + amount
        return sums
    return _summed(_by_group(rows_of(tables, CAPTURED), groups_of(tables)))


def given_back(tables: Tables) -> Amounts:
    """Money given back so far by purse, less refunds that failed afterwards."""
    rows = rows_of(tables, REFUNDED)
    if not rows:
        return {}
    groups = groups_of(tables)
    failed = [
        row
        for row in tables.payments.values()
        if row.kind == REFUND_FAILED and row.reference in rows
    ]
    gross = _by_group(rows, groups)
    if failed:
        back = _by_group({row.reference: row for row in failed}, groups)
        for group, amounts in back.items():
            _take_off(gross.get(group, {}), sum(amounts.values()))
    return _summed(gross)


def _take_off(amounts: Amounts, left: int) -> None:
    for purse in sorted(amounts):
        part = min(left, amounts[purse])
        amounts[purse] -= part
        left -= part


def groups_of(tables: Tables) -> Groups:
    """The groups of everything that is told."""
    return Groups([*tables.payments.values(), *tables.refund_rows])


def rows_of(tables: Tables, kind: str) -> dict[str, PaymentTold]:
    """All movements of a kind by reference, whichever table they stand in."""
    rows = {row.reference: row for row in tables.payments.values() if row.kind == kind}
    plain = tables.captures if kind == CAPTURED else tables.refund_payments
    for reference, (tender, amount, currency) in plain.items():
        if reference not in rows:
            rows[reference] = PaymentTold(kind, reference, tender, amount, currency, _NEVER)
    if kind == REFUNDED:
        for row in tables.refund_rows:
            known = rows.get(row.reference)
            rows[row.reference] = row if known is None else _both(row, known)
    return rows


_NEVER = datetime.min.replace(tzinfo=UTC)


def _both(row: PaymentTold, known: PaymentTold) -> PaymentTold:
    """A refund's payment that its transaction tells as well: the refund is the newer word."""
    return msgspec.structs.replace(
        row,
        tender=row.tender or known.tender,
        at=known.at,
        intent=known.intent,
        parent=max(row.parent, known.parent),
        card=max(row.card, known.card),
        roads=tuple(sorted({*row.roads, *known.roads})),
    )


def _by_group(rows: Mapping[str, PaymentTold], groups: Groups) -> dict[str, Amounts]:
    """Per group the amounts by purse of the road that tells most."""
    told: dict[str, dict[str, Amounts]] = {}
    for row in rows.values():
        group = told.setdefault(groups.of(node(row)), {})
        for road in row.roads or ("",):
            amounts = group.setdefault(road, {})
            purse = purse_of(row.tender, row.card)
            amounts[purse] = amounts.get(purse, 0) + row.amount
    return {group: fullest(roads) for group, roads in told.items()}


def fullest(roads: Mapping[str, Amounts]) -> Amounts:
    """The amounts of the road that tells most. Of equals one that names a card, then the provider,
    who knows to which account it pays, then the first by name.
    """

    def rank(road: str) -> tuple[int, bool, bool, str]:
        amounts = roads[road]
        named = any(SEP in purse for purse in amounts)
        return (-sum(amounts.values()), not named, road != PROVIDER, road)

    return dict(roads[min(roads, key=rank)])


def _summed(groups: Mapping[str, Amounts]) -> Amounts:
    sums: Amounts = {}
    for amounts in groups.values():
        for purse, amount in amounts.items():
            if amount:
                sums[purse] = sums.get(purse, 0) + amount
    return sums
