"""Stripe simulated over real HTTP on loopback: payouts and balance transactions of any number of
accounts, with its rules, limits and a fault script.

    GET /v1/payouts                  limit, starting_after, created[gt|gte|lt|lte], status
    GET /v1/payouts/PO               200, 404
    GET /v1/balance_transactions     the same, and payout, type, source, expand[]

Lists come newest first, 10 to a page unless `limit` says otherwise (1 to 100), and say `has_more`.
A key that is not known is 401, a restricted one without the right 403; an unknown parameter, id or
API version is refused in Stripe's kind of error; more than the allowed calls in a second are 429.
The transactions of a payout can be listed only if it is automatic, and are there when it is
reconciled. What happens to an account is done in its books (`stripe_books.py`).
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Sequence
from email.utils import format_datetime
from typing import Any

from tillbridge.atoms.clock import Clock, SystemClock
from tillbridge.connectors.sandbox.erp_faults import (
    Fault,
    FaultKind,
    FaultScript,
    TokenBucket,
    suffered,
)
from tillbridge.connectors.sandbox.loopback import Answer, Call, LoopbackServer, json_answer
from tillbridge.connectors.sandbox.stripe_books import StripeBooks

VERSIONS = ("2025-09-30.clover", "2026-10-28.endive")
CALLS_A_SECOND = 100
_SPANS = ("gt", "gte", "lt", "lte")
_PLAIN = {
    "payouts": ("limit", "starting_after", "ending_before", "status", "expand[]"),
    "balance_transactions": (
        "limit", "starting_after", "ending_before", "payout", "type", "source", "currency",
        "expand[]",
    ),
}  # fmt: skip


class _Wrong(Exception):
    """A call Stripe refuses."""

    def __init__(self, status: int, message: str, code: str = "", param: str = "") -> None:
        super().__init__(message)
        error = {"type": "invalid_request_error", "message": message, "code": code, "param": param}
        self.answer = json_answer(status, {"error": {k: v for k, v in error.items() if v}})


class StripeSimulator:
    """The server; `start()` gives the address, `stop()` is as an outage, the books stay."""

    def __init__(
        self, clock: Clock | None = None, *, calls_a_second: float = CALLS_A_SECOND
    ) -> None:
        self.accounts: dict[str, StripeBooks] = {}
        self.faults = FaultScript()
        self.calls: list[str] = []
        self._clock = clock or SystemClock()
        self._restricted: set[str] = set()
        self._bucket = TokenBucket(self._clock, calls_a_second, calls_a_second)
        self._stopping = threading.Event()
        self._writing = threading.Lock()
        self._server = LoopbackServer(self._answer)

    def open_account(
        self, key: str, name: str, *, live: bool = True, may_read: bool = True
    ) -> StripeBooks:
        """An account with a key of its own. may_read: whether the key has the rights it needs."""
        books = StripeBooks(name, self._clock, live=live)
        self.accounts[key] = books
        if not may_read:
            self._restricted.add(key)
        return books

    def start(self) -> str:
        """Begin to answer; gives the address."""
        self._stopping.clear()
        return self._server.start()

    def stop(self) -> None:
        """Go away."""
        self._stopping.set()
        self._server.stop()

    # -- the API ------------------------------------------------------------------------------

    def _answer(self, call: Call) -> Answer:
        with self._writing:
            wait = self._bucket.take()
        if wait:
            words = "Request rate limit exceeded."
            error = {"type": "invalid_request_error", "code": "rate_limit", "message": words}
            return json_answer(429, {"error": error}, {"Stripe-Rate-Limited-Reason": "global-rate"})
        self.calls.append(f"{call.method} {call.path}")
        answer = self._suffered(self.faults.draw("read"), lambda: self._applied(call))
        if answer.status == 0:
            return answer
        now = format_datetime(self._clock.now(), usegmt=True)
        return Answer(
            status=answer.status, body=answer.body, headers={**answer.headers, "Date": now}
        )

    def _suffered(self, fault: Fault | None, apply: Callable[[], Answer]) -> Answer:
        """The answer as the fault makes it, in Stripe's words."""
        if fault is None:
            return apply()
        limited = {"type": "invalid_request_error", "code": "rate_limit"}
        refusals: dict[FaultKind, Callable[[], Answer]] = {
            "refuse": lambda: _Wrong(400, fault.words).answer,
            "error": lambda: json_answer(500, {"error": {"type": "api_error"}}),
            "throttle": lambda: json_answer(429, {"error": limited}),
            "busy": lambda: json_answer(503, {"error": {"type": "api_error"}}),
        }
        return suffered(fault, refusals, apply, self._stopping)

    def _applied(self, call: Call) -> Answer:
        try:
            books = self._known(call)
            if call.headers.get("stripe-version", VERSIONS[-1]) not in VERSIONS:
                raise _Wrong(400, f"Invalid Stripe API version: {call.headers['stripe-version']}")
            what, _, one = call.path.removeprefix("/v1/").partition("/")
            if call.method != "GET" or what not in _PLAIN:
                message = f"Unrecognized request URL ({call.method}: {call.path})."
                raise _Wrong(404, message)
            with self._writing:
                if one:
                    return json_answer(200, _found(books.rows(what), one, what))
                return self._listed(books, what, call.query)
        except _Wrong as wrong:
            return wrong.answer

    def _known(self, call: Call) -> StripeBooks:
        kind, _, given = call.headers.get("authorization", "").partition(" ")
        if kind == "Basic":
            given = base64.b64decode(given).decode().partition(":")[0]
        books = self.accounts.get(given)
        if books is None:
            raise _Wrong(401, f"Invalid API Key provided: {given[:7]}****")
        if given in self._restricted:
            words = f"The provided key '{given[:7]}****' does not have the required permissions"
            raise _Wrong(403, words)
        wanted = call.headers.get("stripe-account", "")
        if wanted and wanted != books.name:
            words = f"The provided key does not have access to account '{wanted}'"
            raise _Wrong(403, words, "account_invalid")
        return books

    def _listed(self, books: StripeBooks, what: str, query: Any) -> Answer:
        spans = {f"created[{one}]" for one in _SPANS}
        for name in query:
            if name not in spans and name not in _PLAIN[what]:
                raise _Wrong(400, f"Received unknown parameter: {name}", "parameter_unknown", name)
        rows = [row for row in books.rows(what) if _created(row, query)]
        rows = _filtered(books, rows, query)
        after = query.get("starting_after", [""])[0]
        if after:
            _found(books.rows(what), after, what)
            names = [row["id"] for row in rows]
            rows = rows[names.index(after) + 1 :] if after in names else []
        limit = _limit(query)
        shown = rows[:limit]
        if query.get("expand[]") == ["data.source"]:
            shown = [{**row, "source": books.source(row["source"])} for row in shown]
        body = {
            "object": "list",
            "data": shown,
            "has_more": len(rows) > limit,
            "url": f"/v1/{what}",
        }
        return json_answer(200, body)


