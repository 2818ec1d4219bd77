"""HTTP calls to ShipBob: statuses become results, or an error that says what to do next.

Nothing applied for certain: 429, 503, a token that is not accepted (RetryLater). Applied perhaps:
no answer, any other 5xx, an answer that cannot be read (RetryLater, unknown=True). Other 4xx:
Refused, in ShipBob's words. Limits: 150 calls a minute, then 429 with `x-retry-after`
(developer.shipbob.com/rate-limit).
"""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec

from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.connectors.shipbob.config import ShipbobSettings
from tillbridge.connectors.shipbob.wire import (
    Cancelled,
    Channel,
    NewOrder,
    Order,
    read_cancelled,
    read_channels,
    read_order,
    read_orders,
)
from tillbridge.contract.transport import Request, Response, Transport
from tillbridge.contract.wire import WireError

DUPLICATE = "duplicate"
_NO_TOKEN = (401, 403)
_BUSY = (429, 503)
_WORDS_MAX = 300


class ShipbobClient:
    """One channel of one account; keeps the token out of everything it says."""

    def __init__(self, settings: ShipbobSettings, token: str, transport: Transport) -> None:
        self._settings = settings
        self._base = f"{settings.url.rstrip('/')}/{settings.api_version}"
        self._token = token
        self._transport = transport

    def channels(self) -> list[Channel]:
        """Channels the token may use. Raises RetryLater, Refused."""
        answer = self._send("GET", "/channel")
        self._settled(answer, reading=True)
        return read_channels(answer.body)

    def create(self, order: NewOrder) -> Order:
        """Make an order. Raises Refused (code `duplicate`: its reference is known), RetryLater."""
        answer = self._send("POST", "/order", msgspec.json.encode(order))
        if answer.status == 422:
            raise Refused(_words(answer), code=DUPLICATE)
        self._settled(answer)
        try:
            return read_order(answer.body)
        except WireError as problem:
            raise RetryLater(f"ShipBob's answer to an order: {problem}", unknown=True) from None

    def find(self, reference: str) -> Order | None:
        """The order with a reference of ours; None when ShipBob counts none. Raises RetryLater,
        Refused.
        """
        bodies, count = self._page({"ReferenceIds": reference})
        orders = [read_order(bytes(body)) for body in bodies]
        found = [order for order in orders if order.reference_id == reference]
        if found:
            return found[0]
        if count != 0:
            raise RetryLater("ShipBob's answer to a search holds other orders", unknown=True)
        return None

    def get(self, number: int) -> bytes:
        """An order as its bytes. Raises RetryLater, Refused, WireError."""
        answer = self._send("GET", f"/order/{number}")
        self._settled(answer, reading=True)
        read_order(answer.body)
        return answer.body

    def updated(self, since: str, page: int) -> list[msgspec.Raw]:
        """Orders updated since an instant, the oldest first. Raises RetryLater, Refused."""
        query = {"Page": str(page), "Limit": str(self._settings.page_size), "SortOrder": "Oldest"}
        if since:
            query["LastUpdateStartDate"] = since
        bodies, count = self._page(query)
        if not bodies and page == 1 and count != 0:
            raise RetryLater("ShipBob's empty page does not say that there is nothing")
        return bodies

    def cancel(self, number: int) -> Cancelled:
        """Cancel an order with all its shipments. Raises RetryLater, Refused."""
        answer = self._send("POST", f"/order/{number}:cancel", b"{}")
        self._settled(answer)
        try:
            return read_cancelled(answer.body)
        except WireError as problem:
            raise RetryLater(f"ShipBob's answer to a cancel: {problem}", unknown=True) from None

    def _page(self, query: dict[str, str]) -> tuple[list[msgspec.Raw], int | None]:
        """Orders, and how many there are in all where the answer says it."""
        answer = self._send("GET", f"/order?{urlencode(query)}")
        self._settled(answer, reading=True)
        count = answer.headers.get("total-count", "")
        try:
            return read_orders(answer.body), int(count) if count.isdecimal() else None
        except WireError as problem:
            raise RetryLater(f"ShipBob's answer to a search: {problem}", unknown=True) from None

    def _settled(self, answer: Response, *, reading: bool = False) -> None:
        """Raise when ShipBob is away, busy, does not let us in, or refuses."""
        if answer.status in _NO_TOKEN:
            raise RetryLater(f"ShipBob does not accept the token ({answer.status})")
        if answer.status in _BUSY:
            asks = "asks for patience" if answer.status == 429 else "is busy"
            raise RetryLater(f"ShipBob {asks} ({answer.status})", after_seconds=_wait(answer))
        if answer.status >= 500:
            raise RetryLater(f"ShipBob failed with {answer.status}", unknown=not reading)
        if answer.status >= 400:
            raise Refused(_words(answer), code=str(answer.status))

    def _send(self, method: str, path: str, body: bytes = b"") -> Response:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        if self._settings.channel_id:
            headers["shipbob_channel_id"] = str(self._settings.channel_id)
        if body:
            headers["Content-Type"] = "application/json"
        return self._transport.send(
            Request(
                method=method,
                url=self._base + path,
                headers=headers,
                body=body,
                timeout_seconds=self._settings.timeout_seconds,
            )
        )


def _wait(answer: Response) -> float | None:
    """Seconds ShipBob asks to wait."""
    told = answer.headers.get("x-retry-after", "")
    return float(told) if told.isdecimal() else answer.retry_after


def _words(answer: Response) -> str:
    """What ShipBob says is wrong: field and words, never what was sent with the call."""
    try:
        told = msgspec.json.decode(answer.body, type=dict[str, list[str]])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return f"ShipBob refuses it ({answer.status})"
    said = "; ".join(f"{name}: {' '.join(words)}" for name, words in sorted(told.items()))
    return f"ShipBob refuses it ({answer.status}): {said}"[:_WORDS_MAX]
