"""A page of a source's listing against what the hub holds of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

import msgspec

from tillbridge.atoms.money import MoneyError, to_text
from tillbridge.contract.promises import Listed


class Held(msgspec.Struct, frozen=True):
    """What the hub holds of an object: its newest version, and the amounts in minor units."""

    version: str
    currency: str
    amount: int
    refunded: int


class Sums(msgspec.Struct):
    """Money of one currency, minor units: sold and given back, there and here."""

    source_amount: int = 0
    source_refunded: int = 0
    hub_amount: int = 0
    hub_refunded: int = 0


class Difference(msgspec.Struct, frozen=True):
    """An object of one version with other amounts here than there."""

    listed: Listed
    held: Held

    @property
    def words(self) -> str:
        """Both figures, for people."""
        there, here = self.listed, self.held
        return (
            f"the source says {_money(there.amount, there.currency)}"
            f" and {_money(there.refunded, there.currency)} given back;"
            f" the hub holds {_money(here.amount, here.currency)}"
            f" and {_money(here.refunded, here.currency)} given back"
        )

    @property
    def at_stake(self) -> int:
        """By how much they differ, minor units of the source's currency."""
        sold = abs(self.listed.amount - self.held.amount)
        return sold + abs(self.listed.refunded - self.held.refunded)


class Tally(msgspec.Struct):
    """What a sweep has found so far.

    source_count: objects listed. hub_count: those the hub knows. missing: those it was never told
    of. behind: known in an older version. waiting: it came, but is not carried yet or waits for a
    decision. differences: the same version with other amounts. keys: all that were listed.
    """

    source_count: int = 0
    hub_count: int = 0
    waiting: int = 0
    missing: list[Listed] = []
    behind: list[Listed] = []
    differences: list[Difference] = []
    sums: dict[str, Sums] = {}
    keys: set[str] = set()

    def sums_of(self, currency: str) -> Sums:
        """Sums of a currency, made when new."""
        return self.sums.setdefault(currency, Sums())


def compare(
    tally: Tally,
    objects: Iterable[Listed],
    held: Mapping[str, Held],
    received: AbstractSet[str],
) -> None:
    """Add a page to a tally. An object listed twice (it moved while the pages were read) counts
    once.

    held: what the hub holds, by key. received: keys of which more came than is held.
    """
    for one in objects:
        if one.key in tally.keys:
            continue
        tally.keys.add(one.key)
        tally.source_count += 1
        sums = tally.sums_of(one.currency)
        sums.source_amount += one.amount
        sums.source_refunded += one.refunded
        known = held.get(one.key)
        if known is not None:
            tally.hub_count += 1
            here = tally.sums_of(known.currency)
            here.hub_amount += known.amount
            here.hub_refunded += known.refunded
        if known is None or known.version < one.version:
            _lacking(tally, one, known, waits=one.key in received)
        elif known.version == one.version and _amounts(known) != _amounts(one):
            tally.differences.append(Difference(one, known))


def _lacking(tally: Tally, one: Listed, known: Held | None, *, waits: bool) -> None:
    if waits:
        tally.waiting += 1
    elif known is None:
        tally.missing.append(one)
    else:
        tally.behind.append(one)


def _amounts(of: Held | Listed) -> tuple[str, int, int]:
    return of.currency, of.amount, of.refunded


def _money(minor: int, currency: str) -> str:
    try:
        return f"{to_text(minor, currency)} {currency}"
    except MoneyError:
        return f"{minor} {currency}"
