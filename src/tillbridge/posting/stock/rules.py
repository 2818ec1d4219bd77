"""Availability rules as a planner writes them: read from TOML, checked word by word. Pure.

    [[rule]]
    channel = "web"
    locations = ["store"]        # codes, groups or kinds
    category = "shoes"
    safety_stock = 2
    stale_after_minutes = 90
    stale_buffer = "1.5"

Every rule that fits says its fields, and a later one wins field by field; without a rule nothing is
kept back. A breach is told with file and line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from importlib import resources

import msgspec

from tillbridge.atoms.errors import Refused
from tillbridge.atoms.toml_tables import (
    NoTables,
    Reader,
    names,
    parted,
    quantity,
    read_document,
    truth,
    whole,
    worded,
)

FILE = "availability.toml"
Labels = Mapping[str, AbstractSet[str]]
"""Location -> what rules may call it: its code, its kind, its groups."""
_MINUTES_MAX = 366 * 24 * 60
_DAYS_MAX = 3_650
# codes come from outside too; what nobody named in a rule must not fill the memory
_REMEMBERED_MAX = 65_536


class RulesRefused(Refused):
    """The rules cannot be used; `problems` holds one sentence each, with file and line."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems), code="rules")
        self.problems = list(problems)


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """What counts and what is kept back for one channel, location and item.

    Quantities in thousandths of the item's base unit. stale_after_minutes, inbound_days: 0 = never,
    none.
    """

    safety_stock: int = 0
    stale_after_minutes: int = 0
    stale_buffer: int = 0
    inbound_days: int = 0
    in_transit: bool = False

    def stale_at(self, heard_at: datetime | None) -> datetime | None:
        """From when on a place last heard of then is stale; None when it never gets so, or is as
        nobody ever told of it.
        """
        if not self.stale_after_minutes or heard_at is None:
            return None
        return heard_at + timedelta(minutes=self.stale_after_minutes)

    def buffer(self, heard_at: datetime | None, now: datetime) -> int:
        """What is kept back because the newest word of a place is old, or there is none."""
        if not self.stale_after_minutes:
            return 0
        stale_at = self.stale_at(heard_at)
        return self.stale_buffer if stale_at is None or stale_at <= now else 0


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. channel, locations, category, product: what it is for, () for all. says: fields of
    Terms. place: `file:line`.
    """

    channel: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    says: Mapping[str, int | bool]
    place: str = ""


class Rules:
    """All rules in order, answering for a channel, a location and an item."""

    def __init__(self, rules: Sequence[Rule] = (), labels: Labels | None = None) -> None:
        """labels: of the workspace's locations; one that has none goes by its code."""
        self.rules = tuple(rules)
        self._labels = labels or {}
        self._channels = {c for rule in rules for c in rule.channel}
        self._products = {p for rule in rules for p in rule.product}
        self._categories = {c for rule in rules for c in rule.category}
        self._remembered: dict[tuple[str, str, str, str], Terms] = {}

    @property
    def hash(self) -> bytes:
        """SHA-256 of what the rules mean; comments and places do not count."""
        meaning = [(r.channel, r.locations, r.category, r.product, r.says) for r in self.rules]
        return hashlib.sha256(msgspec.json.encode(meaning, order="sorted")).digest()

    def terms(self, channel: str, location: str, product: str, category: str = "") -> Terms:
        """The terms for one channel ("" = none in particular), location and item."""
        key = (
            channel if channel in self._channels else "",
            location,
            product if product in self._products else "",
            category if category in self._categories else "",
        )
        found = self._remembered.get(key)
        if found is None:
            if len(self._remembered) >= _REMEMBERED_MAX:
                self._remembered.clear()
            found = self._remembered[key] = self._folded(*key)
        return found

    def _folded(self, channel: str, location: str, product: str, category: str) -> Terms:
        labels = self._labels.get(location, frozenset((location,)))
        said: dict[str, int | bool] = {}
        for rule in self.rules:
            if (
                (not rule.channel or channel in rule.channel)
                and (not rule.locations or not labels.isdisjoint(rule.locations))
                and (not rule.category or category in rule.category)
                and (not rule.product or product in rule.product)
            ):
                said.update(rule.says)
        return msgspec.convert(said, Terms)

    def unknown(self, channels: AbstractSet[str]) -> list[str]:
        """What rules name that this workspace has not: a sentence each, with file and line."""
        names = {label for labels in self._labels.values() for label in labels}
        found = []
        for rule in self.rules:
            for what, named, known in (
                ("channel", rule.channel, channels),
                ("location, group or kind", rule.locations, names),
            ):
                found += [f"{rule.place}: no {what} {n!r}" for n in named if n not in known]
        return found


def default_text() -> str:
    """The rules that come with the program: none, with words on how to write one."""
    folder = resources.files("tillbridge.posting.stock").joinpath("default")
    return folder.joinpath(FILE).read_text(encoding="utf-8")


def parse_rules(text: str, file: str = FILE, labels: Labels | None = None) -> Rules:
    """The rules of a text, each word checked; raises RulesRefused with every problem found."""
    try:
        document = read_document(text, file, "rule", "rules")
    except NoTables as problem:
        raise RulesRefused([str(problem)]) from None
    problems = [f"{file}: unknown table {name!r}" for name in document.others]
    rules = []
    for table in document.tables:
        said, wrong = worded(table.words, _WORDS, "a rule")
        whom, says = parted(said, _WHOM)
        if not says and not wrong:
            wrong.append(f"it says nothing; one of {', '.join(_SAYS)}")
        rules.append(Rule(**whom, says=says, place=table.place))
        problems += [f"{table.place}: {words}" for words in wrong]
    if problems:
        raise RulesRefused(problems)
    return Rules(rules, labels)


_WHOM = ("channel", "locations", "category", "product")
_SAYS: Mapping[str, Reader] = {
    "safety_stock": quantity,
    "stale_after_minutes": whole(0, _MINUTES_MAX),
    "stale_buffer": quantity,
    "inbound_days": whole(0, _DAYS_MAX),
    "in_transit": truth,
}
_WORDS: Mapping[str, Reader] = {**dict.fromkeys(_WHOM, names), **_SAYS}
