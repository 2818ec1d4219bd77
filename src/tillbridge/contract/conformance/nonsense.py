"""Hostile and sloppy bodies: refused with words (NeedsDecision), never believed, never a crash."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from tillbridge.atoms.ids import SeededIds
from tillbridge.contract.conformance.mutation import replaced, walk
from tillbridge.contract.conformance.samples import Sample, Suite
from tillbridge.contract.promises import Message

DEEP = 5_000
_MARKER = "\x01raw\x01"
_ENCODED_MARKER = msgspec.json.encode(_MARKER)
PROBLEMS_MAX = 12


def refuses_nonsense(suite: Suite) -> list[str]:
    """Every kind of nonsense is a case; no exception but NeedsDecision leaves the translator."""
    problems: list[str] = []
    for sample, message, _ in suite.telling():
        for label, body in _nonsense(message):
            outcome = suite.outcome(msgspec.structs.replace(message, body=body), sample.connection)
            if outcome.kind == "error":
                problems.append(f"{sample.name}: {label}: {outcome.words.decode()}")
            elif outcome.kind == "told":
                problems.append(f"{sample.name}: {label} was believed")
        if len(problems) >= PROBLEMS_MAX:
            return [*problems[:PROBLEMS_MAX], "... and perhaps more"]
    return problems


def survives_strange_topics(suite: Suite) -> list[str]:
    """An unknown topic is ignored with a reason or is a case; it never tells facts or crashes."""
    problems = []
    for sample, message in _first_of_each(suite):
        for topic in ("no/such-topic", "", "\x00", "a" * 5_000, "../../etc/passwd"):
            strange = msgspec.structs.replace(message, topic=topic)
            outcome = suite.outcome(strange, sample.connection)
            if outcome.kind == "error":
                problems.append(f"topic {topic[:20]!r}: {outcome.words.decode()}")
            found = outcome.translation
            if found is not None and not found.facts and not found.ignored and not found.reread:
                problems.append(f"topic {topic[:20]!r} says nothing and gives no reason")
            if found is not None and found.facts and topic == "no/such-topic":
                problems.append(f"{sample.name}: an unknown topic tells facts")
    return problems


def _first_of_each(suite: Suite) -> Iterator[tuple[Sample, Message]]:
    for sample in suite.samples:
        if sample.messages:
            yield sample, sample.messages[0]


def _nonsense(message: Message) -> Iterator[tuple[str, bytes]]:
    """(what it is, body): kinds for every format, then those of JSON or of XML."""
    body = message.body.strip()
    yield "an empty body", b""
    yield "a body of blanks", b" \r\n\t "
    yield "a NUL", b"\x00"
    yield "a NUL inside", body[: len(body) // 2] + b"\x00" + body[len(body) // 2 :]
    for part in (1, 2, 3):
        yield f"a body cut after {part} quarters", body[: len(body) * part // 4]
    yield "a body without its last character", body[:-1]
    yield "a body told twice", body + body
    yield "UTF-16 without saying so", body.decode("utf-8", "replace").encode("utf-16-le")
    yield "bytes of no encoding", b"\xff\xfe\xfd" + body
    noise = SeededIds(20260115)
    for size in (1, 7, 64, 1_000, 20_000):
        yield f"{size} random bytes", bytes.fromhex(noise.random_hex(size))
    for text in (b"null", b"true", b"[]", b"{}", b"7", b'"text"', b"[[]]", b"[{}]", b"NaN", b"-"):
        yield f"a bare {text.decode()}", text
    yield "5,000 open brackets", b"[" * DEEP
    yield "nesting without end", b"[" * DEEP + b"]" * DEEP
    try:
        tree = msgspec.json.decode(body)
    except msgspec.DecodeError:
        yield from _markup_nonsense(body)
        return
    yield from _json_nonsense(body, tree)


def _json_nonsense(body: bytes, tree: Any) -> Iterator[tuple[str, bytes]]:
    deep = b'{"a":' * DEEP + b"1" + b"}" * DEEP
    if isinstance(tree, dict) and tree:
        inside = body[body.index(b"{") + 1 :]
        yield "an unknown field nested 5,000 deep", b'{"zz_unknown":' + deep + b"," + inside
        yield "an unknown field that is NaN", b'{"zz_unknown":NaN,' + inside
        yield "an unknown field of 40 digits", b'{"zz_unknown":' + b"9" * 40 + b"," + inside
        yield "a lone surrogate", b'{"zz_unknown":"\\ud800",' + inside
        yield "an escaped NUL", b'{"zz_unknown":"a\\u0000b",' + inside
        name, value = next(iter(tree.items()))
        again = msgspec.json.encode(name) + b":" + msgspec.json.encode(value)
        yield f"{name!r} twice", b"{" + again + b"," + inside
        yield "a comment", b"{/* note */" + inside
        yield "a comma too many", body[: body.rindex(b"}")] + b",}"
    yield "the body inside a list", b"[" + body + b"]"
    yield "the body inside an unknown envelope", b'{"zz_unknown":' + body + b"}"
    for path, leaf in walk(tree):
        if isinstance(leaf, int | float) and not isinstance(leaf, bool):
            for raw in (b"NaN", b"Infinity", b"9" * 40, b"0" * 3 + b"7", b"+7", b"0x10"):
                dotted = ".".join(str(step) for step in path)
                found = replaced(tree, path, _MARKER).replace(_ENCODED_MARKER, raw)
                yield f"{dotted} = {raw.decode()}", found
            break


def _markup_nonsense(body: bytes) -> Iterator[tuple[str, bytes]]:
    root = re.search(rb"<([A-Za-z_][\w:.-]*)", body)
    if root is None:
        return
    head, rest = body[: root.start()], body[root.start() :]
    name = root.group(1)
    entity = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    yield "a document type with entities", head + entity + rest
    outside = b'<!DOCTYPE x SYSTEM "file:///etc/passwd">'
    yield "a document type from outside", head + outside + rest
    yield "a tag that never closes", rest.replace(b"</" + name, b"</zz" + name, 1)
    yield "elements nested 5,000 deep", b"<a>" * DEEP + b"</a>" * DEEP
    yield "another root element", b"<zz_unknown/>"
