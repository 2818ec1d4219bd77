"""Payouts of Shopify Payments simulated over real HTTP on loopback, with rules and a fault script.

    GET /admin/api/V/shopify_payments/payouts.json               date_min, date_max, status, limit
    GET /admin/api/V/shopify_payments/balance/transactions.json  payout_id, payout_status, limit

Every call carries X-Shopify-Access-Token, else 401; without the scope 403. Lists come newest first,
50 to a page unless `limit` says otherwise (to 250); the next page is in the `Link` header, and its
`page_info` goes with no other filter, else 400. The bucket holds 40 calls and leaks 2 a second,
then 429 with Retry-After. A dead version is answered by the living one without a word.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from tillbridge.atoms.clock import Clock, SystemClock
from tillbridge.connectors.sandbox.erp_faults import (
    Fault,
    FaultKind,
    FaultScript,
    TokenBucket,
    suffered,
)
from tillbridge.connectors.sandbox.loopback import Answer, Call, LoopbackServer, json_answer

VERSION = "2026-10"
BUCKET, LEAKS_A_SECOND = 40.0, 2.0
_PAYOUTS, _LINES = "payouts.json", "balance/transactions.json"
_FILTERS = {
    _PAYOUTS: ("date_min", "date_max", "date", "status", "since_id", "last_id"),
    _LINES: ("payout_id", "payout_status", "test", "since_id", "last_id"),
}


class ShopifyPaymentsSimulator:
    """The server with one shop's account; `stop()` is as an outage, the account stays."""

    def __init__(
        self,
        token: str,
        clock: Clock | None = None,
        *,
        may_read: bool = True,
        bucket: float = BUCKET,
    ) -> None:
        """may_read: whether the token has the scope."""
        self.faults = FaultScript()
        self.calls: list[str] = []
        self.payouts: list[dict[str, Any]] = []
        self.lines: list[dict[str, Any]] = []
        self._token = token.encode()
        self._may_read = may_read
        self._clock = clock or SystemClock()
        self._pages: dict[str, tuple[str, list[dict[str, Any]]]] = {}
        self._bucket = TokenBucket(self._clock, LEAKS_A_SECOND, bucket)
        self._stopping = threading.Event()
        self._writing = threading.RLock()
        self._server = LoopbackServer(self._answer)

    def start(self) -> str:
        """Begin to answer; gives the address."""
        self._stopping.clear()
        return self._server.start()

    def stop(self) -> None:
        """Go away."""
        self._stopping.set()
        self._server.stop()

    # -- the account --------------------------------------------------------------------------

    def move(self, kind: str, amount: str, fee: str, about: int | None, source: int = 0) -> None:
        """A movement of the balance. about: the order's own transaction; source: the dispute."""
        number = 8001 + len(self.lines)
        row = {
            "id": number,
            "type": kind,
            "test": False,
            "payout_id": None,
            "payout_status": "pending",
            "currency": "USD",
            "amount": amount,
            "fee": fee,
            "net": str(Decimal(amount) - Decimal(fee)),
            "source_id": source or number + 500,
            "source_type": kind,
            "source_order_id": None,
            "source_order_transaction_id": about,
            "processed_at": self._clock.now().isoformat(),
            "adjustment_reason": None,
        }
        self.lines.insert(0, row)

    def pay_out(self, number: int, day: date, status: str = "scheduled") -> str:
        """Send what is in no payout yet; gives the amount."""
        with self._writing:
            waiting = [row for row in self.lines if row["payout_id"] is None]
            amount = str(sum((Decimal(row["net"]) for row in waiting), Decimal("0.00")))
            self.move("payout", str(-Decimal(amount)), "0.00", None)
            for row in (*waiting, self.lines[0]):
                row["payout_id"] = number
            self.payouts.insert(
                0,
                {
                    "id": number,
                    "status": status,
                    "date": day.isoformat(),
                    "currency": "USD",
                    "amount": amount,
                    "summary": {},
                },
            )
            return amount

    def becomes(self, number: int, status: str) -> None:
        """The bank's word on a payout."""
        next(one for one in self.payouts if one["id"] == number)["status"] = status

    # -- the API ------------------------------------------------------------------------------

    def _answer(self, call: Call) -> Answer:
        answer = self._judged(call)
        if answer.status == 0:
            return answer
        headers = {
            **answer.headers,
            "Date": format_datetime(self._clock.now(), usegmt=True),
            "X-Shopify-API-Version": VERSION,
        }
        return Answer(status=answer.status, body=answer.body, headers=headers)

    def _judged(self, call: Call) -> Answer:
        given = call.headers.get("x-shopify-access-token", "").encode()
        if not hmac.compare_digest(given, self._token):
            return _refused(401, "[API] Invalid API key or access token")
        with self._writing:
            wait = self._bucket.take()
        if wait:
            return _refused(429, "Exceeded 2 calls per second", {"Retry-After": "2.0"})
        self.calls.append(call.path)
        if not self._may_read:
            return _refused(403, "This action requires merchant approval for the payouts scope.")
        return self._suffered(self.faults.draw("read"), lambda: self._applied(call))

    def _suffered(self, fault: Fault | None, apply: Callable[[], Answer]) -> Answer:
        """The answer as the fault makes it, in the shop's words."""
        if fault is None:
            return apply()
        wait = {"Retry-After": str(fault.seconds)}
        refusals: dict[FaultKind, Callable[[], Answer]] = {
            "refuse": lambda: _refused(400, fault.words),
            "error": lambda: _refused(500, "Internal Server Error"),
            "throttle": lambda: _refused(429, "Exceeded 2 calls per second", wait),
            "busy": lambda: _refused(503, "Service Unavailable", wait),
        }
        return suffered(fault, refusals, apply, self._stopping)

    def _applied(self, call: Call) -> Answer:
        _, _, what = call.path.partition("/shopify_payments/")
        if call.method != "GET" or what not in _FILTERS:
            return _refused(404, "Not Found")
        limit = call.query.get("limit", ["50"])[0]
        if not limit.isdecimal() or not 1 <= int(limit) <= 250:
            return _refused(400, "limit must be from 1 to 250")
        with self._writing:
            page = call.query.get("page_info", [""])[0]
            if page and (set(call.query) - {"limit", "page_info"} or page not in self._pages):
                return _refused(400, "page_info: Invalid value.")
            rows = self._pages[page][1] if page else self._filtered(what, call.query)
            return self._page(call, what, rows, int(limit))

    def _page(self, call: Call, what: str, rows: list[dict[str, Any]], limit: int) -> Answer:
        headers = {}
        if len(rows) > limit:
            token = f"page{len(self._pages)}"
            self._pages[token] = (what, rows[limit:])
            query = urlencode({"limit": limit, "page_info": token})
            headers["Link"] = f'<https://shop.example{call.path}?{query}>; rel="next"'
        name = "payouts" if what == _PAYOUTS else "transactions"
        return json_answer(200, {name: rows[:limit]}, headers)

    def _filtered(self, what: str, query: Any) -> list[dict[str, Any]]:
        asked = {name: query[name][0] for name in _FILTERS[what] if name in query}
        if what == _PAYOUTS:
            return [
                row
                for row in sorted(self.payouts, key=lambda one: one["date"], reverse=True)
                if asked.get("date_min", "") <= row["date"] <= asked.get("date_max", "9")
                and row["status"] == asked.get("status", row["status"])
            ]
        wanted = asked.get("payout_id")
        return [row for row in self.lines if wanted is None or str(row["payout_id"]) == wanted]


def _refused(status: int, words: str, headers: dict[str, str] | None = None) -> Answer:
    return json_answer(status, {"errors": words}, headers)
