"""Posting rules as an accountant writes them: read from TOML, checked word by word.

    [[rule]]
    fact = "SaleRecognised"
    purpose = "revenue"
    entity = "*"
    from = 2026-01-01
    where = { channel = "web-us" }
    legs = [
      { debit = "customer-deposits", amount = "net", item = "{order}" },
      { credit = "sales/{department}", amount = "list", where = { kind = ["goods"] } },
    ]

There is no expression language. Every breach is told with file and line; `proof` then shows that
the legs cancel.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from tillbridge.atoms.toml_tables import table_lines
from tillbridge.posting.money.chart import BookRefused, Chart
from tillbridge.posting.money.shapes import PAID_TO, ROLE_FIELDS, ROLES, SHAPES, Collection, Shape
from tillbridge.posting.money.template import problem_of_account, problem_of_item

ANY = "*"
# closed choice of the fact's header -> values
CHOICES = {"paid_to": PAID_TO}
_RULE_KEYS = {"fact", "purpose", "entity", "from", "where", "legs", "words", "example"}
_LEG_KEYS = {"debit", "credit", "amount", "entity", "item", "where"}
_PURPOSE = re.compile(r"[a-z][a-z0-9-]*")
_LEG_LINE = re.compile(r"\s*\{\s*(?:debit|credit|amount|entity|item|where)\b")

Where = Mapping[str, tuple[str, ...]]


class Leg(msgspec.Struct, frozen=True):
    """One side of a rule. sign: 1 debit, -1 credit. role: entity whose books it is written in.

    leaves: stored measure -> coefficient. where: closed list -> values the leg is for.
    """

    sign: int
    account: str
    amount: str
    leaves: Mapping[str, int]
    role: str = "selling"
    item: str = ""
    where: Where = {}


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One posting rule. since: first business date. place: `file:line`. examples: raw tables."""

    fact: str
    purpose: str
    entity: str
    since: date
    where: Where
    legs: tuple[Leg, ...]
    words: str
    examples: tuple[dict[str, Any], ...]
    place: str

    @property
    def name(self) -> str:
        """What entries call it: `SaleRecognised/revenue`, with its entity and conditions if any."""
        chosen = [f"entity={self.entity}"] if self.entity != ANY else []
        chosen += [f"{key}={'|'.join(values)}" for key, values in sorted(self.where.items())]
        return f"{self.fact}/{self.purpose}" + (f"[{','.join(chosen)}]" if chosen else "")

    @property
    def version(self) -> str:
        """First business date it is for, ISO 8601."""
        return self.since.isoformat()

    @property
    def text(self) -> bytes:
        """The rule's meaning as canonical JSON: places, words and examples do not count."""
        meaning = (self.fact, self.purpose, self.entity, self.since, self.where, self.legs)
        return msgspec.json.encode(meaning, order="deterministic")

    @property
    def hash(self) -> bytes:
        """First 16 bytes of the SHA-256 of its meaning."""
        return hashlib.sha256(self.text).digest()[:16]


