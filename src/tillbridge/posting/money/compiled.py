"""Rules compiled for speed: each combination of closed values knows at once which legs are for it.

A value that no combination has is a case, because nothing was proven for it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from operator import attrgetter
from typing import Any

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.fact import Fact
from tillbridge.posting.money.proof import combinations, matches
from tillbridge.posting.money.rules import ANY, Leg, Rule
from tillbridge.posting.money.shapes import Collection, Shape
from tillbridge.posting.money.template import (
    Renderer,
    account_renderer,
    item_renderer,
    stated_entity,
)

Amounts = dict[tuple[str, str], int]  # (account, open item) -> signed minor units
Books = dict[str, Amounts]  # entity -> amounts
# amount of a member, role ("" = selling), account, open item (None = none)
_Action = tuple[Callable[[Any], int], str, Renderer, Renderer | None]


class CompiledRule:
    """A rule ready to meet facts."""

    def __init__(self, rule: Rule, shape: Shape) -> None:
        self.rule = rule
        self.name, self.version, self.hash = rule.name, rule.version, rule.hash
        self._entity = "" if rule.entity == ANY else rule.entity
        self._since = rule.since
        self._where = [(_choice(name), frozenset(v)) for name, v in rule.where.items()]
        self._parts = [
            (collection, _key_of(collection), table)
            for collection in shape.collections
            if (table := _table(rule, collection))
        ]

    def applies(self, fact: Fact, entity: str, day: date) -> bool:
        """Whether the rule is for this fact, entity and business date."""
        if self._since > day or (self._entity and self._entity != entity):
            return False
        return all(choice(fact) in values for choice, values in self._where)

    def gather(self, fact: Fact, books: Books) -> None:
        """Add the fact's amounts to the books; raises NeedsDecision for an unproven value."""
        selling = fact.entities.selling
        mine = books.setdefault(selling, {})
        for collection, key_of, table in self._parts:
            for member in collection.items(fact):
                actions = table.get(key_of(member))
                if actions is None:
                    raise _unproven(fact, collection, key_of(member))
                for amount_of, role, account_of, item_of in actions:
                    amount = amount_of(member)
                    if not amount:
                        continue
                    book = books.setdefault(stated_entity(fact, role), {}) if role else mine
                    place = (account_of(fact, member), item_of(fact, member) if item_of else "")
                    book[place] = book.get(place, 0) + amount


def _choice(name: str) -> Callable[[Fact], str]:
    if name == "paid_to":
        return lambda fact: (
            "own" if fact.entities.tender in ("", fact.entities.selling) else "other"
        )
    return attrgetter(name)


def _key_of(collection: Collection) -> Callable[[Any], Any]:
    return attrgetter(*collection.lists) if collection.lists else lambda member: ()


def _table(rule: Rule, collection: Collection) -> dict[Any, tuple[_Action, ...]]:
    """Combination of closed values -> actions; empty when the rule leaves the collection alone."""
    legs = [leg for leg in rule.legs if set(leg.leaves) & set(collection.measures)]
    actions = {id(leg): _action(leg, collection) for leg in legs}
    table = {}
    for values in combinations(collection) if legs else ():
        key = values[0] if len(values) == 1 else values
        table[key] = tuple(actions[id(leg)] for leg in legs if matches(leg, collection, values))
    return table


def _action(leg: Leg, collection: Collection) -> _Action:
    weights = [
        (collection.measures[measure], leg.sign * weight)
        for measure, weight in leg.leaves.items()
        if measure in collection.measures
    ]
    # a leg over several collections names only header fields, checked when it was read
    account = account_renderer(leg.account, collection.fields)
    item = item_renderer(leg.item, collection.fields) if leg.item else None
    return _amount(weights), "" if leg.role == "selling" else leg.role, account, item


def _amount(weights: list[tuple[str, int]]) -> Callable[[Any], int]:
    """Function that gives a member's signed amount: the sum of attribute x weight."""
    if len(weights) == 1:
        get, weight = attrgetter(weights[0][0]), weights[0][1]
        if weight == 1:
            return get
        return lambda member: get(member) * weight
    getters = [(attrgetter(name), weight) for name, weight in weights]
    if len(getters) == 2:
        (first, one), (second, two) = getters
        return lambda member: first(member) * one + second(member) * two
    return lambda member: sum(get(member) * weight for get, weight in getters)


def _unproven(fact: Fact, collection: Collection, key: Any) -> NeedsDecision:
    values = (key,) if isinstance(key, str) else key
    named = ", ".join(f"{n} {v!r}" for n, v in zip(collection.lists, values, strict=True))
    return NeedsDecision(
        "value_unproven",
        f"{type(fact).__name__} {fact.id} has {collection.name} with {named},"
        " which no posting rule was proven for",
        owner="finance",
    )
