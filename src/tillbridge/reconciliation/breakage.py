"""Breakage: what of gift cards will never be spent, worked out by policy, told to the books.

`remote`: a card on which nothing happened for so many days is not expected to be used. All cards
sold in one month are one portfolio under `proportional`: the share nobody will use is earned in the
proportion in which the others are used (ASC 606-10-55-46 to 49, IFRS 15 B44 to B47). What the law
gives to the state is owed to it and never earned, whatever expired by then.

A card stays as it is: what is expected stands in an allowance against the liability, so a card that
is used after all takes its part back. Target less booked: done again without news, nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from functools import partial

import msgspec

from tillbridge.atoms.ids import key_of, lane_of, stable_uuid
from tillbridge.canonical.cards import BreakageRecognised
from tillbridge.canonical.fact import Entities
from tillbridge.canonical.valued import ValuedRow
from tillbridge.durable import log
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection, Record
from tillbridge.orchestration.terms import PARTS, TermsOfSale, Whom

QUERIES = load("tillbridge.reconciliation", "breakage.sql", "lock", "cards", "booked", "write")
VERSION = "breakage/1"
"""Name and version of this reckoning, as facts tell it."""
REMOTE, PROPORTIONAL = "remote", "proportional"
_TERMS = ("gift_card_breakage", "gift_card_escheat")
Slot = tuple[str, str, str]
"""Entity, currency, and the card or the month in which cards were sold."""


class Card(msgspec.Struct, frozen=True):
    """A card in the books of who owes it, minor units. expired: can no longer be spent. first,
    last: days of its first fill and of the last time anything happened.
    """

    entity: str
    currency: str
    card: str
    filled: int
    redeemed: int
    expired: int
    first: date
    last: date

    @property
    def balance(self) -> int:
        """What can still be spent."""
        return self.filled - self.redeemed - self.expired


class Terms(msgspec.Struct, frozen=True):
    """The policy of an entity. rate, escheat: parts of PARTS. place: `file:line` that says it."""

    method: str = "never"
    days: int = 0
    rate: int = 0
    escheat: int = 0
    place: str = ""


class Target(msgspec.Struct):
    """What should be booked of a slot, minor units."""

    income: int = 0
    escheat: int = 0


def targets(
    cards: Iterable[Card], terms_of: Callable[[str], Terms], today: date
) -> dict[Slot, Target]:
    """What should be booked as of a day. Pure, in no order."""
    found: dict[Slot, Target] = {}
    portfolios: dict[Slot, list[Card]] = {}
    for card in cards:
        terms = terms_of(card.entity)
        slot = (card.entity, card.currency, f"card/{card.card}")
        if terms.method == REMOTE and card.last + timedelta(days=terms.days) < today:
            _split(found, slot, max(card.balance, 0), terms)
        elif terms.method == PROPORTIONAL:
            month = (card.entity, card.currency, f"breakage/{card.first:%Y-%m}")
            portfolios.setdefault(month, []).append(card)
        if card.expired and terms.escheat:
            # the expiry was booked as earned; the state's part never was
            ours = _nearest(card.expired * terms.escheat, PARTS)
            one = found.setdefault(slot, Target())
            one.income, one.escheat = one.income - ours, one.escheat + ours
    for slot, sold in portfolios.items():
        terms = terms_of(slot[0])
        _split(found, slot, _proportional(sold, terms.rate), terms)
    return found


def _proportional(cards: Iterable[Card], rate: int) -> int:
    """Never more than is expected in all, and never more than is still on the cards."""
    filled = redeemed = expired = balance = 0
    for card in cards:
        filled, redeemed = filled + card.filled, redeemed + max(card.redeemed, 0)
        expired, balance = expired + card.expired, balance + max(card.balance, 0)
    earned = _nearest(redeemed * rate, PARTS - rate)
    expected = _nearest(max(filled, 0) * rate, PARTS) - expired
    return max(min(earned, expected, balance), 0)


def _split(found: dict[Slot, Target], slot: Slot, amount: int, terms: Terms) -> None:
    if amount:
        theirs = _nearest(amount * terms.escheat, PARTS)
        one = found.setdefault(slot, Target())
        one.income, one.escheat = one.income + amount - theirs, one.escheat + theirs


def _nearest(amount: int, by: int) -> int:
    """A quotient to the nearest whole, halves away from zero; nothing by nothing is nothing."""
    if by <= 0:
        return amount
    whole = (2 * abs(amount) + by) // (2 * by)
    return -whole if amount < 0 else whole


def terms_of(sale: TermsOfSale, today: date, entity: str) -> Terms:
    """The policy of an entity as it counts today."""
    said = dict(sale.said(Whom("", entity, "", "", today)))
    places = dict.fromkeys(said[name][1] for name in _TERMS if name in said)
    return Terms(
        method=said.get("gift_card_breakage", ("never", ""))[0],
        days=said.get("gift_card_breakage_days", (0, ""))[0],
        rate=said.get("gift_card_breakage_rate", (0, ""))[0],
        escheat=said.get("gift_card_escheat", (0, ""))[0],
        place=", ".join(places),
    )


def look_at_breakage(sale: TermsOfSale, connection: Connection, now: datetime) -> str:
    """What the schedule runs, and says of it. The caller commits at once."""
    connection.execute(QUERIES.lock)
    booked = {
        (entity, currency, item): (Target(income, escheat), turn)
        for entity, currency, item, income, escheat, turn in connection.execute(QUERIES.booked)
    }
    said = any(name in policy.says for policy in sale.policies for name in _TERMS)
    if not said and not any((one.income, one.escheat) != (0, 0) for one, _ in booked.values()):
        return "no policy says anything of breakage"
    today = now.date()
    known: dict[str, Terms] = {}

    def terms(entity: str) -> Terms:
        if entity not in known:
            known[entity] = terms_of(sale, today, entity)
        return known[entity]

    cards = [Card(*row) for row in connection.execute(QUERIES.cards)]
    wanted = targets(cards, terms, today)
    fact = partial(_fact, terms, now)
    facts = _tell(connection, wanted, booked, fact)
    if facts:
        records = [Record(one.key, "BreakageRecognised", one, lane_of(one.key)) for one in facts]
        log.append(connection, records)
    return f"{len(cards)} cards looked at, breakage of {len(facts)} told"


def _tell(
    connection: Connection,
    wanted: Mapping[Slot, Target],
    booked: Mapping[Slot, tuple[Target, int]],
    fact: Callable[[Slot, int, int, int], BreakageRecognised],
) -> list[BreakageRecognised]:
    facts, rows = [], []
    for slot in sorted(wanted.keys() | booked.keys()):
        target = wanted.get(slot, Target())
        before, turn = booked.get(slot, (Target(), 0))
        income, escheat = target.income - before.income, target.escheat - before.escheat
        if income or escheat:
            facts.append(fact(slot, turn + 1, income, escheat))
            rows.append((*slot, target.income, target.escheat, turn + 1))
    if rows:
        connection.execute(QUERIES.write, [list(column) for column in zip(*rows, strict=True)])
    return facts


def _fact(
    terms: Callable[[str], Terms],
    now: datetime,
    slot: Slot,
    turn: int,
    income: int,
    escheat: int,
) -> BreakageRecognised:
    entity, currency, item = slot
    policy = terms(entity)
    card = item.removeprefix("card/") if item.startswith("card/") else ""
    # no part of it tells the card's id
    known = stable_uuid("breakage", *slot)
    amounts = (("income", income), ("escheat", escheat))
    return BreakageRecognised(
        key=key_of("card", card) if card else f"{item}/{entity}",
        id=f"breakage/{known}/{turn}",
        source="hub",
        mapping="hub/1",
        occurred_at=now,
        business_date=now.date(),
        entities=Entities(selling=entity),
        currency=currency,
        item=item,
        card=card,
        method=policy.method,
        version=VERSION,
        policy=policy.place,
        rows=tuple(ValuedRow(kind, amount) for kind, amount in amounts if amount),
    )
