"""Checks of a translator: same answer twice, as expected, zones, whole numbers, names, privacy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from tillbridge.canonical.registry import TYPES, Body, decode, encode, name_of
from tillbridge.contract.conformance.mutation import replaced, walk
from tillbridge.contract.conformance.samples import Sample, Suite, difference, told
from tillbridge.contract.names import CrossReferences
from tillbridge.contract.promises import Message, Translation

MAPPING = re.compile(r"^[a-z][a-z0-9_]*/[0-9]+$")
NAMED_FIELDS = ("product", "location", "tender")
PERSONAL_KEY = re.compile(
    r"(^|_)(e?mail|phone|mobile|first_name|last_name|given_name|family_name|surname|full_name"
    r"|address_?[123]|street\d?|customer_name|contact_name|cardholder)$",
    re.IGNORECASE,
)
PERSONAL_PARENT = re.compile(
    r"customer|buyer|address|contact|recipient|client|cashier|operator", re.IGNORECASE
)
CANARIES = {
    "mail": "canary@vogelsang.example",
    "phone": "+15550199877",
    "street": "77 Vogelsang Street",
    "name": "Vogelsang",
}
CANARY_TRACE = re.compile(rb"vogelsang|5550199877", re.IGNORECASE)


def says_the_same_twice(suite: Suite) -> list[str]:
    """Translating is pure: the same message gives the same bytes, in any order of messages."""
    first = [
        (sample, message, suite.outcome(message, sample.connection))
        for sample, message in suite.messages()
    ]
    problems = []
    for sample, message, before in reversed(first):
        again = suite.outcome(message, sample.connection)
        if again.words != before.words:
            problems.append(f"{sample.name}: two translations of the same message differ")
    return problems


def says_what_is_expected(suite: Suite) -> list[str]:
    """Each sample tells exactly the facts, parties and problems of its expected file."""
    problems = []
    for sample in suite.samples:
        if sample.expected is None:
            continue
        expected = {name: value for name, value in sample.expected.items() if value}
        expected.setdefault("topic", "")
        found = {"topic": "", **told(suite, sample)}
        if sample.file is not None and not sample.expected.get("topic"):
            found["topic"] = ""
        words = difference(expected, found)
        if words:
            problems.append(f"{sample.name}: {words}")
    return problems


def tells_believable_facts(suite: Suite) -> list[str]:
    """Every fact is a registered type, reads back from its bytes, and has key, id and source."""
    problems = []
    for sample, fact in _facts(suite):
        name = name_of(fact)
        place = f"{sample.name}: {name}"
        if name not in TYPES:
            problems.append(f"{place} is no registered type")
            continue
        if "/" not in fact.key or not fact.id:
            problems.append(f"{place} has key {fact.key!r} and id {fact.id!r}")
        if getattr(fact, "source", "") != sample.connection.name:
            problems.append(f"{place} says source {getattr(fact, 'source', '')!r}")
        if not MAPPING.match(getattr(fact, "mapping", "")):
            problems.append(f"{place} has mapping {getattr(fact, 'mapping', '')!r}, not `name/1`")
        try:
            if decode(name, TYPES[name][1], encode(fact)) != fact:
                problems.append(f"{place} does not read back as it was written")
        except msgspec.MsgspecError as problem:
            problems.append(f"{place} does not read back: {problem}")
    return problems


def gives_every_instant_a_zone(suite: Suite) -> list[str]:
    """Instants are UTC and say so; a local time without zone is a wrong time somewhere."""
    problems = []
    for sample, fact in _facts(suite):
        for path, value in _leaves(fact):
            if isinstance(value, datetime) and value.utcoffset() != timedelta(0):
                problems.append(
                    f"{sample.name}: {name_of(fact)}.{path} = {value.isoformat()} is not UTC"
                )
    return problems


def counts_in_whole_numbers(suite: Suite) -> list[str]:
    """Amounts and quantities are whole numbers of minor units or thousandths, never float."""
    return [
        f"{sample.name}: {name_of(fact)}.{path} = {value!r} is a {type(value).__name__}"
        for sample, fact in _facts(suite)
        for path, value in _leaves(fact)
        if isinstance(value, float | Decimal)
    ]


def keeps_keys_between_tellings(suite: Suite) -> list[str]:
    """A second telling (other delivery, other day) has the same keys and ids; ids are unique."""
    problems = []
    for sample, message, translation in suite.telling():
        later = msgspec.structs.replace(
            message,
            delivery=message.delivery + "-again",
            received_at=message.received_at + timedelta(days=1, hours=1),
        )
        again = suite.outcome(later, sample.connection).translation
        before = [(fact.key, fact.id) for fact in translation.facts]
        if again is None or [(fact.key, fact.id) for fact in again.facts] != before:
            problems.append(f"{sample.name}: a second telling has other keys or ids")
        told_ids = [(name_of(fact), fact.id) for fact in translation.facts]
        if len(set(told_ids)) != len(told_ids):
            problems.append(f"{sample.name}: two facts of one message share an id")
    return problems


def reports_every_missing_name(suite: Suite) -> list[str]:
    """Without cross-references all gaps are noted at once, and no code is ever guessed."""
    problems = []
    for sample, message, _ in suite.telling():
        asked, empty = _Asked(), CrossReferences({})
        allowed = {"", sample.connection.channel} | _codes(sample)
        for label, names in (("with other names", asked), ("without names", empty)):
            outcome = suite.outcome(message, sample.connection, names)
            if outcome.kind == "error":
                problems.append(f"{sample.name}: {label}: {outcome.words.decode()}")
            if outcome.translation is not None:
                guesses = _guesses(outcome.translation, allowed | asked.given)
                problems += [f"{sample.name}: {label}: {words}" for words in guesses]
        missing = {(gap.table, gap.theirs) for gap in empty.missing}
        if missing != asked.rows:
            left = sorted(asked.rows ^ missing)[:3]
            problems.append(f"{sample.name}: not all missing names are noted at once: {left}")
        if any(not gap.where for gap in empty.missing):
            problems.append(f"{sample.name}: a missing name does not say where it stood")
    return problems


def _guesses(translation: Translation, allowed: set[str]) -> list[str]:
    return [
        f"{name_of(fact)}.{path} = {value!r} was guessed"
        for fact in translation.facts
        for path, value in _leaves(fact)
        if path.rsplit(".", 1)[-1] in NAMED_FIELDS and value not in allowed
    ]


def keeps_personal_data_out_of_facts(suite: Suite) -> list[str]:
    """Names, mails, phones and streets reach the vault (parties) and never a fact."""
    problems = []
    planted_somewhere = False
    parties = 0
    for sample, message, translation in suite.telling():
        parties += len(translation.parties)
        told_facts = msgspec.json.encode(translation.facts)
        for party in translation.parties:
            for field in ("name", "email", "phone", "street", "street2"):
                value = getattr(party, field)
                if len(value) > 3 and value.encode() in told_facts:
                    problems.append(f"{sample.name}: the {field} of a party stands in a fact")
        for path, planted in _planted(suite, message):
            planted_somewhere = True
            outcome = suite.outcome(planted, sample.connection)
            if outcome.translation is None:
                continue
            if CANARY_TRACE.search(msgspec.json.encode(outcome.translation.facts)):
                problems.append(f"{sample.name}: {path} reaches a fact")
    if parties and not planted_somewhere:
        problems.append("it tells parties, but no field for a canary was found: list `personal`")
    return problems


class _Asked:
    """Names that answer everything with a code nobody could guess, and note what was asked."""

    def __init__(self) -> None:
        self.rows: set[tuple[str, str]] = set()
        self.given: set[str] = set()

    def ours(self, table: str, theirs: str, *, where: str, hint: str = "") -> str:
        """A code that no rule of thumb would produce."""
        self.rows.add((table, theirs))
        name = f"ours~{table}~{len(theirs)}~{theirs[::-1]}"
        self.given.add(name)
        return name


def _facts(suite: Suite) -> Iterator[tuple[Sample, Body]]:
    for sample, _, translation in suite.telling():
        for fact in translation.facts:
            yield sample, fact


def _leaves(fact: Body) -> Iterator[tuple[str, Any]]:
    plain = msgspec.to_builtins(fact, builtin_types=(datetime, date, Decimal))
    for path, value in walk(plain):
        yield ".".join(str(step) for step in path), value


def _codes(sample: Sample) -> set[str]:
    """Our codes that the workspace itself gave: settings and places of the connection."""
    given = msgspec.to_builtins(sample.connection)
    texts = {value for _, value in walk(given) if isinstance(value, str)}
    return texts | set(sample.connection.location_zones) | set(sample.connection.location_entities)


def _planted(suite: Suite, message: Message) -> Iterator[tuple[str, Message]]:
    """The message with a canary in one personal field at a time."""
    try:
        tree = msgspec.json.decode(message.body)
    except msgspec.DecodeError:
        yield from _planted_in_markup(message)
        return
    for path, value in list(walk(tree)):
        dotted = ".".join(str(step) for step in path)
        if isinstance(value, str) and _is_personal(suite, dotted, str(path[-1]) if path else ""):
            body = replaced(tree, path, _canary(dotted))
            yield dotted, msgspec.structs.replace(message, body=body)


def _planted_in_markup(message: Message) -> Iterator[tuple[str, Message]]:
    """The same for XML: elements whose name is a personal one."""
    for found in re.finditer(rb"<([\w:.-]+)[^<>]*>([^<>]*[^<>\s][^<>]*)</\1>", message.body):
        name = found.group(1).decode().rsplit(":", 1)[-1]
        snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
        if PERSONAL_KEY.search(snake) or snake in ("name", "operator_name"):
            start, end = found.span(2)
            body = message.body[:start] + _canary(snake).encode() + message.body[end:]
            yield name, msgspec.structs.replace(message, body=body)


def _is_personal(suite: Suite, dotted: str, last: str) -> bool:
    if any(fnmatchcase(dotted, pattern) for pattern in suite.guide.personal):
        return True
    if PERSONAL_KEY.search(last):
        return True
    parent = dotted[: -len(last)]
    return last in ("name", "company") and PERSONAL_PARENT.search(parent) is not None


def _canary(path: str) -> str:
    for word, value in CANARIES.items():
        if word in path.rsplit(".", 1)[-1].lower():
            return value
    return CANARIES["street"]
