"""Replenishment rules as a planner writes them: read from `rules/stock.toml`, word by word. Pure.

    demand_days = 28

    [[replenish]]
    locations = ["store"]          # codes, groups or kinds
    category = "shoes"             # or product = ["P1"]; without either: what the place has
    min = 4
    max = 12
    pack = 6
    transfer_from = "wh-east"      # or buy_from = "Acme"
    review_days = ["mon", "thu"]
    lead_days = 2
    accept_up_to = 12

Every rule that fits says its fields, and a later one wins field by field. Below `min` so much is
proposed that `max` is reached, in whole packs. What deliveries may differ by stands in the same
file (deliveries.py). A breach is told with file and line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import msgspec

from tillbridge.atoms.errors import Refused
from tillbridge.atoms.toml_tables import (
    NoTables,
    Table,
    names,
    parsed,
    quantity,
    tables_of,
    whole,
)
from tillbridge.reconciliation.replenishment.deliveries import DeliveryRule, read_delivery

FILE = "stock.toml"
DEMAND_DAYS = 28
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAYS_MOST = 366
_TOP = ("replenish", "delivery", "demand_days")
_QUANTITIES = ("min", "max", "pack", "accept_up_to")
_WORDS = (
    "locations", "category", "product", *_QUANTITIES, "transfer_from", "buy_from", "review_days",
    "lead_days",
)  # fmt: skip


class ReplenishRule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule. Quantities in thousandths of the base unit; None where it says nothing. source:
    `transfer:LOCATION` or `purchase:SUPPLIER`. review_days: of DAYS.
    """

    locations: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None
    pack: int | None = None
    accept_up_to: int | None = None
    source: str | None = None
    review_days: tuple[str, ...] | None = None
    lead_days: int | None = None


class ReplenishRules(msgspec.Struct, frozen=True):
    """All rules, the locations they name spelled out. hash: of what they mean, short."""

    rules: tuple[ReplenishRule, ...] = ()
    demand_days: int = DEMAND_DAYS
    deliveries: tuple[DeliveryRule, ...] = ()

    @property
    def hash(self) -> str:
        """SHA-256 of their meaning, as far as people need it."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]


def parse_replenishment(text: str, places: Mapping[str, AbstractSet[str]]) -> ReplenishRules:
    """The rules of a text; places: location -> what rules may call it. Raises Refused with every
    problem found.
    """
    file = f"rules/{FILE}"
    try:
        document = parsed(text, file)
        tables = tables_of(document, text, file, "replenish", "rules")
        deliveries = tables_of(document, text, file, "delivery", "delivery rules")
    except NoTables as problem:
        raise Refused(str(problem)) from None
    problems = [f"{file}: unknown word {name!r}" for name in document if name not in _TOP]
    days = document.get("demand_days", DEMAND_DAYS)
    try:
        whole(1, _DAYS_MOST)(days)
    except ValueError as problem:
        problems.append(f"{file}: demand_days is {problem}")
    rules = []
    for table in tables:
        try:
            rules.append(_rule(table.words, places))
        except (TypeError, ValueError) as problem:
            problems.append(f"{table.place}: {problem}")
    found, wrong = _deliveries(deliveries, places)
    if problems := [*problems, *wrong]:
        raise Refused("\n".join(problems), code="rules")
    return ReplenishRules(tuple(rules), days, found)


def meaning(text: str) -> bytes:
    """SHA-256 of what a text says; comments and its order of words do not count. Raises Refused."""
    try:
        document = parsed(text, f"rules/{FILE}")
    except NoTables as problem:
        raise Refused(str(problem)) from None
    return hashlib.sha256(msgspec.json.encode(document, order="sorted")).digest()


def _deliveries(
    tables: Iterable[Table], places: Mapping[str, AbstractSet[str]]
) -> tuple[tuple[DeliveryRule, ...], list[str]]:
    rules: list[DeliveryRule] = []
    problems: list[str] = []
    for table in tables:
        rule, wrong = read_delivery(table.words)
        try:
            where = _where(rule.locations, places) if rule.locations else ()
            rules.append(msgspec.structs.replace(rule, locations=where))
        except ValueError as problem:
            wrong.append(str(problem))
        problems += [f"{table.place}: {words}" for words in wrong]
    return tuple(rules), problems


def _where(named: tuple[str, ...], places: Mapping[str, AbstractSet[str]]) -> tuple[str, ...]:
    """The locations that names mean: codes, groups or kinds; all of them for none."""
    unknown = set(named) - {label for labels in places.values() for label in labels}
    if unknown:
        raise ValueError(f"no location, group or kind {min(unknown)!r}")
    return tuple(p for p, labels in places.items() if not named or not labels.isdisjoint(named))


def _rule(table: Mapping[str, Any], places: Mapping[str, AbstractSet[str]]) -> ReplenishRule:
    for name in table:
        if name not in _WORDS:
            raise ValueError(f"unknown word {name!r}; a rule has {', '.join(_WORDS)}")
    where = _where(_names(table.get("locations", [])), places)
    much = {name: _quantity(name, table[name]) for name in _QUANTITIES if name in table}
    if much.get("pack") == 0:
        raise ValueError("a pack holds something")
    if "min" in much and "max" in much and much["max"] < much["min"]:
        raise ValueError("max is below min")
    review = _names(table["review_days"]) if "review_days" in table else None
    if set(review or ()) - set(DAYS):
        raise ValueError(f"review_days are of {', '.join(DAYS)}")
    lead = _days("lead_days", table["lead_days"]) if "lead_days" in table else None
    return ReplenishRule(
        locations=where,
        categories=_names(table.get("category", [])),
        products=_names(table.get("product", [])),
        least=much.get("min"),
        most=much.get("max"),
        pack=much.get("pack"),
        accept_up_to=much.get("accept_up_to"),
        source=_source(table, places),
        review_days=review,
        lead_days=lead,
    )


def _source(table: Mapping[str, Any], places: Mapping[str, AbstractSet[str]]) -> str | None:
    origin, supplier = table.get("transfer_from"), table.get("buy_from")
    if origin is not None and supplier is not None:
        raise ValueError("goods are sent from a location or bought from a supplier, not both")
    if origin is not None and origin not in places:
        raise ValueError(f"transfer_from: no location {origin!r}")
    if supplier is not None and not (isinstance(supplier, str) and supplier):
        raise ValueError("buy_from: a text")
    if origin is not None:
        return f"transfer:{origin}"
    return None if supplier is None else f"purchase:{supplier}"


def _names(value: Any) -> tuple[str, ...]:
    """None, one or several; what joins them in the query stands in none of them."""
    found = names(value) if value != [] else ()
    if any("\x1f" in name for name in found):
        raise ValueError("a text or a list of texts")
    return found


def _quantity(name: str, value: Any) -> int:
    try:
        return quantity(value)
    except (TypeError, ValueError) as problem:
        raise ValueError(f"{name}: {problem}") from None


def _days(name: str, value: Any) -> int:
    try:
        return whole(0, _DAYS_MOST)(value)
    except ValueError as problem:
        raise ValueError(f"{name} is {problem}") from None
