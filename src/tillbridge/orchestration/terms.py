"""Terms of sale as the business writes them: windows, refund order, limits; with dates. Pure.

    [[policy]]
    from = 2026-01-01              # counts for orders placed from that day on
    channel = "web"                # or a list; also entity, country (where it is sent), brand
    return_days = 30
    refund_order = ["gift_card", "store_credit", "card"]
    refund_approval = { USD = "250.00" }

Every policy that fits an order says its fields, and a later one wins field by field. The day is the
one the order was placed: what a buyer was promised then does not change under him. A breach is told
with file and line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from tillbridge.atoms.errors import Refused
from tillbridge.atoms.money import MoneyError, to_minor
from tillbridge.atoms.toml_tables import (
    NoTables,
    Reader,
    names,
    one_of,
    parted,
    read_document,
    whole,
    worded,
)
from tillbridge.canonical.orders import Order
from tillbridge.canonical.payments import TENDER_KINDS

FILE = "policies.toml"
PARTNER = "partner"
"""Tables of the same file that are read by `partners.py`."""
REVENUE_EVENTS = ("shipped", "delivered")
SUBSTITUTIONS = ("never", "lower_price", "as_told")
RETURN_STARTS = ("delivered", "shipped", "placed")
REFUND_BY = ("channel", "hub")
WITHOUT_RECEIPT = ("refuse", "store_credit")
BREAKAGE = ("never", "remote", "proportional")
PARTS = 1_000_000
"""A whole, of which rates are parts."""
SHARES = frozenset(
    {"gift_card_breakage_rate", "gift_card_escheat", "return_rates", "transfer_price"}
)
"""Terms that are such rates."""
ALL = "*"
"""Whatever a table of rates does not name."""
NO_WINDOW = -1
_DAYS_MAX = 3_650
# countries come from outside; what they name must not fill the memory
_REMEMBERED_MAX = 16_384
Limits = Mapping[str, int]
"""Minor units by currency from which a person decides."""


class TermsRefused(Refused):
    """The policies cannot be used; `problems` holds one sentence each, with file and line."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems), code="policies")
        self.problems = list(problems)


