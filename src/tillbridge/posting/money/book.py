"""The rule book: chart and rules, proven when loaded, and the rule that wins for a fact.

For one fact, entity and purpose a rule of that entity beats a rule of all entities; then the one
with more conditions wins; then the one with the latest `from` not after the business date. Rules
that none of this can tell apart are refused when loaded.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.fact import Fact
from tillbridge.posting.money.chart import BookRefused, Chart, parse_chart
from tillbridge.posting.money.compiled import CompiledRule
from tillbridge.posting.money.proof import problems_of
from tillbridge.posting.money.rules import ANY, Rule, Where, parse_rules
from tillbridge.posting.money.shapes import SHAPES, Shape

FILES = ("chart.toml", "rules.toml", "examples.toml")
_PACKAGE = "tillbridge.posting.money"


class RuleBook:
    """Proven rules of one workspace. Made by `make_book` or `load_book`."""

    def __init__(
        self, chart: Chart, rules: list[Rule], shapes: Mapping[str, Shape], scenarios: str = ""
    ) -> None:
        self.chart = chart
        self.rules = tuple(rules)
        self.shapes = shapes
        self.scenarios = scenarios
        self._by_hash: dict[bytes, CompiledRule] = {}
        self._by_fact: dict[str, dict[str, list[CompiledRule]]] = {}
        for rule in sorted(rules, key=_rank):
            purposes = self._by_fact.setdefault(rule.fact, {})
            compiled = CompiledRule(rule, shapes[rule.fact])
            purposes.setdefault(rule.purpose, []).append(compiled)
            self._by_hash[compiled.hash] = compiled

    def winners(self, fact: Fact) -> list[CompiledRule]:
        """The winning rule of each purpose; raises NeedsDecision("posting_rule_missing")."""
        entity, day = fact.entities.selling, fact.business_date
        found: list[CompiledRule] = []
        for candidates in self._by_fact.get(type(fact).__name__, {}).values():
            for rule in candidates:
                if rule.applies(fact, entity, day):
                    found.append(rule)
                    break
        if not found:
            raise _no_rule(fact)
        return found

    def rules_of(self, hashes: AbstractSet[bytes]) -> list[CompiledRule]:
        """The rules of entries by their hashes (16 bytes per purpose), as far as they are here."""
        single = {joined[n : n + 16] for joined in hashes for n in range(0, len(joined), 16)}
        return [rule for key, rule in sorted(self._by_hash.items()) if key in single]


def make_book(
    chart_text: str,
    rules_text: str,
    *,
    files: tuple[str, str] = ("chart.toml", "rules.toml"),
    scenarios: str = "",
    shapes: Mapping[str, Shape] = SHAPES,
) -> RuleBook:
    """A proven book from texts; raises BookRefused with every problem, each with file and line."""
    chart = parse_chart(chart_text, files[0])
    rules = parse_rules(rules_text, files[1], chart, shapes)
    problems = [why for rule in rules for why in problems_of(rule, shapes[rule.fact])]
    problems += _ties(rules)
    if problems:
        raise BookRefused(problems)
    return RuleBook(chart, rules, shapes, scenarios)


def load_book(folder: Path | None = None) -> RuleBook:
    """The book of a folder; a file that is not there is taken from the shipped ones."""
    texts, names = [], []
    for name in FILES:
        path = folder / name if folder else None
        if path is not None and path.exists():
            texts.append(path.read_text(encoding="utf-8"))
            names.append(str(path))
        else:
            texts.append(default_text(name))
            names.append(f"default/{name}")
    return make_book(texts[0], texts[1], files=(names[0], names[1]), scenarios=texts[2])


def default_text(name: str) -> str:
    """Text of a shipped file (`chart.toml`, `rules.toml`, `examples.toml`), for `init` to copy."""
    found = importlib.resources.files(_PACKAGE).joinpath("default", name)
    return found.read_text(encoding="utf-8")


def _rank(rule: Rule) -> tuple[bool, int, int, str]:
    return (rule.entity == ANY, -len(rule.where), -rule.since.toordinal(), rule.place)


def _ties(rules: list[Rule]) -> list[str]:
    problems = []
    seen: dict[Any, list[Rule]] = {}
    for rule in rules:
        rank = (rule.fact, rule.purpose, rule.entity, rule.since, len(rule.where))
        for other in seen.setdefault(rank, []):
            if _overlap(rule.where, other.where):
                problems.append(
                    f"{rule.place}: {rule.name} and the rule at {other.place} are equally specific"
                    f" from {rule.version} on and can meet the same fact; say more in one of them"
                )
        seen[rank].append(rule)
    return problems


def _overlap(one: Where, other: Where) -> bool:
    return all(set(one[name]) & set(other[name]) for name in one if name in other)


def _no_rule(fact: Fact) -> NeedsDecision:
    name = type(fact).__name__
    return NeedsDecision(
        "posting_rule_missing",
        f"no posting rule for {name} {fact.id} of entity {fact.entities.selling}"
        f" on {fact.business_date.isoformat()}",
        owner="finance",
        remedy="add a [[rule]] to rules.toml, then `tillbridge rules test`",
        currency=getattr(fact, "currency", None),
        details={"fact": name, "entity": fact.entities.selling},
    )
