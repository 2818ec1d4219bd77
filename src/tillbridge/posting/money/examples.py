"""Examples beside the rules and scenarios over several facts: fact in, journal out.

A fact is written short: `entity` (the seller), `fulfilling`, `tender_entity` and `liability` are
the legal entities, amounts may be decimals in quotes ("138.99"), and what is left out is empty.
A journal is one line per account: entity, account, amount (debit +, credit -), open item.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any, get_args

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import MoneyError, to_minor, to_text
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.registry import TYPES
from tillbridge.posting.money.book import RuleBook
from tillbridge.posting.money.carried import OpenItems
from tillbridge.posting.money.chart import BookRefused
from tillbridge.posting.money.engine import post
from tillbridge.posting.money.entry import Entry
from tillbridge.posting.money.policy import Policy, Rates, parse_rates
from tillbridge.posting.money.rules import Rule

# (entity, account, open item) -> minor units
Journal = dict[tuple[str, str, str], int]

_ENTITY_WORDS = {
    "entity": "selling",
    "fulfilling": "fulfilling",
    "tender_entity": "tender",
    "liability": "liability",
}
_DAY = date(2026, 1, 2)


class ExampleResult(msgspec.Struct, frozen=True):
    """How one example ended. problems: empty when it passed, else one line per difference."""

    place: str
    words: str
    problems: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the journal came out as written."""
        return not self.problems


def run_examples(
    book: RuleBook, types: Mapping[str, type[Fact]] | None = None
) -> list[ExampleResult]:
    """Every example beside the rules. types: facts beyond the canonical ones."""
    return [
        _run_example(book, rule, table, types) for rule in book.rules for table in rule.examples
    ]


def run_scenarios(
    book: RuleBook, text: str | None = None, types: Mapping[str, type[Fact]] | None = None
) -> list[ExampleResult]:
    """Scenarios of the book, or of another text like its `examples.toml`.

    Raises BookRefused when the text cannot be read.
    """
    try:
        tables = tomllib.loads(book.scenarios if text is None else text).get("scenario", [])
    except tomllib.TOMLDecodeError as problem:
        raise BookRefused([f"examples.toml: {problem}"]) from None
    return [_run_scenario(book, table, n, types) for n, table in enumerate(tables, 1)]


def fact_of(
    name: str, table: Mapping[str, Any], types: Mapping[str, type[Fact]] | None = None
) -> Fact:
    """A fact from its short form; raises BookRefused when it is none."""
    cls: Any = (types or {}).get(name) or TYPES.get(name, (None, 0))[0]
    if cls is None:
        raise BookRefused([f"unknown fact {name!r}"])
    body = dict(table)
    entities = {role: body.pop(word) for word, role in _ENTITY_WORDS.items() if word in body}
    day = body.pop("business_date", _DAY)
    full = {
        "key": body.get("order", f"{name}/example"),
        "id": f"{name}/example",
        "source": "example",
        "mapping": "example/1",
        "occurred_at": datetime.combine(day, time(12), UTC),
        "business_date": day,
        "entities": {"selling": "", **entities},
        **body,
    }
    try:
        filled = _filled(cls, full, str(full.get("currency", "")))
        return msgspec.convert(filled, cls, strict=True)  # type: ignore[no-any-return]
    except (msgspec.ValidationError, MoneyError) as problem:
        raise BookRefused([f"{name}: {problem}"]) from None


def journal_of(entries: tuple[Entry, ...]) -> Journal:
    """Functional amounts of entries by entity, account and open item."""
    found: Journal = {}
    for entry in entries:
        for line in entry.lines:
            place = (entry.entity, line.account, line.item)
            found[place] = found.get(place, 0) + line.amount
    return {place: amount for place, amount in found.items() if amount}


