"""Whose goods a store sells, or who sells ours: dated policies of the workspace. Pure.

    [[partner]]
    from = 2026-01-01
    partner = "lumiere"
    as = "agent"                   # we sell his goods; "principal": he sells ours
    commission = "0.25"            # of the net
    collects = "us"                # who has the buyer's money; "partner" takes a whole store
    location = "store-nyc"         # also channel, department, entity, each one or a list

Of those that fit a line the last one written counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from tillbridge.atoms.toml_tables import Reader, Table, names, one_of, parted, worded
from tillbridge.canonical.partners import COLLECTORS_OF_MONEY, MODES, PARTNER

PPM = 1_000_000


class Deal(msgspec.Struct, frozen=True):
    """What is agreed with a partner. rate_ppm: commission in parts per million of the net. policy:
    its first day, file and line.
    """

    partner: str
    mode: str
    collects: str
    rate_ppm: int
    policy: str


class PartnerPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A deal and what it is for; () = all."""

    deal: Deal
    since: date = date.min
    location: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()
    department: tuple[str, ...] = ()
    entity: tuple[str, ...] = ()


class Place(msgspec.Struct, frozen=True):
    """Where and when something was sold."""

    location: str
    channel: str
    entity: str
    day: date


class Partners(msgspec.Struct, frozen=True):
    """All such policies in the order of their file."""

    policies: tuple[PartnerPolicy, ...] = ()

    def deal(self, place: Place, department: str) -> Deal | None:
        """What is agreed for a line; None = it is ours alone."""
        found = None
        for one in self.policies:
            if _fits(one, place) and (not one.department or department in one.department):
                found = one.deal
        return found

    def keeper(self, place: Place) -> Deal | None:
        """The deal by which a partner keeps the money of a place; None = it is ours."""
        found = None
        for one in self.policies:
            if _fits(one, place) and not one.department:
                found = one.deal
        return found if found is not None and found.collects == PARTNER else None


def _fits(one: PartnerPolicy, place: Place) -> bool:
    return (
        one.since <= place.day
        and (not one.location or place.location in one.location)
        and (not one.channel or place.channel in one.channel)
        and (not one.entity or place.entity in one.entity)
    )


def read_partners(tables: Sequence[Table]) -> tuple[Partners, list[str]]:
    """Policies out of their tables, and a sentence for whatever is wrong, with file and line."""
    found, problems = [], []
    for table in tables:
        said, wrong = worded(table.words, _WORDS, "a partner")
        wrong += [f"{name} is missing" for name in _NEEDED if name not in table.words]
        if said.get("collects") == PARTNER and "department" in said:
            wrong.append("a partner who collects takes a whole store or channel, no department")
        problems += [f"{table.place}: {words}" for words in wrong]
        if not wrong:
            found.append(_policy(said, table.place))
    return Partners(tuple(found)), problems


def _policy(said: Mapping[str, Any], place: str) -> PartnerPolicy:
    since = said.get("from", date.min)
    where, _ = parted(said, _WHERE)
    deal = Deal(
        said["partner"], said["as"], said["collects"], said["commission"], f"{since} {place}"
    )
    return PartnerPolicy(deal=deal, since=since, **where)


def _rate(value: Any) -> int:
    """Parts per million; a text, because a float is no exact rate."""
    if not isinstance(value, str):
        raise TypeError('a text such as "0.25"')
    try:
        rate = Decimal(value) * PPM
    except InvalidOperation:
        raise ValueError(f"{value!r} is no number") from None
    if rate != rate.to_integral_value() or not 0 <= rate <= PPM:
        raise ValueError("a part of the net from 0 to 1, at most six digits behind the point")
    return int(rate)


def _code(value: Any) -> str:
    if not isinstance(value, str) or not value.replace("-", "").isalnum():
        raise ValueError("letters, digits and dashes")
    return value


def _day(value: Any) -> date:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise TypeError("a day such as 2026-01-31, without quotes")
    return value


_WHERE = ("location", "channel", "department", "entity")
_NEEDED = ("partner", "as", "commission", "collects")
_WORDS: Mapping[str, Reader] = {
    "from": _day,
    "partner": _code,
    "as": one_of(MODES),
    "commission": _rate,
    "collects": one_of(COLLECTORS_OF_MONEY),
    **dict.fromkeys(_WHERE, names),
}
