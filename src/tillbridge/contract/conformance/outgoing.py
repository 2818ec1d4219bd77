"""Checks of everything that calls out, against a far side that misbehaves by script.

The far side here answers every call the same way: 429, 5xx, 401, garbage, or not at all. Errors
must say what to do next (RetryLater, Refused, NeedsDecision), and never carry a secret.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import msgspec

from tillbridge.atoms.errors import NeedsDecision, Refused, RetryLater
from tillbridge.canonical.documents import SubmitDocument
from tillbridge.contract.conformance.samples import Suite
from tillbridge.contract.offers import Offer, Shown
from tillbridge.contract.promises import (
    Assignment,
    ChecksConnection,
    Delivers,
    Listing,
    Lists,
    Page,
    Polls,
    PublishesAvailability,
    Receipt,
    Rereads,
    Taxes,
    Window,
)
from tillbridge.contract.tax_receipts import settle
from tillbridge.contract.transport import Request, Response

SECRET = "planted-secret-4711"  # noqa: S105 - a canary, made up
CALLS_MAX = 200
Call = Callable[["ScriptedTransport"], Any]
SURE = ("accepted", "applied", "conflict")
"""Outcomes that say what the far side has."""


class ScriptedTransport:
    """A far side that gives the same answer to every call, or none."""

    def __init__(self, answer: Response | RetryLater) -> None:
        self.answer = answer
        self.requests: list[Request] = []

    def send(self, request: Request) -> Response:
        """The scripted answer."""
        self.requests.append(request)
        if len(self.requests) > CALLS_MAX:
            raise AssertionError(f"more than {CALLS_MAX} calls for one operation")
        if isinstance(self.answer, RetryLater):
            raise self.answer
        return self.answer


class NoDirectory:
    """Names everything by our own code."""

    def theirs(self, table: str, ours: str) -> str | None:
        """Our own code."""
        return ours

    def ours(self, table: str, theirs: str) -> str | None:
        """Their own code."""
        return theirs


def waits_when_told_to(suite: Suite) -> list[str]:
    """429 and 503 mean later, after as long as the other side asks; no answer means later too."""
    problems = []
    busy = _answer(429, {"retry-after": "17"})
    away = _answer(503, {"retry-after": "17"})
    for name, call in _calls(suite):
        for label, answer in (
            ("429", busy),
            ("503", away),
            ("500", _answer(500)),
            ("502", _answer(502)),
        ):
            transport = ScriptedTransport(answer)
            waits = _ended(call, transport)
            problems += [f"{name}: {label}: {words}" for words in _not_later(waits)]
            asked = [
                wait.after_seconds
                for wait in waits
                if isinstance(wait, RetryLater | Receipt | Shown)
            ]
            if label == "429" and any(seconds is None or seconds < 17 for seconds in asked):
                problems.append(f"{name}: Retry-After: 17 is not honoured ({asked})")
            if len(transport.requests) > 3:
                problems.append(f"{name}: {label}: {len(transport.requests)} calls without waiting")
        silence = RetryLater("no answer", unknown=True)
        for ended in _ended(call, ScriptedTransport(silence)):
            told = isinstance(ended, Receipt | Shown)
            sure = told and ended.outcome in (*SURE, "refused")
            if sure or not (told or isinstance(ended, RetryLater)):
                problems.append(f"{name}: no answer at all ended as {_shown(ended)}")
    return problems


def gives_up_when_refused(suite: Suite) -> list[str]:
    """401 and 403 are refusals with words, or a wait; never success, never another exception."""
    problems = []
    for name, call in _calls(suite):
        for status in (401, 403, 404):
            for ended in _ended(call, ScriptedTransport(_answer(status))):
                if isinstance(ended, Receipt | Shown):
                    if ended.outcome in (*SURE, "unknown") or not ended.words:
                        problems.append(f"{name}: {status} ended as {_shown(ended)}")
                elif not isinstance(ended, Refused | RetryLater | NeedsDecision):
                    problems.append(f"{name}: {status} ended as {_shown(ended)}")
    return problems


def believes_no_garbage_answer(suite: Suite) -> list[str]:
    """An answer that is no answer (HTML, half JSON, null, wrong shapes) is never a success."""
    bodies = (
        b"",
        b"<html>hello</html>",
        b'{"data"',
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b"7",
        b'{"data":7}',
    )
    problems = []
    for name, call in _calls(suite):
        for body in bodies:
            for ended in _ended(call, ScriptedTransport(_answer(200, body=body))):
                fine = isinstance(ended, Refused | RetryLater | NeedsDecision)
                if isinstance(ended, Receipt | Shown):
                    fine = ended.outcome not in SURE
                if not fine:
                    problems.append(f"{name}: answer {body[:20]!r} ended as {_shown(ended)}")
    return problems


def keeps_secrets_to_itself(suite: Suite) -> list[str]:
    """No secret in an error's words, a receipt or a URL, whatever goes wrong."""
    problems = []
    echo = f'{{"error": "token {SECRET} is wrong"}}'.encode()
    answers = (
        _answer(401, body=echo),
        _answer(500, body=echo),
        _answer(200, body=echo),
        _answer(429),
    )
    for name, call in _calls(suite):
        for answer in (*answers, RetryLater("no answer", unknown=True)):
            transport = ScriptedTransport(answer)
            problems += [
                f"{name}: a secret stands in {type(ended).__name__}"
                for ended in _ended(call, transport)
                if SECRET in _shown(ended) or SECRET in repr(getattr(ended, "__context__", ""))
            ]
            if any(SECRET in request.url for request in transport.requests):
                problems.append(f"{name}: a secret stands in a URL")
    return problems


