"""Just enough of GraphQL to answer a client's queries: documents are read, selections resolved.

Answers come out of plain values: a dict is an object, a Connection is paged by cursor (nodes,
edges, pageInfo), a list is cut by `first`, everything else is a scalar. A field that an object does
not have is an error, as it is over there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

_TOKEN = re.compile(
    r"[\s,﻿]+|#[^\n]*|(?P<token>\.\.\.|[!$():=@\[\]{}|&]|[A-Za-z_]\w*|-?\d+(?:\.\d+)?|"
    r'"""(?:.|\n)*?"""|"(?:[^"\\\n]|\\.)*")'
)
_LITERALS = {"true": True, "false": False, "null": None}


class QueryError(Exception):
    """A document or a field that the far side refuses; words and the vendor's code."""

    def __init__(self, words: str, code: str = "") -> None:
        super().__init__(words)
        self.words = words
        self.code = code


class Selected(msgspec.Struct, frozen=True, kw_only=True):
    """A selected field: under which name it answers, its arguments, what is selected in it, its
    directives with their arguments.
    """

    answer: str
    name: str
    arguments: Mapping[str, Any]
    within: tuple[Selected, ...] = ()
    directives: Mapping[str, Mapping[str, Any]] = {}


DIRECTIVES = "@"
"""Under this name a value that is called finds the directives of its field among the arguments."""


