"""From TOML text to a Mapping; whatever is wrong is refused with file:line:column before any row is
read: bad TOML, unknown sections, fields, transforms and columns, missing required fields.
"""

from __future__ import annotations

import codecs
import tomllib
from typing import Any, NoReturn

import jmespath

from tillbridge.connectors.feed import kinds
from tillbridge.connectors.feed import mapping as shape
from tillbridge.connectors.feed.mapping import (
    Condition,
    Control,
    Layout,
    Mapping,
    Part,
    Source,
    Span,
    Step,
)
from tillbridge.connectors.feed.meaning import Meaning
from tillbridge.connectors.feed.positions import Positions, position_of_syntax
from tillbridge.connectors.feed.transforms import WrongArgument, compiled

_TOP = ("kind", "version", "identity", "file", "column", "control")
_FILE = ("format", "encoding", "delimiter", "quote", "header", "skip", "columns")
_CONTROL = ("row", "starts", "count", "sum", "do", "of", "of_do")
_PART = ("when", "once", "each", "unless_empty")
_SOURCE = ("from", "constant", "join", "do", "default", "numbers")


class MappingError(ValueError):
    """A mapping that cannot be used; the words begin with file:line:column."""


class Loading:
    """One load: the text, where things stand in it, and what was found so far."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.positions = Positions(text)
        try:
            self.tree: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as problem:
            line, column, words = position_of_syntax(str(problem), text)
            raise MappingError(f"{name}:{line}:{column}: {words}") from None
        except RecursionError:
            raise MappingError(f"{name}:1:1: nested too deep") from None

    def refuse(
        self, words: str, table: str = "", index: int = 0, key: str = "", word: str = ""
    ) -> NoReturn:
        """Raise MappingError at the place of table, key and word."""
        line, column = self.positions.of(table, index, key, word)
        raise MappingError(f"{self.name}:{line}:{column}: {words}")

    def known(self, found: Any, allowed: tuple[str, ...], table: str = "", index: int = 0) -> None:
        """Refuse names that mean nothing here."""
        for key in found:
            if key not in allowed:
                self.refuse(
                    f"{key!r} means nothing here; there are {', '.join(allowed)}", table, index, key
                )

    def text(self, found: Any, table: str, index: int, key: str) -> str:
        """A text, or refuse."""
        if not isinstance(found, str):
            self.refuse(f"{key} takes a text", table, index, key)
        return str(found)

    def texts(self, found: Any, table: str, index: int, key: str) -> tuple[str, ...]:
        """A text or a list of texts, or refuse."""
        rows = [found] if isinstance(found, str) else found
        if not isinstance(rows, list) or not rows or not all(isinstance(row, str) for row in rows):
            self.refuse(f"{key} takes a text or a list of texts", table, index, key)
        return tuple(rows)

    def number(self, found: Any, least: int, table: str, index: int, key: str) -> int:
        """A whole number of at least `least`, or refuse."""
        if isinstance(found, bool) or not isinstance(found, int) or found < least:
            self.refuse(f"{key} takes a whole number from {least}", table, index, key)
        return int(found)

    def flag(self, found: Any, table: str, index: int, key: str) -> bool:
        """True or false, or refuse."""
        if not isinstance(found, bool):
            self.refuse(f"{key} takes true or false", table, index, key)
        return bool(found)

    def one_of(self, found: Any, allowed: tuple[str, ...], table: str, key: str) -> str:
        """One of a closed list, or refuse."""
        if found not in allowed:
            self.refuse(f"{key} takes one of {', '.join(allowed)}", table, 0, key)
        return str(found)


def load_mapping(text: str, file_name: str) -> Mapping:
    """The mapping a TOML text describes. Raises MappingError: `file:line:column: what is wrong`."""
    load = Loading(text, file_name)
    kind = load.one_of(load.tree.get("kind"), kinds.KINDS, "", "kind")
    load.known(load.tree, (*_TOP, *kinds.SCHEMA[kind]))
    layout = _layout(load)
    found = Mapping(
        name=file_name,
        kind=kind,
        layout=layout,
        parts=_parts(load, kind, layout),
        identity=load.texts(load.tree["identity"], "", 0, "identity")
        if "identity" in load.tree
        else (),
        version=load.number(load.tree.get("version", 1), 1, "", 0, "version"),
        control=_control(load, layout),
    )
    _check_whole(load, found)
    return found


def _layout(load: Loading) -> Layout:
    found = load.tree.get("file")
    if not isinstance(found, dict):
        load.refuse("there is no [file] table")
    load.known(found, _FILE, "file")
    form = load.one_of(found.get("format"), shape.FORMATS, "file", "format")
    encoding = _encoding(load, found.get("encoding", "utf-8"))
    delimiter = load.text(
        found.get("delimiter", "\t" if form == "tsv" else ","), "file", 0, "delimiter"
    )
    quote = load.text(found.get("quote", '"'), "file", 0, "quote")
    if len(delimiter) != 1 or delimiter in "\r\n":
        load.refuse("delimiter takes one character", "file", 0, "delimiter")
    if len(quote) > 1 or quote == delimiter:
        load.refuse("quote takes one character, or none", "file", 0, "quote")
    spans = _spans(load, form)
    header = load.flag(found.get("header", form in ("csv", "tsv")), "file", 0, "header")
    columns: tuple[str, ...] = tuple(span.name for span in spans)
    if "columns" in found:
        columns = load.texts(found["columns"], "file", 0, "columns")
    if form in ("csv", "tsv") and not header and not columns:
        load.refuse("without a header, columns must be named: columns = [...]", "file")
    if form in ("fixed", "jsonl") and header:
        load.refuse(f"a {form} file has no header", "file", 0, "header")
    if len(set(columns)) != len(columns):
        load.refuse("a column is named twice", "file", 0, "columns")
    return Layout(
        format=form,
        encoding=encoding,
        delimiter=delimiter,
        quote=quote,
        header=header,
        skip=load.number(found.get("skip", 0), 0, "file", 0, "skip"),
        columns=columns,
        spans=spans,
    )


def _encoding(load: Loading, found: Any) -> str:
    given = load.text(found, "file", 0, "encoding")
    try:
        name = codecs.lookup(given).name
    except LookupError:
        name = ""
    known = {codecs.lookup(encoding).name: encoding for encoding in shape.ENCODINGS}
    if name not in known:
        load.refuse(f"encoding takes one of {', '.join(shape.ENCODINGS)}", "file", 0, "encoding")
    return known[name]


def _spans(load: Loading, form: str) -> tuple[Span, ...]:
    rows = load.tree.get("column", [])
    if (form == "fixed") != bool(rows):
        words = (
            "a fixed file needs [[column]] tables" if form == "fixed" else "only for fixed files"
        )
        load.refuse(words, "column" if rows else "file")
    spans = []
    for index, row in enumerate(rows):
        load.known(row, ("name", "start", "width"), "column", index)
        spans.append(
            Span(
                load.text(row.get("name"), "column", index, "name"),
                load.number(row.get("start"), 1, "column", index, "start"),
                load.number(row.get("width"), 1, "column", index, "width"),
            )
        )
    return tuple(spans)


def _parts(load: Loading, kind: str, layout: Layout) -> tuple[Part, ...]:
    parts: list[Part] = []
    for section, fields in kinds.SCHEMA[kind].items():
        found = load.tree.get(section)
        needed = section in kinds.NEEDED[kind]
        if found is None and not needed:
            continue
        repeated = section in kinds.REPEATED
        written = f"[[{section}]]" if repeated else f"[{section}]"
        if not found or not isinstance(found, list if repeated else dict):
            load.refuse(f"a mapping of kind {kind} needs {written}", section)
        for index, row in enumerate(found if isinstance(found, list) else [found]):
            parts.append(_part(load, section, index, row, layout))
            _check_fields(load, parts[-1], index, fields)
    return tuple(parts)


def _part(load: Loading, section: str, index: int, row: Any, layout: Layout) -> Part:
    when = None
    if "when" in row:
        found = row["when"]
        if not isinstance(found, dict) or set(found) != {"column", "is"}:
            load.refuse('when takes { column = "...", is = "..." }', section, index, "when")
        column = load.text(found["column"], section, index, "when")
        when = Condition(column, load.texts(found["is"], section, index, "when"))
    each = load.text(row.get("each", ""), section, index, "each")
    if each and layout.format != "jsonl":
        load.refuse("each is for jsonl files", section, index, "each")
    _check_path(load, each, layout, (section, index, "each"))
    fields = {
        key: _source(load, section, index, key, value, layout)
        for key, value in row.items()
        if key not in _PART
    }
    return Part(
        section=section,
        fields=fields,
        when=when,
        once=load.flag(row.get("once", False), section, index, "once"),
        each=each,
        unless_empty=load.text(row.get("unless_empty", ""), section, index, "unless_empty"),
    )


def _source(
    load: Loading, section: str, index: int, key: str, found: Any, layout: Layout
) -> Source:
    place = (section, index, key)
    if isinstance(found, str):
        found = {"from": found}
    if not isinstance(found, dict):
        load.refuse(f"{key} takes a column name or a table", *place)
    for name in found:
        if name not in _SOURCE:
            load.refuse(
                f"{name!r} means nothing here; there are {', '.join(_SOURCE)}", *place, name
            )
    if ("from" in found) == ("constant" in found):
        load.refuse(f"{key} takes either from or constant", *place)
    columns = load.texts(found["from"], *place) if "from" in found else ()
    for column in columns:
        _check_path(load, column, layout, place)
    constant = load.text(found["constant"], *place) if "constant" in found else None
    default = load.text(found["default"], *place) if "default" in found else None
    return Source(
        columns=columns,
        constant=constant,
        join=load.text(found.get("join", ""), *place),
        steps=_steps(load, found.get("do", []), place),
        default=default,
        numbers=load.flag(found.get("numbers", False), *place),
    )


def _steps(load: Loading, found: Any, place: tuple[str, int, str]) -> tuple[Step, ...]:
    rows = [found] if isinstance(found, str | dict) else found
    if not isinstance(rows, list):
        load.refuse("do takes a list of transforms", *place)
    steps = []
    for row in rows:
        pairs = (
            [(row, None)]
            if isinstance(row, str)
            else list(row.items())
            if isinstance(row, dict)
            else []
        )
        if len(pairs) != 1:
            load.refuse("a transform is a name or a table with one name", *place)
        name, argument = pairs[0]
        try:
            compiled(name, argument)
        except WrongArgument as problem:
            load.refuse(str(problem), *place, name)
        steps.append(Step(name, argument))
    return tuple(steps)


def _check_path(load: Loading, path: str, layout: Layout, place: tuple[str, int, str]) -> None:
    if not path or layout.format != "jsonl":
        return
    try:
        jmespath.compile(path)
    except Exception as problem:  # noqa: BLE001 - the package raises several kinds for bad paths
        load.refuse(f"{path!r} is no JMESPath: {str(problem).splitlines()[0]}", *place, path)


def _check_fields(load: Loading, part: Part, index: int, fields: dict[str, Meaning]) -> None:
    section = part.section
    load.known(part.fields, tuple(fields), section, index)
    for name, meaning in fields.items():
        source = part.fields.get(name)
        if source is None and meaning.required:
            load.refuse(f"{section} lacks the field {name}", section, index)
        if source is not None and source.constant is not None and meaning.choices:
            steps = not source.steps
            if steps and source.constant not in meaning.choices:
                known = ", ".join(meaning.choices)
                load.refuse(f"{name} takes one of {known}", section, index, name, source.constant)
    if section == "line" and "net" in fields:
        amounts = [name for name in ("list", "net", "gross") if name in part.fields]
        if len(amounts) != 1:
            words = f"a line takes exactly one of list, net, gross; here are {len(amounts)}"
            load.refuse(words, section, index)
        if "tax" in part.fields and "tax_code" not in part.fields:
            load.refuse("tax needs tax_code", section, index, "tax")
    if part.unless_empty and part.unless_empty not in part.fields:
        load.refuse(
            f"unless_empty names no field: {part.unless_empty!r}", section, index, "unless_empty"
        )


def _control(load: Loading, layout: Layout) -> Control | None:
    found = load.tree.get("control")
    if found is None:
        return None
    load.known(found, _CONTROL, "control")
    if layout.format == "jsonl":
        load.refuse("control totals are for csv, tsv and fixed files", "control")
    if "count" not in found and "sum" not in found:
        load.refuse("control needs count or sum", "control")
    if ("sum" in found) != ("of" in found):
        load.refuse("sum and of (the column summed) belong together", "control")
    starts = load.text(found.get("starts"), "control", 0, "starts")
    if not starts:
        load.refuse("starts takes the text the control row begins with", "control", 0, "starts")
    return Control(
        place=load.one_of(found.get("row", "last"), ("first", "last"), "control", "row"),
        starts=starts,
        count=_cell(load, found, "count", layout),
        sum=_cell(load, found, "sum", layout),
        sum_steps=_steps(load, found.get("do", []), ("control", 0, "do")),
        of=load.text(found.get("of", ""), "control", 0, "of"),
        of_steps=_steps(load, found.get("of_do", []), ("control", 0, "of_do")),
    )


def _cell(load: Loading, found: dict[str, Any], key: str, layout: Layout) -> int | Span | None:
    value = found.get(key)
    if value is None:
        return None
    if layout.format != "fixed":
        return load.number(value, 1, "control", 0, key)
    if not isinstance(value, dict) or set(value) != {"start", "width"}:
        load.refuse(f"{key} takes {{ start = 1, width = 5 }}", "control", 0, key)
    start = load.number(value["start"], 1, "control", 0, key)
    return Span(key, start, load.number(value["width"], 1, "control", 0, key))


def _check_whole(load: Loading, found: Mapping) -> None:
    """What only the whole mapping can tell: identity and columns that the file does not have."""
    if found.kind not in kinds.ROWS and not found.identity:
        load.refuse(f"a mapping of kind {found.kind} needs identity = [columns]")
    if not found.layout.columns:
        return
    for index_of, part in _indexed(found.parts):
        columns = [(key, name) for key, source in part.fields.items() for name in source.columns]
        if part.when is not None:
            columns.append(("when", part.when.column))
        for key, name in columns:
            if name not in found.layout.columns:
                load.refuse(f"there is no column {name!r}", part.section, index_of, key, name)
    for name in found.identity:
        if name not in found.layout.columns:
            load.refuse(f"there is no column {name!r}", "", 0, "identity", name)
    if (
        found.control is not None
        and found.control.of
        and found.control.of not in found.layout.columns
    ):
        load.refuse(f"there is no column {found.control.of!r}", "control", 0, "of")


def _indexed(parts: tuple[Part, ...]) -> list[tuple[int, Part]]:
    counts: dict[str, int] = {}
    indexed = []
    for part in parts:
        indexed.append((counts.get(part.section, 0), part))
        counts[part.section] = indexed[-1][0] + 1
    return indexed