def _calls(suite: Suite) -> Iterator[tuple[str, Call]]:
    """Each way this connector calls out, as (name, call)."""
    connector: object = suite.connector
    secrets: Mapping[str, str] = dict.fromkeys(suite.guide.secrets, SECRET)
    if isinstance(connector, ChecksConnection):
        yield "check", lambda transport: connector.check(suite.connection, secrets, transport)
    if isinstance(connector, Polls):
        for stream in connector.streams:
            yield f"poll {stream}", _poll(suite, connector, stream, secrets)
    if isinstance(connector, Lists):
        for stream in connector.listed:
            yield f"list {stream}", _listing(suite, connector, stream, secrets)
    if isinstance(connector, Rereads) and suite.guide.reread is not None:
        wanted = suite.guide.reread
        rereads = connector
        yield (
            "reread",
            lambda transport: rereads.reread(
                wanted["topic"], wanted["reference"], suite.connection, secrets, transport
            ),
        )
    yield from _documents(suite, secrets)
    yield from _publications(suite, secrets)


def _documents(suite: Suite, secrets: Mapping[str, str]) -> Iterator[tuple[str, Call]]:
    connector: object = suite.connector
    for path in suite.documents():
        document = msgspec.json.decode(path.read_bytes(), type=SubmitDocument)
        if isinstance(connector, Delivers):
            yield f"deliver {path.name}", _delivery(suite, document, secrets)
        if isinstance(connector, Taxes):
            yield f"tax {path.name}", _tax(suite, connector, document, secrets)


def _tax(
    suite: Suite, connector: Taxes, document: SubmitDocument, secrets: Mapping[str, str]
) -> Call:
    def call(transport: ScriptedTransport) -> list[Receipt]:
        service = connector.tax_service(suite.connection, secrets, NoDirectory(), transport)
        return settle(service, [Assignment(document=document)])

    return call


def _publications(suite: Suite, secrets: Mapping[str, str]) -> Iterator[tuple[str, Call]]:
    connector: object = suite.connector
    if isinstance(connector, PublishesAvailability) and suite.guide.publish is not None:
        for label, previous in (("publish", 5000), ("publish the first time", None)):
            yield label, _publication(suite, connector, previous, secrets)


def _publication(
    suite: Suite,
    connector: PublishesAvailability,
    previous: int | None,
    secrets: Mapping[str, str],
) -> Call:
    wanted = suite.guide.publish or {}
    offer = Offer(
        operation="operation-1",
        product="P1",
        location="L1",
        products=(wanted["product"],),
        places=(wanted["place"],),
        quantity=4 * connector.offer_step,
        previous=previous,
    )

    def call(transport: ScriptedTransport) -> list[Shown]:
        return connector.publish([offer], suite.connection, secrets, transport)

    return call


def _poll(suite: Suite, connector: Polls, stream: str, secrets: Mapping[str, str]) -> Call:
    def call(transport: ScriptedTransport) -> Page:
        return connector.poll(stream, "", suite.connection, secrets, transport)

    return call


def _listing(suite: Suite, connector: Lists, stream: str, secrets: Mapping[str, str]) -> Call:
    window = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))

    def call(transport: ScriptedTransport) -> Listing:
        return connector.list_objects(stream, window, "", suite.connection, secrets, transport)

    return call


def _delivery(suite: Suite, document: SubmitDocument, secrets: Mapping[str, str]) -> Call:
    connector = cast("Delivers", suite.connector)
    assignment = Assignment(document=document)

    def call(transport: ScriptedTransport) -> list[Receipt]:
        return connector.deliver([assignment], suite.connection, secrets, NoDirectory(), transport)

    return call


def _ended(call: Call, transport: ScriptedTransport) -> list[Any]:
    """How a call ended: the exception, or its receipts, or whatever it returned."""
    try:
        found = call(transport)
    except Exception as problem:  # noqa: BLE001 - whatever comes is judged by the caller
        return [problem]
    return found if isinstance(found, list) else [found]


def _not_later(ended: list[Any]) -> list[str]:
    problems = []
    for one in ended:
        later = isinstance(one, RetryLater) or (
            isinstance(one, Receipt | Shown) and one.outcome in ("retry", "unknown")
        )
        if not later:
            problems.append(f"ended as {_shown(one)} instead of later")
    return problems


def _shown(ended: Any) -> str:
    if isinstance(ended, BaseException):
        return f"{type(ended).__name__}: {ended}"[:300]
    return repr(ended)[:300]


def _answer(status: int, headers: Mapping[str, str] | None = None, body: bytes = b"{}") -> Response:
    return Response(status=status, headers=headers or {}, body=body)
