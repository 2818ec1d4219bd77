"""AvaTax simulated over real HTTP on loopback, with its rules, limits and a fault script.

    POST /api/v2/transactions/create             CreateTransactionModel    201
    POST /api/v2/transactions/createoradjust     {"createTransactionModel": {...}}    200, 201
    GET  /api/v2/companies/C/transactions/CODE   ?documentType=SalesInvoice    200, 404
    POST .../CODE/commit, .../CODE/void          200
    GET  /api/v2/utilities/ping                  200, whoever asks

Every other call carries `Authorization: Basic account:license`, else 401. The books
(`avatax_books.py`) stay as they are over stop and start.
"""

from __future__ import annotations

import base64
import hmac
import threading
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

import msgspec

from tillbridge.atoms.clock import Clock, SystemClock
from tillbridge.connectors.sandbox.avatax_books import AvataxBooks, AvataxError, Incoming, Rate
from tillbridge.connectors.sandbox.erp_faults import (
    Fault,
    FaultKind,
    FaultScript,
    TokenBucket,
    suffered,
)
from tillbridge.connectors.sandbox.loopback import Answer, Call, LoopbackServer

ACCOUNT, COMPANY = "2000123456", "TILLBRIDGE"
NEW_YORK = (
    Rate("US", "NY", "NY STATE TAX", "NEW YORK", "State", Decimal("0.04")),
    Rate("US", "NY", "NY COUNTY TAX", "ALBANY", "County", Decimal("0.04")),
    Rate("US", "NY", "NY COUNTY TAX", "ALBANY", "County", Decimal("0.0475"), date(2026, 7, 1)),
)
_IN_PATHS = {
    "_-ava2f-_": "/",
    "_-ava2b-_": "+",
    "_-ava3f-_": "?",
    "_-ava25-_": "%",
    "_-ava23-_": "#",
}
_ENCODER = msgspec.json.Encoder(decimal_format="number")


class _Wrapped(msgspec.Struct, frozen=True, rename="camel"):
    """CreateOrAdjustTransactionModel."""

    create_transaction_model: Incoming


class AvataxSimulator:
    """The server with its books; `start()` gives the address, `stop()` is as an outage."""

    def __init__(
        self,
        key: str,
        *,
        rates: Sequence[Rate] = NEW_YORK,
        calls_per_second: float = 1000.0,
        clock: Clock | None = None,
    ) -> None:
        """key: the license key. rates: what the company's nexus levies."""
        self.books = AvataxBooks(COMPANY, rates)
        self.faults = FaultScript()
        self.calls: list[str] = []
        pair = base64.b64encode(f"{ACCOUNT}:{key}".encode()).decode()
        self._authorization = f"Basic {pair}".encode()
        self._bucket = TokenBucket(clock or SystemClock(), calls_per_second, calls_per_second)
        self._stopping = threading.Event()
        self._writing = threading.Lock()
        self._server = LoopbackServer(self._answer)

    @property
    def address(self) -> str:
        """`http://127.0.0.1:port`; kept over stop and start."""
        return self._server.address

    def start(self) -> str:
        """Begin to answer; gives the address."""
        self._stopping.clear()
        return self._server.start()

    def stop(self) -> None:
        """Go away; the books stay."""
        self._stopping.set()
        self._server.stop()

    def lock(self, code: str, kind: str) -> None:
        """What a filing does: the document was reported and stays as it is."""
        self.books.find(code, kind).locked = True

    def committed(self, kind: str = "") -> dict[str, Decimal]:
        """Tax of every committed document by code."""
        return {
            code: kept.tax
            for (code, of), kept in sorted(self.books.kept.items())
            if kept.status == "Committed" and kind in ("", of)
        }

    def _answer(self, call: Call) -> Answer:
        if call.path == "/api/v2/utilities/ping":
            known = self._known(call)
            return _told(200, {"version": "sandbox", "authenticated": known})
        if not call.headers.get("authorization"):
            error = AvataxError(401, "AuthenticationIncomplete", 34, "Authentication Incomplete.")
            return _told(401, error.body)
        if not self._known(call):
            error = AvataxError(401, "AuthenticationException", 30, "Authentication failed.")
            return _told(401, error.body)
        wait = self._bucket.take()
        if wait:
            return _told(429, {}, {"Retry-After": f"{wait:.3f}"})
        self.calls.append(f"{call.method} {call.path}")
        fault = self.faults.draw("read" if call.method == "GET" else "create")
        return self._suffered(fault, lambda: self._applied(call))

    def _known(self, call: Call) -> bool:
        given = call.headers.get("authorization", "").encode()
        return hmac.compare_digest(given, self._authorization)

    def _suffered(self, fault: Fault | None, apply: Callable[[], Answer]) -> Answer:
        """The answer as the fault makes it, in the service's words."""
        if fault is None:
            return apply()
        refused = AvataxError(400, "GetTaxError", 300, fault.words)
        wait = {"Retry-After": f"{fault.seconds:.3f}"}
        refusals: dict[FaultKind, Callable[[], Answer]] = {
            "refuse": lambda: _told(400, refused.body),
            "error": lambda: _told(500, {}),
            "throttle": lambda: _told(429, {}, wait),
            "busy": lambda: _told(503, {}, wait),
        }
        return suffered(fault, refusals, apply, self._stopping)

    def _applied(self, call: Call) -> Answer:
        with self._writing:
            try:
                return self._routed(call)
            except AvataxError as error:
                return _told(error.status, error.body)
            except (msgspec.DecodeError, UnicodeDecodeError) as problem:
                wrong = AvataxError(400, "JsonFormatError", 47, "invalid JSON", str(problem))
                return _told(400, wrong.body)

    def _routed(self, call: Call) -> Answer:
        path = call.path.removeprefix("/api/v2/").split("/")
        if call.method == "POST" and path == ["transactions", "create"]:
            return _told(201, self.books.create(_model(call.body)))
        if call.method == "POST" and path == ["transactions", "createoradjust"]:
            wrapped = msgspec.json.decode(call.body, type=_Wrapped)
            return _told(201, self.books.create_or_adjust(wrapped.create_transaction_model))
        if path[0] == "companies" and path[2:3] == ["transactions"]:
            if path[1] != COMPANY:
                raise AvataxError(404, "EntityNotFoundError", 4, "Company not found")
            return _told(200, self._document(call, path[3:]))
        raise AvataxError(404, "EntityNotFoundError", 4, "No such method")

    def _document(self, call: Call, path: list[str]) -> Any:
        code = _plain(path[0])
        kind = call.query.get("documentType", ["SalesInvoice"])[0]
        if call.method == "GET" and len(path) == 1:
            return self.books.find(code, kind).shown()
        if call.method == "POST" and path[1:] == ["commit"]:
            return self.books.commit(code, kind)
        if call.method == "POST" and path[1:] == ["void"]:
            return self.books.void(code, kind)
        raise AvataxError(404, "EntityNotFoundError", 4, "No such method")


def _model(body: bytes) -> Incoming:
    return msgspec.json.decode(body, type=Incoming)


def _plain(code: str) -> str:
    """A code as it was before it was written into a path."""
    found = unquote(code)
    for written, letter in _IN_PATHS.items():
        found = found.replace(written, letter)
    return found


def _told(status: int, value: object, headers: dict[str, str] | None = None) -> Answer:
    named = {"Content-Type": "application/json", **(headers or {})}
    return Answer(status=status, body=_ENCODER.encode(value), headers=named)
