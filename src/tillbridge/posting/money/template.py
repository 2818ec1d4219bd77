"""Templates of accounts and open items: `sales/{department}`, `card/{card}`.

An account is a path of segments; a segment is either fixed words or one field in braces, so that
every account a template can make matches the same row of the chart. An empty field becomes
`unassigned` in an account; in an open item it means that there is no item to follow. A legal
entity that the fact does not name is never guessed: that is a case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from operator import attrgetter
from typing import Any

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.posting.money.shapes import ROLE_FIELDS

# (fact, member of the collection) -> text
Renderer = Callable[[Any, Any], str]

UNASSIGNED = "unassigned"
_FIELD = re.compile(r"\{([^{}]*)\}")
_SEGMENT = re.compile(r"[a-z0-9][a-z0-9_.-]*|\{[a-z_]+\}")
_ITEM = re.compile(r"(?:[^{}]|\{[a-z_]+\})+")
# accounts are few; a field that is not (a card number, say) must not fill the memory
_REMEMBERED_MAX = 4096


def fields_of(template: str) -> list[str]:
    """Names in braces, in order."""
    return _FIELD.findall(template)


def problem_of_account(template: str, fields: Collection[str]) -> str:
    """Why an account template cannot be used, or "". fields: the names it may use."""
    for segment in template.split("/"):
        if not _SEGMENT.fullmatch(segment):
            return (
                f"account {template!r}: {segment!r} is neither lower-case words nor one {{field}};"
                " a field fills a whole part between slashes"
            )
    return _unknown_field("account", template, fields)


def problem_of_item(template: str, fields: Collection[str]) -> str:
    """Why an open-item template cannot be used, or ""."""
    if not _ITEM.fullmatch(template):
        return f"item {template!r}: braces hold one field name each"
    return _unknown_field("item", template, fields)


def account_renderer(template: str, member_fields: Collection[str]) -> Renderer:
    """Function that fills an account template; member_fields come from the collection's member."""
    names = fields_of(template)
    if not names:
        return lambda fact, member: template
    getters = [_getter(name, member_fields) for name in names]
    pattern = _FIELD.sub("{}", template)
    remembered: dict[Any, str] = {}

    def fill(values: tuple[str, ...], key: Any) -> str:
        if len(remembered) >= _REMEMBERED_MAX:
            remembered.clear()
        remembered[key] = pattern.format(*(segment(value) for value in values))
        return remembered[key]

    if len(getters) == 1:
        only = getters[0]

        def one(fact: Any, member: Any) -> str:
            value = only(fact, member)
            found = remembered.get(value)
            return found if found is not None else fill((value,), value)

        return one

    def many(fact: Any, member: Any) -> str:
        values = tuple(getter(fact, member) for getter in getters)
        found = remembered.get(values)
        return found if found is not None else fill(values, values)

    return many


def item_renderer(template: str, member_fields: Collection[str]) -> Renderer:
    """Function that fills an open-item template; "" when one of its fields is empty."""
    names = fields_of(template)
    if not names:
        return lambda fact, member: template
    getters = [_getter(name, member_fields) for name in names]
    if template == f"{{{names[0]}}}":
        return getters[0]
    pattern = _FIELD.sub("{}", template)

    def render(fact: Any, member: Any) -> str:
        values = [getter(fact, member) for getter in getters]
        return pattern.format(*values) if all(values) else ""

    return render


def segment(value: str) -> str:
    """A value as one part of an account name: no slash, no space around, never empty."""
    return value.strip().replace("/", "_") or UNASSIGNED


def stated_entity(fact: Any, role: str) -> str:
    """Code of the entity in a role, as the fact itself says; raises NeedsDecision when it does not.

    No fall-back to the selling entity here: a leg that names another role moves money between two
    sets of books, and guessing would book a debt of an entity to itself.
    """
    code = str(getattr(fact.entities, role))
    if code and (role == "selling" or code != fact.entities.selling):
        return code
    name = type(fact).__name__
    told = f"names {code} as both selling and {role}" if code else f"does not say the {role}"
    raise NeedsDecision(
        "entity_missing",
        f"{name} {fact.id} {told} entity, but its posting rule books between two entities",
        owner="finance",
    )


def _getter(name: str, member_fields: Collection[str]) -> Renderer:
    if name in member_fields:
        of_member = attrgetter(name)
        return lambda fact, member: of_member(member)
    if name in ROLE_FIELDS:
        role = ROLE_FIELDS[name]
        return lambda fact, member: stated_entity(fact, role)
    of_fact = attrgetter(name)
    return lambda fact, member: of_fact(fact)


def _unknown_field(what: str, template: str, fields: Collection[str]) -> str:
    for name in fields_of(template):
        if name not in fields:
            known = ", ".join(sorted(fields)) or "none"
            return f"{what} {template!r}: unknown field {{{name}}}; known here: {known}"
    return ""
