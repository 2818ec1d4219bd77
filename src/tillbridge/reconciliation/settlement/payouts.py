"""Payouts worked out: lines matched, sums proven, and what a payout comes to told to the books.

A payout whose lines do not come to its total is held with its exact difference: nothing of it is
matched or booked until it ties, by a corrected file or by a person who says what the difference is.
A line whose money the book does not hold is no reason to hold the payout: the clearing account then
stands open by exactly that line until its money is told. A payout below zero of a provider that
carries forward sends nothing: its total stays on the clearing account until the next one takes it,
in a line of its own (`carried`) or in its total.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from tillbridge.canonical.fact import Entities
from tillbridge.canonical.settlement import (
    COST_TYPES,
    MOVEMENT_TYPES,
    SettledRow,
    SettlementMatched,
)
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.posting.money.entries import entry_id
from tillbridge.reconciliation.settlement.rules import Account

QUERIES = load(
    "tillbridge.reconciliation.settlement",
    "matching.sql",
    "no_limit",
    "due",
    "sums",
    "residuals",
    "brought",
    "match",
    "match_intents",
    "match_references",
    "name_entries",
    "match_orders",
    "settle_parts",
    "rows",
    "nets",
    "residual_rows",
    "carried",
    "bank_rows",
    "write",
    "wait_again",
    "waiting",
    "differing",
)
SENT = ("", "in_transit", "paid", "failed", "canceled")
ENDED = ("failed", "canceled")
# kind, tender, bank
Slot = tuple[str, str, str]


class Payout(msgspec.Struct, kw_only=True):
    """A payout being worked out. net: of its lines in its currency, with accepted residuals.

    own: its own line in the list, as the provider's debt (None = it has none). foreign: how many
    lines are in another currency, foreign_net and foreign_in: what they come to. carried: its total
    is left for the next one. brought: what its total takes of those before it, lines_carried: what
    its lines say of it. at_bank: the bank shows something of it.
    """

    id: int
    key: str
    payout: str
    currency: str
    told: int | None
    state: str
    paid_on: date | None
    itemised: bool
    version: int
    booked: dict[Slot, int]
    reason: str
    heard_at: datetime
    carried: bool = False
    brought: int = 0
    at_bank: bool = False
    lines_carried: int = 0
    lines: int = 0
    net: int = 0
    own: int | None = None
    foreign: int = 0
    foreign_net: int = 0
    foreign_in: str = ""

    @property
    def amount(self) -> int | None:
        """What the provider sends: its head says it, else its own line in the list does."""
        return self.told if self.told is not None or self.own is None else -self.own

    @property
    def difference(self) -> int | None:
        """Its total less its lines, None = one of them is not told."""
        if self.amount is None or (self.itemised and not self.lines):
            return None
        if not self.itemised and not self.lines:
            return 0
        return self.amount - self.net - self.brought

    @property
    def ties(self) -> bool:
        """Whether it may be believed."""
        own = self.own is None or self.told is None or self.own == -self.told
        return self.difference == 0 and not self.foreign and own


class Worked(msgspec.Struct, frozen=True):
    """What a run came to: the payouts that were due, and what is to be told of them."""

    payouts: tuple[Payout, ...] = ()
    facts: tuple[SettlementMatched, ...] = ()


def work_out(connection: Connection, account: Account, now: datetime) -> Worked:
    """Match what is due of an account; the caller appends the facts to the log, last of all and
    in this transaction, and commits.
    """
    connection.execute(QUERIES.no_limit)
    named = {"account": account.name, "tenders": [*account.tenders, ""]}
    connection.execute(QUERIES.wait_again, named)
    payouts = _due(connection, account)
    if not payouts:
        return Worked()
    ready = [one for one in payouts if one.ties]
    facts: list[SettlementMatched] = []
    if ready:
        _match(connection, account, ready)
        target, banked_on = _targets(connection, account, ready)
        silent: list[tuple[int, object, object]] = []
        for one in ready:
            expected = _entry(account, one)
            before = entry_id(_fact_id(one.key, one.version), account.entity)
            told = _tell(account, one, target[one.id], banked_on.get(one.id), now)
            if not told:
                silent.append((one.id, expected, before if one.version else None))
            facts += told
        if silent:
            connection.execute(
                QUERIES.name_entries, [list(part) for part in zip(*silent, strict=True)]
            )
    connection.execute(
        QUERIES.write,
        (
            [one.id for one in payouts],
            [one.version for one in payouts],
            [_stored(one.booked) for one in payouts],
            [one.ties for one in payouts],
            [one.carried for one in payouts],
            [one.brought for one in payouts],
        ),
    )
    return Worked(tuple(payouts), tuple(facts))


def _due(connection: Connection, account: Account) -> list[Payout]:
    rows = connection.execute(QUERIES.due, (account.name,)).fetchall()
    found = {row[0]: _payout(row) for row in rows}
    for row in connection.execute(QUERIES.sums, (list(found),)):
        number, lines, net, own, foreign, foreign_net, foreign_in, carried = row
        one = found[number]
        one.lines_carried = carried
        one.lines, one.net, one.own = lines, net, own
        one.foreign, one.foreign_net, one.foreign_in = foreign, int(foreign_net), foreign_in or ""
    for number, amount in connection.execute(QUERIES.residuals, (list(found),)):
        found[number].net += amount
    payouts = list(found.values())
    _carry_forward(connection, account, payouts)
    return payouts


def _carry_forward(connection: Connection, account: Account, payouts: Sequence[Payout]) -> None:
    """Which of them leave their total to the next one, and what each takes of those before it.

    payouts: the oldest first.
    """
    before: dict[int, int] = {}
    if account.carries_forward:
        rows = connection.execute(QUERIES.brought, ([one.id for one in payouts],))
        before = dict(rows.fetchall())
    new: dict[str, int] = {}
    for one in payouts:
        standing = before.get(one.id, 0) + new.get(one.currency, 0)
        one.carried, one.brought = False, 0
        if account.carries_forward:
            takes = standing < 0 and not one.lines_carried and one.difference == standing
            one.brought = standing if takes else 0
            sends = one.state in SENT and one.state not in ENDED
            one.carried = (one.amount or 0) < 0 and sends and one.ties and not one.at_bank
        if one.ties:
            left = (one.amount or 0) if one.carried else 0
            new[one.currency] = new.get(one.currency, 0) + left - one.brought - one.lines_carried


def _payout(row: Sequence[Any]) -> Payout:
    number, key, name, currency, amount, state, paid_on, itemised, version, booked, *rest = row
    reason, heard_at, carried, brought, at_bank = rest
    return Payout(
        id=number,
        key=key,
        payout=name,
        currency=currency,
        told=amount,
        state=state,
        paid_on=paid_on,
        itemised=itemised,
        version=version,
        booked={_slot(slot): amount for slot, amount in booked.items()},
        reason=reason,
        heard_at=heard_at,
        carried=carried,
        brought=brought,
        at_bank=at_bank,
    )


def _match(connection: Connection, account: Account, ready: Sequence[Payout]) -> None:
    """One row of `settlement_match` per line of these payouts."""
    values = {
        "payouts": [one.id for one in ready],
        "entries": [_entry(account, one) for one in ready],
        "tenders": [*account.tenders, ""],
        "orders": list(account.rules.orders),
        "movements": list(MOVEMENT_TYPES),
    }
    connection.execute(QUERIES.match, values)
    connection.execute(QUERIES.match_references, values)
    connection.execute(QUERIES.match_intents, values)
    connection.execute(QUERIES.match_orders, values)
    connection.execute(QUERIES.settle_parts, values)


def _entry(account: Account, one: Payout) -> object:
    """The entry of what is told next of a payout: that of its new lines."""
    return entry_id(_fact_id(one.key, one.version + 1), account.entity)


def _fact_id(key: str, version: int) -> str:
    return f"{key}/settled/{version}"


def _targets(
    connection: Connection, account: Account, ready: Sequence[Payout]
) -> tuple[dict[int, dict[Slot, tuple[int, int]]], dict[int, date]]:
    """Per payout what should be booked by kind, tender and bank (amount, lines), and the day on
    which the bank last got something of it.
    """
    ids = [one.id for one in ready]
    first = account.tenders[0]
    found: dict[int, dict[Slot, tuple[int, int]]] = {number: {} for number in ids}

    def add(number: int, slot: Slot, amount: int, lines: int) -> None:
        before = found[number].get(slot, (0, 0))
        found[number][slot] = (before[0] + amount, before[1] + lines)

    values = {"payouts": ids, "tender": first, "costs": list(COST_TYPES)}
    for number, kind, tender, amount, lines in connection.execute(QUERIES.rows, values):
        add(number, (kind, tender, ""), amount, lines)
    for number, kind, tender, amount, lines in connection.execute(
        QUERIES.residual_rows, (first, ids)
    ):
        add(number, (kind, tender, ""), amount, lines)
    for number, tender, amount, lines in connection.execute(
        QUERIES.carried, (ids, account.functional)
    ):
        add(number, ("fx_realised", tender, ""), amount, lines)
    nets = _nets(connection, account, ids)
    for one in ready:
        for tender, amount in _sent(one, first, nets.get(one.id, {})).items():
            add(one.id, ("paid", tender, ""), amount, 0)
            if one.state in ENDED:
                add(one.id, ("returned", tender, ""), -amount, 0)
    banked_on: dict[int, date] = {}
    for number, bank, amount, lines, day in connection.execute(QUERIES.bank_rows, (ids,)):
        add(number, ("banked", first, bank), amount, lines)
        banked_on[number] = day
    return found, banked_on


def _nets(connection: Connection, account: Account, ids: list[int]) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    if len(account.tenders) > 1:
        for number, tender, net in connection.execute(QUERIES.nets, (account.tenders[0], ids)):
            found.setdefault(number, {})[tender] = net
    return found


def _sent(one: Payout, first: str, nets: dict[str, int]) -> dict[str, int]:
    """What a payout takes out of each tender's clearing account; what no line explains, and what
    is carried forward, out of the usual one.
    """
    if one.state not in SENT or one.amount is None:
        return {}
    others = {tender: net for tender, net in nets.items() if tender != first}
    total = 0 if one.carried else one.amount
    return {first: total - sum(others.values()), **others}


def _tell(
    account: Account,
    one: Payout,
    target: dict[Slot, tuple[int, int]],
    banked_on: date | None,
    now: datetime,
) -> list[SettlementMatched]:
    """What is new of a payout: of the provider's day, and of the bank's."""
    rows: list[SettledRow] = []
    for slot in sorted({*target, *one.booked}):
        amount, lines = target.get(slot, (0, 0))
        rest = amount - one.booked.get(slot, 0)
        if rest:
            rows.append(SettledRow(slot[0], rest, slot[1], slot[2], lines))
    one.booked = {slot: amount for slot, (amount, _) in target.items() if amount}
    facts = []
    provider = tuple(row for row in rows if row.kind != "banked")
    bank = tuple(row for row in rows if row.kind == "banked")
    today = now.date()
    for part, day in ((provider, one.paid_on), (bank, banked_on)):
        if part:
            one.version += 1
            facts.append(_fact(account, one, part, day or today, now))
    return facts


def _fact(
    account: Account, one: Payout, rows: tuple[SettledRow, ...], day: date, now: datetime
) -> SettlementMatched:
    return SettlementMatched(
        key=one.key,
        id=_fact_id(one.key, one.version),
        source="hub",
        mapping="hub/1",
        occurred_at=now,
        business_date=day,
        entities=Entities(selling=account.entity),
        account=account.name,
        payout=one.payout,
        currency=one.currency,
        version=one.version,
        rows=rows,
        channel=account.channel,
    )


def _slot(text: str) -> Slot:
    kind, tender, bank = text.split("\x1f")
    return kind, tender, bank


def _stored(booked: dict[Slot, int]) -> str:
    return json.dumps({"\x1f".join(slot): amount for slot, amount in booked.items()})
