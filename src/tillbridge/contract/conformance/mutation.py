"""The typed-mutation check: no field of the wrong type is ever believed.

Every leaf of every sample body is replaced by values of other types. What may come out:

- a case (NeedsDecision), or the very same translation (the field is not used);
- number for text or text for number: only where the vendor documents both (`loose` in
  suite.json), and then the number and its text must say the same;
- null: where it says the same as leaving the field out, and for a number only where the vendor
  documents it (`nullable`), because a null that silently becomes 0 is money lost; an empty text in
  place of a decimal likewise;
- true, false, [], {} and numbers beyond belief: never.

A declared pattern that nothing needs is itself a problem, so the lists stay true.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from tillbridge.contract.conformance.samples import Outcome, Sample, Suite
from tillbridge.contract.promises import Message

Path = tuple[str | int, ...]

DECIMAL_TEXT = re.compile(r"^[+-]?\d{1,12}[.,]\d{1,6}[+-]?$")
DATE_TEXT = re.compile(r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}.*)?$")
# Raw JSON that no encoder would write; put in place of a marker text.
BEYOND_BELIEF = "-1e400"
_MARKER = "\x01beyond\x01"
_ENCODED_MARKER = msgspec.json.encode(_MARKER)
# Python's own number parsers take the first three; nobody's price list does.
BAD_DECIMALS = (
    "abc",
    "1_234.50",
    "\uff11\uff12.50",
    "NaN",
    "Infinity",
    "1e400",
    "0x10",
    "7.5.1",
)
BAD_DATES = ("abc", "2026-13-45T10:00:00Z")
MARKUP_LEAF = re.compile(rb">\s*([^<>]*[^<>\s])\s*<|\s([\w:.-]+)=\"([^\"<>]+)\"")
PROBLEMS_MAX = 12


class Mutant(msgspec.Struct, frozen=True):
    """A replacement value.

    kind: `number`, `text`, `identifier`, `null`, `empty`, `never` (see the module).
    """

    kind: str
    value: Any


class Ground(msgspec.Struct, frozen=True):
    """What is mutated: one message of one sample, as a tree, and what it says unharmed."""

    suite: Suite
    sample: Sample
    message: Message
    tree: Any
    baseline: Outcome
    used: set[str]

    def told(self, body: bytes) -> Outcome:
        """How another body of the same message ends."""
        changed = msgspec.structs.replace(self.message, body=body)
        return self.suite.outcome(changed, self.sample.connection)

    def unharmed(self, outcome: Outcome) -> bool:
        """Whether it is a case, or says exactly what it said before."""
        return outcome.kind == "decision" or outcome.words == self.baseline.words


NEVER = (
    Mutant("never", True),
    Mutant("never", []),
    Mutant("never", {}),
    Mutant("never", _MARKER),
)
NULL = Mutant("null", None)
EMPTY = Mutant("empty", "")


def believes_no_wrong_type(suite: Suite) -> list[str]:
    """The check itself; at most a dozen problems are listed."""
    problems: list[str] = []
    used: set[str] = set()
    for sample, message, _ in suite.telling():
        for words in _spoil(suite, sample, message, used):
            problems.append(f"{sample.name}: {words}")
            if len(problems) >= PROBLEMS_MAX:
                return [*problems, "... and perhaps more"]
    declared = {*suite.guide.loose, *suite.guide.nullable}
    return [*problems, *(f"suite.json: nothing needs {name!r}" for name in sorted(declared - used))]


def walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every leaf of a JSON tree with its path."""
    if isinstance(value, dict):
        for name, inside in value.items():
            yield from walk(inside, (*path, name))
    elif isinstance(value, list | tuple):
        for number, inside in enumerate(value):
            yield from walk(inside, (*path, number))
    else:
        yield path, value


def replaced(tree: Any, path: Path, value: Any) -> bytes:
    """JSON bytes of the tree with one place replaced; the tree itself is left as it was."""
    if not path:
        return _written(value)
    parent = _parent(tree, path)
    before = parent[path[-1]]
    parent[path[-1]] = value
    try:
        return _written(tree)
    finally:
        parent[path[-1]] = before


def removed(tree: Any, path: Path) -> bytes | None:
    """JSON bytes of the tree without one member; None for members of a list."""
    parent = _parent(tree, path) if path else None
    if not isinstance(parent, dict):
        return None
    rest = {name: value for name, value in parent.items() if name != path[-1]}
    return replaced(tree, path[:-1], rest)


def _written(tree: Any) -> bytes:
    return msgspec.json.encode(tree).replace(_ENCODED_MARKER, BEYOND_BELIEF.encode())


def _parent(tree: Any, path: Path) -> Any:
    for step in path[:-1]:
        tree = tree[step]
    return tree