class Connection:
    """Items that are paged. cursor_of gives each its cursor, which only has to be stable; shown
    makes the answer's value of an item, for the page only.
    """

    def __init__(
        self,
        items: Sequence[Any],
        cursor_of: Callable[[int, Any], str] | None = None,
        shown: Callable[[Any], Any] = lambda item: item,
    ) -> None:
        self.items = items
        self._shown = shown
        self._cursor_of = cursor_of or (lambda place, _item: f"c{place}")

    def page(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The page that `first` and `after` ask for."""
        first = arguments.get("first")
        if not isinstance(first, int) or not 1 <= first <= 250:
            raise QueryError("you must provide first, from 1 to 250")
        cursors = [self._cursor_of(place, item) for place, item in enumerate(self.items)]
        after = arguments.get("after")
        begin = 0
        if after:
            # A cursor need not stand here any more: what sorts behind it goes on.
            begin = cursors.index(after) + 1 if after in cursors else _behind(cursors, after)
        items = [self._shown(item) for item in self.items[begin : begin + first]]
        marks = cursors[begin : begin + first]
        return {
            "nodes": items,
            "edges": [{"cursor": c, "node": i} for c, i in zip(marks, items, strict=True)],
            "pageInfo": {
                "hasNextPage": begin + first < len(self.items),
                "hasPreviousPage": begin > 0,
                "startCursor": marks[0] if marks else None,
                "endCursor": marks[-1] if marks else None,
            },
        }


def _behind(cursors: Sequence[str], after: str) -> int:
    return next((place for place, cursor in enumerate(cursors) if cursor > after), len(cursors))


def read_query(text: str, variables: Mapping[str, Any], wanted: str = "") -> tuple[Selected, ...]:
    """The fields the document's operation selects; raises QueryError for what cannot be read."""
    tokens = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise QueryError(f"the document cannot be read at {text[place : place + 20]!r}")
        if match["token"]:
            tokens.append(match["token"])
        place = match.end()
    return _Reader(tokens, variables).document(wanted)


def resolve(fields: Sequence[Selected], source: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of an object for what is selected."""
    answer: dict[str, Any] = {}
    for field in fields:
        if field.name not in source:
            kind = source.get("__typename", "QueryRoot")
            words = f"Field '{field.name}' doesn't exist on type '{kind}'"
            raise QueryError(words, "undefinedField")
        value = source[field.name]
        if callable(value):
            value = value({**field.arguments, DIRECTIVES: field.directives})
        answer[field.answer] = _resolved(field, value)
    return answer


def _resolved(field: Selected, value: Any) -> Any:
    if isinstance(value, Connection):
        value = value.page(field.arguments)
        value["__typename"] = "Connection"
    if isinstance(value, dict):
        if not field.within:
            raise QueryError(f"Field '{field.name}' must have selections", "selectionMismatch")
        return resolve(field.within, value)
    if isinstance(value, list):
        first = field.arguments.get("first")
        part = value[:first] if isinstance(first, int) else value
        return [_resolved(field, one) for one in part]
    return value


def cost_of(fields: Sequence[Selected]) -> int:
    """Requested cost in points: an object 1, a connection 2 and a tenth of its page.

    The vendor publishes no exact formula; this one empties a bucket in about the right time.
    """
    total = 0
    for field in fields:
        if not field.within or field.name in ("pageInfo", "edges", "nodes", "node"):
            total += cost_of(field.within)
            continue
        first = field.arguments.get("first")
        inside = cost_of(field.within)
        if isinstance(first, int):
            total += 2 + -(-first * max(1, inside) // 10)
        else:
            total += 1 + inside
    return total


class _Reader:
    """A recursive reader over tokens."""

    def __init__(self, tokens: Sequence[str], variables: Mapping[str, Any]) -> None:
        self._tokens = tokens
        self._place = 0
        self._variables = dict(variables)
        self._fragments: dict[str, tuple[Selected, ...]] = {}

    def document(self, wanted: str) -> tuple[Selected, ...]:
        """Operations and fragments; fragments are read first, since they may stand last."""
        operations: dict[str, int] = {}
        while self._place < len(self._tokens):
            begin = self._place
            word = self._peek()
            name = self._tokens[begin + 1] if word in ("query", "mutation", "fragment") else ""
            if word == "fragment":
                self._place += 4  # fragment Name on Type
                operations.pop("", None)
                self._fragments[name] = ()
                operations[f"fragment {name}"] = self._place
            else:
                operations[name if name not in ("{", "(") else ""] = begin
                while self._peek() != "{":
                    self._place += 1
            self._skip_braces()
        for label, place in sorted(operations.items(), key=lambda one: -one[1]):
            if label.startswith("fragment "):
                self._place = place
                self._fragments[label.removeprefix("fragment ")] = self._selections()
        chosen = [name for name in operations if not name.startswith("fragment ")]
        if not chosen or (wanted and wanted not in chosen):
            raise QueryError("there is no such operation in the document")
        self._place = operations[wanted or chosen[0]]
        return self._operation()

    def _operation(self) -> tuple[Selected, ...]:
        if self._peek() in ("query", "mutation"):
            self._next()
            if self._peek() not in ("(", "{", "@"):
                self._next()
            if self._peek() == "(":
                self._declared()
            while self._peek() != "{":
                self._next()
        return self._selections()

    def _declared(self) -> None:
        """Variables: given ones win, defaults fill in; a missing one is null."""
        self._expect("(")
        while self._peek() != ")":
            self._expect("$")
            name = self._next()
            self._expect(":")
            while self._peek() in ("[", "]", "!") or self._peek().isidentifier():
                self._next()
            if self._peek() == "=":
                self._next()
                self._variables.setdefault(name, self._value())
            self._variables.setdefault(name, None)
        self._expect(")")

    def _selections(self) -> tuple[Selected, ...]:
        self._expect("{")
        fields: list[Selected] = []
        while self._peek() != "}":
            if self._peek() == "...":
                fields += self._spread()
                continue
            fields.append(self._field())
        self._expect("}")
        return tuple(fields)

    def _spread(self) -> tuple[Selected, ...]:
        self._expect("...")
        word = self._peek()
        if word == "on":
            self._next()
            self._next()
            return self._selections()
        if word == "{":
            return self._selections()
        if word not in self._fragments:
            raise QueryError(f"fragment {word} is not defined")
        return self._fragments[self._next()]

    def _field(self) -> Selected:
        answer = name = self._next()
        if self._peek() == ":":
            self._next()
            name = self._next()
        arguments = self._arguments()
        directives = {}
        while self._peek() == "@":
            self._next()
            directive = self._next()
            directives[directive] = self._arguments()
        within = self._selections() if self._peek() == "{" else ()
        return Selected(
            answer=answer, name=name, arguments=arguments, within=within, directives=directives
        )

    def _arguments(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if self._peek() != "(":
            return found
        self._next()
        while self._peek() != ")":
            name = self._next()
            self._expect(":")
            found[name] = self._value()
        self._next()
        return found

    def _value(self) -> Any:
        token = self._next()
        if token == "$":  # noqa: S105 - a sign of the language
            name = self._next()
            if name not in self._variables:
                raise QueryError(f"variable ${name} is not declared")
            return self._variables[name]
        if token == "[":  # noqa: S105 - a sign of the language
            items = []
            while self._peek() != "]":
                items.append(self._value())
            self._next()
            return items
        if token == "{":  # noqa: S105 - a sign of the language
            fields = {}
            while self._peek() != "}":
                name = self._next()
                self._expect(":")
                fields[name] = self._value()
            self._next()
            return fields
        if token.startswith('"""'):
            return token[3:-3]
        if token.startswith('"') or token[0] in "-0123456789":
            return msgspec.json.decode(token)
        return _LITERALS.get(token, token)

    def _skip_braces(self) -> None:
        depth = 0
        while True:
            token = self._next()
            depth += (token == "{") - (token == "}")  # noqa: S105 - signs of the language
            if depth == 0:
                return

    def _peek(self) -> str:
        if self._place >= len(self._tokens):
            raise QueryError("the document ends too early")
        return self._tokens[self._place]

    def _next(self) -> str:
        token = self._peek()
        self._place += 1
        return token

    def _expect(self, token: str) -> None:
        found = self._next()
        if found != token:
            raise QueryError(f"the document has {found!r} where {token!r} should stand")
