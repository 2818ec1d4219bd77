"""The proof that a rule balances, whatever fact it meets.

Every leg is expanded to leaves: a stored measure together with one value of each closed list of
its collection. A fact's entry is a sum of leaves with the fact's own amounts as weights, so it
balances for every fact exactly when, per entity role, the debits and credits of each leaf cancel.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from tillbridge.posting.money.rules import Leg, Rule
from tillbridge.posting.money.shapes import Collection, Shape

# role, stored measure, values of the closed lists in the collection's order
Leaf = tuple[str, str, tuple[str, ...]]


def combinations(collection: Collection) -> Iterator[tuple[str, ...]]:
    """Every combination of values of a collection's closed lists; one empty one if it has none."""
    return product(*collection.lists.values())


def matches(leg: Leg, collection: Collection, values: tuple[str, ...]) -> bool:
    """Whether a leg is for members with these values of the closed lists."""
    return all(
        value in leg.where.get(name, (value,))
        for name, value in zip(collection.lists, values, strict=True)
    )


def coefficients(rule: Rule, shape: Shape) -> dict[Leaf, int]:
    """Debits less credits of every leaf the rule touches."""
    found: dict[Leaf, int] = {}
    for leg in rule.legs:
        for measure, weight in leg.leaves.items():
            collection = shape.collection_of(measure)
            for values in combinations(collection):
                if matches(leg, collection, values):
                    leaf = (leg.role, measure, values)
                    found[leaf] = found.get(leaf, 0) + leg.sign * weight
    return found


def problems_of(rule: Rule, shape: Shape) -> list[str]:
    """Why a rule is refused: one sentence per role and measure with a leaf that does not cancel."""
    open_leaves: dict[tuple[str, str], list[tuple[tuple[str, ...], int]]] = {}
    for (role, measure, values), left in coefficients(rule, shape).items():
        if left:
            open_leaves.setdefault((role, measure), []).append((values, left))
    sentences = []
    for (role, measure), leaves in open_leaves.items():
        collection = shape.collection_of(measure)
        values, left = leaves[0]
        named = ", ".join(f"{n} {v}" for n, v in zip(collection.lists, values, strict=True))
        more = f" (and {len(leaves) - 1} more like it)" if len(leaves) > 1 else ""
        side, other = ("debited", "credited") if left > 0 else ("credited", "debited")
        sentences.append(
            f"{rule.place}: {rule.name} does not balance in the books of the {role} entity:"
            f" {measure}{f' of {named}' if named else ''} is {side} but not {other}{more}"
        )
    return sentences