def parse_journal(text: str, currencies: Mapping[str, str]) -> Journal:
    """Journal from its lines; currencies: entity -> functional. Raises BookRefused."""
    found: Journal = {}
    for line in text.strip().splitlines():
        words = line.split()
        if len(words) not in (3, 4) or words[0] not in currencies:
            raise BookRefused([f"{line.strip()!r}: entity, account, amount and perhaps an item"])
        place = (words[0], words[1], words[3] if len(words) == 4 else "")
        try:
            found[place] = found.get(place, 0) + to_minor(words[2], currencies[words[0]])
        except MoneyError as problem:
            raise BookRefused([f"{line.strip()!r}: {problem}"]) from None
    return found


def _run_example(
    book: RuleBook, rule: Rule, table: dict[str, Any], types: Mapping[str, type[Fact]] | None
) -> ExampleResult:
    words = str(table.get("words", rule.name))
    try:
        fact = fact_of(rule.fact, {"business_date": rule.since, **table.get("fact", {})}, types)
        entities = fact.entities
        mine = {entities.of(role): fact.currency for role in _ENTITY_WORDS.values()}  # type: ignore[attr-defined]
        expected = parse_journal(str(table.get("journal", "")), mine)
        winners = [winner.name for winner in book.winners(fact)]
        actual = journal_of(post(book, fact, Policy(mine)))
        why = _differences(expected, actual, mine)
        if rule.name not in winners:
            why = [f"another rule wins: {', '.join(winners)}", *why]
    except BookRefused as problem:
        why = problem.problems
    except NeedsDecision as problem:
        why = [problem.words]
    return ExampleResult(rule.place, words, tuple(why))


def _run_scenario(
    book: RuleBook, table: dict[str, Any], number: int, types: Mapping[str, type[Fact]] | None
) -> ExampleResult:
    place, words = f"examples.toml, scenario {number}", str(table.get("words", ""))
    functional: dict[str, str] = table.get("functional", {})
    total: Journal = {}
    items = OpenItems()
    try:
        policy = Policy(functional, rates=_rates(table.get("rates", "")))
        for raw in table.get("fact", []):
            fact = fact_of(raw["type"], {k: v for k, v in raw.items() if k != "type"}, types)
            entries = post(book, fact, policy, items)
            items.take(entries)
            for spot, amount in journal_of(entries).items():
                total[spot] = total.get(spot, 0) + amount
        balances: Journal = {}
        for (entity, account, _), amount in total.items():
            balances[entity, account, ""] = balances.get((entity, account, ""), 0) + amount
        open_items = {spot: amount for spot, amount in total.items() if spot[2]}
        why = _differences(parse_journal(table["balances"], functional), balances, functional)
        expected_open = parse_journal(table.get("open", ""), functional)
        why += _differences(expected_open, open_items, functional)
    except BookRefused as problem:
        why = problem.problems
    except NeedsDecision as problem:
        why = [problem.words]
    return ExampleResult(place, words, tuple(why))


def _rates(text: str) -> Rates:
    """Rates of a scenario: `EUR USD 2026-01-31 1.10`, one per line."""
    rows = [line.split() for line in text.strip().splitlines()]
    return parse_rates("\n".join(["from,to,day,rate", *(",".join(row) for row in rows)]), "rates")


def _differences(expected: Journal, actual: Journal, currencies: Mapping[str, str]) -> list[str]:
    found = []
    for place in sorted(expected.keys() | actual.keys()):
        wanted, got = expected.get(place, 0), actual.get(place, 0)
        if wanted != got:
            currency = currencies[place[0]]
            named = " ".join(part for part in place if part)
            found.append(f"{named}: {to_text(got, currency)}, not {to_text(wanted, currency)}")
    return found


def _filled(cls: Any, table: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """The table with missing required fields made empty and decimals turned to minor units."""
    filled: dict[str, Any] = dict(table)
    for field in msgspec.structs.fields(cls):
        name = field.encode_name
        if name not in filled:
            if field.required and field.type in (str, int):
                filled[name] = field.type()
            continue
        value = filled[name]
        if field.type is int and isinstance(value, str):
            filled[name] = to_minor(value, currency)
        members = [arg for arg in get_args(field.type) if _is_struct(arg)]
        if members and isinstance(value, list):
            filled[name] = [_filled(members[0], member, currency) for member in value]
    return filled


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