class OrderTerms(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was agreed for one order.

    revenue_event: when goods are earned, one of REVENUE_EVENTS. pickup_days: how long goods wait
    for their buyer, 0 = for ever. substitution: what may leave instead, one of SUBSTITUTIONS
    (`lower_price`: the buyer never pays more than for what he ordered). return_days: how long goods
    are taken back, NO_WINDOW = always; return_from: from when that runs. return_without_receipt:
    one of WITHOUT_RECEIPT. refund_order: tender kinds in the order in which they are paid back; one
    that is not named comes last. return_approval, refund_approval: minor units by currency from
    which a person decides, None = never; a currency without a limit is decided by a person.
    authorization_days: how long a card provider keeps an amount held. refund_days: after how many
    days it is a case that a buyer is still owed money. gift_card_days, store_credit_days: how long
    what was put on a card can be spent, from the day it was last filled, 0 = for ever; such a term
    is of an entity or of all, a card belongs to no channel or country.
    gift_card_breakage: when what nobody will spend is earned, one of BREAKAGE; by the terms of the
    day it is worked out, of an entity or of all. gift_card_breakage_days: `remote` after so many
    days without a movement. gift_card_breakage_rate: share of what is sold that is never spent,
    for `proportional`; gift_card_escheat: share of it that the state gets (parts of PARTS).
    write_off_most: minor units by currency of what may stay open and be given up, None = any.
    return_rates: by department (`*`: the others) the share of sales that is expected back at the
    end of a month, parts of PARTS; return_reserve_days: of what was sold in so many days before.
    refund_by: who gives money back that is owed, one of REFUND_BY (`hub`: it has the channel pay,
    and asks a person first from refund_approval on). transfer_price: by entity that ships for the
    seller (`*`: the others) the share of the net price of its goods it is owed, parts of PARTS.
    """

    revenue_event: str = "shipped"
    pickup_days: int = 0
    substitution: str = "never"
    return_days: int = NO_WINDOW
    return_from: str = "delivered"
    return_without_receipt: str = "refuse"
    refund_order: tuple[str, ...] = ("gift_card", "store_credit", "coupon", "card", "wallet")
    return_approval: dict[str, int] | None = None
    refund_approval: dict[str, int] | None = None
    authorization_days: int = 7
    refund_days: int = 3
    gift_card_days: int = 0
    store_credit_days: int = 0
    gift_card_breakage: str = "never"
    gift_card_breakage_days: int = 0
    gift_card_breakage_rate: int = 0
    gift_card_escheat: int = 0
    write_off_most: dict[str, int] | None = None
    return_rates: dict[str, int] | None = None
    return_reserve_days: int = 30
    refund_by: str = "channel"
    transfer_price: dict[str, int] | None = None


def needs_person(limits: Limits | None, amount: int, currency: str) -> bool:
    """Whether an amount (minor units) is for a person to decide."""
    return limits is not None and amount >= limits.get(currency, 0)


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """One policy. channel, entity, country, brand: whom it is for, () for all. since: the first day
    of orders it is for. says: fields of OrderTerms. place: `file:line`.
    """

    channel: tuple[str, ...] = ()
    entity: tuple[str, ...] = ()
    country: tuple[str, ...] = ()
    brand: tuple[str, ...] = ()
    since: date = date.min
    says: Mapping[str, Any]
    place: str = ""


class Whom(msgspec.Struct, frozen=True):
    """What decides which policies fit an order. day: when it was placed, where it was sold."""

    channel: str
    entity: str
    country: str
    brand: str
    day: date


class TermsOfSale:
    """All policies in order, answering for an order."""

    def __init__(self, policies: Sequence[Policy] = ()) -> None:
        """policies: in the order of their file."""
        self.policies = tuple(policies)
        self._remembered: dict[Whom, OrderTerms] = {}

    def of(self, whom: Whom) -> OrderTerms:
        """The terms of one order."""
        found = self._remembered.get(whom)
        if found is None:
            if len(self._remembered) >= _REMEMBERED_MAX:
                self._remembered.clear()
            said = {name: value for name, (value, _) in self.said(whom)}
            found = self._remembered[whom] = msgspec.convert(said, OrderTerms)
        return found

    def said(self, whom: Whom) -> list[tuple[str, tuple[Any, str]]]:
        """Which policy says which of its terms: (field, (value, `file:line`))."""
        found: dict[str, tuple[Any, str]] = {}
        for policy in self.policies:
            if _fits(policy, whom):
                for name, value in policy.says.items():
                    found[name] = (value, policy.place)
        return list(found.items())

    def unknown(self, channels: AbstractSet[str], entities: AbstractSet[str]) -> list[str]:
        """What policies name that the workspace has not: a sentence each, with file and line."""
        found = []
        for policy in self.policies:
            for what, named, known in (
                ("channel", policy.channel, channels),
                ("entity", policy.entity, entities),
                ("entity", policy.says.get("transfer_price", {}).keys() - {ALL}, entities),
            ):
                found += [f"{policy.place}: no {what} {n!r}" for n in named if n not in known]
        return found


def whom(order: Order, entity: str, brand: str) -> Whom:
    """Whom an order belongs to: its country is where it is sent, its day that of its placing
    (UTC).
    """
    return Whom(order.channel, entity, order.ship_to.country, brand, order.placed_at.date())


def _fits(policy: Policy, whom: Whom) -> bool:
    return (
        policy.since <= whom.day
        and (not policy.channel or whom.channel in policy.channel)
        and (not policy.entity or whom.entity in policy.entity)
        and (not policy.country or whom.country in policy.country)
        and (not policy.brand or whom.brand in policy.brand)
    )


def parse_terms(text: str, file: str = FILE) -> TermsOfSale:
    """The policies of a text, each word checked; raises TermsRefused with every problem found."""
    try:
        document = read_document(text, file, "policy", "policies")
    except NoTables as problem:
        raise TermsRefused([str(problem)]) from None
    problems = [f"{file}: unknown table {name!r}" for name in document.others if name != PARTNER]
    policies = []
    for table in document.tables:
        said, wrong = worded(table.words, _WORDS, "a policy")
        since = said.pop("from", date.min)
        whom, says = parted(said, _WHOM)
        if not says and not wrong:
            wrong.append(f"it says nothing; one of {', '.join(_SAYS)}")
        policies.append(Policy(**whom, since=since, says=says, place=table.place))
        problems += [f"{table.place}: {words}" for words in wrong]
    if problems:
        raise TermsRefused(problems)
    return TermsOfSale(policies)


def _day(value: Any) -> date:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise TypeError("a day such as 2026-01-31, without quotes")
    return value


def _tender_kinds(value: Any) -> tuple[str, ...]:
    kinds = names(value)
    for kind in kinds:
        if kind not in TENDER_KINDS:
            raise ValueError(f"{kind!r} is none of {', '.join(TENDER_KINDS)}")
    if len(set(kinds)) < len(kinds):
        raise ValueError("a tender kind is named twice")
    return kinds


def _days(least: int) -> Reader:
    return whole(least, _DAYS_MAX, "a whole number of days")


def _share(value: Any) -> int:
    """A percentage as a text, because a float is no exact share."""
    if not isinstance(value, str):
        raise TypeError('a percentage as a text, such as "7.5"')
    try:
        percent = Decimal(value)
    except InvalidOperation:
        raise ValueError(f"{value!r} is no percentage") from None
    if not percent.is_finite() or not 0 <= percent <= 100:
        raise ValueError("a percentage is from 0 to 100")
    parts = percent * PARTS / 100
    if parts != int(parts):
        raise ValueError("a percentage has four decimals at most")
    return int(parts)


def _rates(value: Any) -> dict[str, int]:
    """Percentages by department."""
    if not isinstance(value, dict) or not value:
        raise TypeError('percentages by department, such as { shoes = "20", "*" = "8" }')
    return {str(name): _share(percent) for name, percent in value.items()}


def _prices(value: Any) -> dict[str, int]:
    """One percentage for all, or percentages by entity."""
    if isinstance(value, str):
        return {ALL: _share(value)}
    if not isinstance(value, dict) or not value:
        raise TypeError('a percentage as a text, such as "48", or by entity, { AT = "48" }')
    return {str(name): _share(percent) for name, percent in value.items()}


def _limits(value: Any) -> dict[str, int]:
    """Amounts by currency: texts, because a float is no exact amount."""
    if not isinstance(value, dict) or not value:
        raise TypeError('amounts by currency, such as { USD = "250.00" }')
    limits = {}
    for currency, amount in value.items():
        if not isinstance(amount, str):
            raise TypeError(f'{currency}: a text such as "250.00"')
        try:
            limits[currency] = to_minor(amount, currency)
        except MoneyError as problem:
            raise ValueError(str(problem)) from None
        if limits[currency] < 0:
            raise ValueError(f"{currency}: an amount is not negative")
    return limits


_WHOM = ("channel", "entity", "country", "brand")
_SAYS: Mapping[str, Reader] = {
    "revenue_event": one_of(REVENUE_EVENTS),
    "pickup_days": _days(0),
    "substitution": one_of(SUBSTITUTIONS),
    "return_days": _days(NO_WINDOW),
    "return_from": one_of(RETURN_STARTS),
    "return_without_receipt": one_of(WITHOUT_RECEIPT),
    "refund_order": _tender_kinds,
    "return_approval": _limits,
    "refund_approval": _limits,
    "authorization_days": _days(0),
    "refund_days": _days(0),
    "gift_card_days": _days(0),
    "store_credit_days": _days(0),
    "gift_card_breakage": one_of(BREAKAGE),
    "gift_card_breakage_days": _days(1),
    "gift_card_breakage_rate": _share,
    "gift_card_escheat": _share,
    "write_off_most": _limits,
    "return_rates": _rates,
    "return_reserve_days": _days(1),
    "refund_by": one_of(REFUND_BY),
    "transfer_price": _prices,
}
_WORDS: Mapping[str, Reader] = {
    "from": _day,
    **dict.fromkeys(_WHOM, names),
    **_SAYS,
}