def _spoil(suite: Suite, sample: Sample, message: Message, used: set[str]) -> Iterator[str]:
    baseline = suite.outcome(message, sample.connection)
    try:
        tree = msgspec.json.decode(message.body)
    except msgspec.DecodeError:
        yield from _markup_mutations(Ground(suite, sample, message, None, baseline, used))
        return
    yield from _mutations(Ground(suite, sample, message, tree, baseline, used))


def _mutations(ground: Ground) -> Iterator[str]:
    for path, leaf in list(walk(ground.tree)):
        for mutant in _mutants(leaf):
            outcome = ground.told(replaced(ground.tree, path, mutant.value))
            if ground.unharmed(outcome):
                continue
            dotted = ".".join(str(step) for step in path)
            shown = BEYOND_BELIEF if mutant.value == _MARKER else repr(mutant.value)
            if outcome.kind == "error":
                yield f"{dotted} = {shown}: {outcome.words.decode()}"
            elif not _allowed(ground, path, leaf, mutant, outcome):
                yield f"{dotted} = {shown} (was {leaf!r}) was believed"


def _mutants(leaf: Any) -> Iterator[Mutant]:
    """Values of other types than the leaf's own."""
    for mutant in NEVER:
        if not (isinstance(leaf, bool) and mutant.value is True):
            yield mutant
    if leaf is not None:
        yield NULL
    if isinstance(leaf, str):
        yield from (Mutant("number", 7), Mutant("number", 7.5))
        bad = BAD_DECIMALS if DECIMAL_TEXT.match(leaf) else BAD_DATES
        if DECIMAL_TEXT.match(leaf):
            yield EMPTY
        if DECIMAL_TEXT.match(leaf) or DATE_TEXT.match(leaf):
            yield from (Mutant("never", text) for text in bad)
    elif isinstance(leaf, bool):
        yield from (Mutant("never", value) for value in ("true", "abc", "", 1, 7.5))
    elif isinstance(leaf, int | float):
        yield from (Mutant("text", "7"), Mutant("never", ""))
        if isinstance(leaf, int):
            yield Mutant("number", 7.5)
        # An identifier documented as number or text may be any text; an amount never.
        kind = "identifier" if isinstance(leaf, int) else "never"
        yield from (Mutant(kind, text) for text in BAD_DECIMALS)


def _allowed(ground: Ground, path: Path, leaf: Any, mutant: Mutant, outcome: Outcome) -> bool:
    """Whether a changed translation may stand for this mutant."""
    dotted = ".".join(str(step) for step in path)
    guide = ground.suite.guide
    if mutant.kind == "null":
        without = removed(ground.tree, path)
        if without is None or ground.told(without).words != outcome.words:
            return False
        numeric = isinstance(leaf, int | float) and not isinstance(leaf, bool)
        if numeric or (isinstance(leaf, str) and DECIMAL_TEXT.match(leaf)):
            return _declared(guide.nullable, dotted, ground.used)
        return True
    if mutant.kind == "empty":
        return _declared(guide.nullable, dotted, ground.used)
    if mutant.kind in ("number", "text") and _declared(guide.loose, dotted, ground.used):
        number = mutant.value if mutant.kind == "number" else int(mutant.value)
        as_number = ground.told(replaced(ground.tree, path, number))
        as_text = ground.told(replaced(ground.tree, path, str(number)))
        return as_number.words == as_text.words
    return mutant.kind == "identifier" and _declared(guide.loose, dotted, ground.used)


def _declared(patterns: dict[str, str], dotted: str, used: set[str]) -> bool:
    found = [pattern for pattern in patterns if fnmatchcase(dotted, pattern)]
    used.update(found)
    return bool(found)


def _markup_mutations(ground: Ground) -> Iterator[str]:
    """The same for XML, where everything is text: decimals, dates and booleans become nonsense."""
    body = ground.message.body
    for found in MARKUP_LEAF.finditer(body):
        group = 1 if found.group(1) is not None else 3
        if group == 3 and found.group(2).startswith((b"xmlns", b"version", b"encoding")):
            continue
        start, end = found.span(group)
        text = body[start:end].decode("utf-8", "replace")
        for value in _bad_texts(text):
            outcome = ground.told(body[:start] + value.encode() + body[end:])
            if ground.unharmed(outcome):
                continue
            place = f"byte {start} = {value!r} (was {text!r})"
            error = outcome.kind == "error"
            yield f"{place}: {outcome.words.decode()}" if error else f"{place} was believed"


def _bad_texts(text: str) -> tuple[str, ...]:
    if DECIMAL_TEXT.match(text):
        return ("", *BAD_DECIMALS)
    if DATE_TEXT.match(text):
        return BAD_DATES
    return ("abc", "7", "yes") if text in ("true", "false") else ()