def parse_rules(
    text: str, file: str, chart: Chart, shapes: Mapping[str, Shape] = SHAPES
) -> list[Rule]:
    """Rules of a `rules.toml`, each word checked; raises BookRefused with every problem found."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise BookRefused([f"{file}: {problem}"]) from None
    problems = [f"{file}: unknown table {name!r}" for name in document if name != "rule"]
    rules: list[Rule] = []
    starts = table_lines(text, "rule")
    words = text.splitlines()
    for number, table in enumerate(document.get("rule", [])):
        first = starts[number] if number < len(starts) else 1
        last = starts[number + 1] if number + 1 < len(starts) else len(words) + 1
        reader = _Reader(file, first, words[first - 1 : last - 1], chart, shapes)
        rule = reader.rule(table)
        problems += reader.problems
        if rule is not None:
            rules.append(rule)
    if problems:
        raise BookRefused(problems)
    return rules


class _Reader:
    """Reads one rule and gathers what is wrong with it."""

    def __init__(
        self, file: str, first: int, words: list[str], chart: Chart, shapes: Mapping[str, Shape]
    ) -> None:
        self.file = file
        self.first = first
        self.chart = chart
        self.shapes = shapes
        self.problems: list[str] = []
        self.leg_lines = [first + n for n, line in enumerate(words) if _LEG_LINE.match(line)]

    def rule(self, table: dict[str, Any]) -> Rule | None:
        """The rule, or None when something is wrong."""
        shape = self._heading(table)
        if shape is None:
            return None
        where = self._header_where(table.get("where", {}), shape)
        raw_legs = table["legs"]
        legs = [self._leg(raw, n, len(raw_legs), shape) for n, raw in enumerate(raw_legs)]
        good = tuple(leg for leg in legs if leg is not None)
        if self.problems:
            return None
        return Rule(
            fact=table["fact"],
            purpose=table["purpose"],
            entity=table.get("entity", ANY),
            since=table["from"],
            where=where,
            legs=good,
            words=table.get("words", ""),
            examples=tuple(table.get("example", [])),
            place=f"{self.file}:{self.first}",
        )

    def _heading(self, table: dict[str, Any]) -> Shape | None:
        unknown = sorted(set(table) - _RULE_KEYS)
        if unknown:
            self._say(f"unknown word {unknown[0]!r}; a rule has {', '.join(sorted(_RULE_KEYS))}")
        for key, kind in (("fact", str), ("purpose", str), ("from", date), ("legs", list)):
            if not isinstance(table.get(key), kind):
                self._say(f"{key} is missing or no {'date' if kind is date else kind.__name__}")
                return None
        if not _PURPOSE.fullmatch(table["purpose"]):
            self._say(f"purpose {table['purpose']!r}: one lower-case word")
        if not isinstance(table.get("entity", ANY), str):
            self._say("entity is a code or *")
        shape = self.shapes.get(table["fact"])
        if shape is None:
            known = ", ".join(sorted(self.shapes))
            self._say(f"unknown fact {table['fact']!r}; rules exist for {known}")
        elif not table["legs"]:
            self._say("a rule without legs books nothing")
        return shape

    def _header_where(self, raw: Any, shape: Shape) -> Where:
        allowed = {**dict.fromkeys(shape.header), **CHOICES}
        return self._where(raw, allowed, self.first)

    def _leg(self, raw: Any, number: int, count: int, shape: Shape) -> Leg | None:
        line = self.leg_lines[number] if len(self.leg_lines) == count else self.first
        before = len(self.problems)
        sides = [side for side in ("debit", "credit") if isinstance(raw, dict) and side in raw]
        if len(sides) != 1 or not set(raw) <= _LEG_KEYS:
            self._say("a leg has debit or credit, amount, and may have entity, item, where", line)
            return None
        if not all(isinstance(raw.get(k, ""), str) for k in _LEG_KEYS - {"where"}):
            self._say("debit, credit, amount, entity and item of a leg are texts", line)
            return None
        leaves = shape.leaves_of(raw.get("amount", ""))
        if leaves is None:
            known = ", ".join(shape.measures)
            self._say(f"unknown amount {raw.get('amount', '')!r}; {shape.fact} has {known}", line)
            return None
        homes = {shape.collection_of(leaf).name: shape.collection_of(leaf) for leaf in leaves}
        home = next(iter(homes.values())) if len(homes) == 1 else None
        lists = dict(home.lists) if home else {}
        leg = Leg(
            sign=1 if sides[0] == "debit" else -1,
            account=raw[sides[0]],
            amount=raw["amount"],
            leaves=leaves,
            role=raw.get("entity", "selling"),
            item=raw.get("item", ""),
            where=self._where(raw.get("where", {}), lists, line),
        )
        self._check_leg(leg, shape, home, line)
        return leg if len(self.problems) == before else None

    def _check_leg(self, leg: Leg, shape: Shape, home: Collection | None, line: int) -> None:
        if leg.role not in ROLES:
            self._say(f"unknown entity role {leg.role!r}; one of {', '.join(ROLES)}", line)
        fields = shape.header | set(ROLE_FIELDS) | (home.fields if home else frozenset())
        for why in (problem_of_account(leg.account, fields), problem_of_item(leg.item, fields)):
            if why and (leg.item or "item" not in why[:4]):
                self._say(why, line)
                return
        if self.chart.find(leg.account) is None:
            self._say(f"account {leg.account!r} is not in the chart", line)

    def _where(
        self, raw: Any, allowed: Mapping[str, tuple[str, ...] | None], line: int
    ) -> dict[str, tuple[str, ...]]:
        where: dict[str, tuple[str, ...]] = {}
        if not isinstance(raw, dict):
            self._say("where is a table of name = value or list of values", line)
            return where
        for name, value in raw.items():
            values = tuple(value) if isinstance(value, list) else (value,)
            if name not in allowed:
                known = ", ".join(sorted(allowed)) or "nothing, the amount spans several lists"
                self._say(f"where: unknown name {name!r}; known here: {known}", line)
                continue
            closed = allowed[name]
            if not values or not all(isinstance(v, str) for v in values):
                self._say(f"where: {name} needs a text or a list of texts", line)
                continue
            for wrong in (v for v in values if closed is not None and v not in closed):
                self._say(
                    f"where: {name} is never {wrong!r}; one of {', '.join(closed or ())}", line
                )
            where[name] = values
        return where

    def _say(self, words: str, line: int | None = None) -> None:
        self.problems.append(f"{self.file}:{line or self.first}: {words}")