def _limit(query: Any) -> int:
    told = query.get("limit", ["10"])[0]
    if not told.isdecimal() or not 1 <= int(told) <= 100:
        raise _Wrong(400, "This value must be between 1 and 100.", "parameter_invalid", "limit")
    return int(told)


def _created(row: dict[str, Any], query: Any) -> bool:
    at = row["created"]
    tests = {
        "gt": lambda than: at > than,
        "gte": lambda than: at >= than,
        "lt": lambda than: at < than,
        "lte": lambda than: at <= than,
    }
    return all(
        tests[one](int(query[f"created[{one}]"][0])) for one in _SPANS if f"created[{one}]" in query
    )


def _filtered(
    books: StripeBooks, rows: Sequence[dict[str, Any]], query: Any
) -> list[dict[str, Any]]:
    found = list(rows)
    for name in ("status", "type", "source", "currency"):
        if name in query:
            found = [row for row in found if row.get(name) == query[name][0]]
    if "payout" in query:
        payout = _found(books.rows("payouts"), query["payout"][0], "payouts")
        if not payout["automatic"]:
            words = "Balance transaction history can only be filtered on automatic payouts."
            raise _Wrong(400, words, "", "payout")
        members = books.members(payout["id"])
        found = [row for row in found if row["id"] in members]
    return found


def _found(rows: Sequence[dict[str, Any]], one: str, what: str) -> dict[str, Any]:
    for row in rows:
        if row["id"] == one:
            return row
    words = f"No such {what.removesuffix('s')}: '{one}'"
    raise _Wrong(404 if what == "payouts" else 400, words, "resource_missing", "id")
