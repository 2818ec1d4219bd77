"""Calls to Stripe's API: payouts and the balance transactions in them.

Only reading calls, so that whatever went wrong may be asked again. Lists come newest first, at most
100 to a page, and go on after the last id (docs.stripe.com/api/pagination). 429 is told without a
Retry-After (docs.stripe.com/rate-limits).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlencode

import msgspec

from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.connectors.stripe.config import SECRET_NAME, StripeConfig
from tillbridge.connectors.stripe.wire import Answer, Failed, Failure, Payout, Source, Transaction
from tillbridge.contract import wire
from tillbridge.contract.payout_runs import Head, Heads
from tillbridge.contract.transport import Request, Response, Transport

LINES_PAGE = 100
PAGES_MOST = 5_000
PATIENCE_SECONDS = 2.0
"""Waited after a 429, which says nothing of how long."""
_WORDS = {
    401: "Stripe does not accept the key",
    403: "the key may not read this; give it read access to balance transactions and payouts",
}
_WORDS_MOST = 300


class StripeApi:
    """One account's API for one call of ours; keeps the key out of everything it says."""

    def __init__(self, settings: StripeConfig, key: str, transport: Transport) -> None:
        if not key:
            raise Refused(f"there is no secret `{SECRET_NAME}`", code="not_configured")
        self._settings = settings
        self._key = key
        self._transport = transport

    def heads(self, since: datetime | None, page: str) -> Heads:
        """A page of payouts. page: the last one of the page before."""
        answer, clock = self._payouts(since, page, self._settings.page_size)
        heads = [self._head(bytes(raw)) for raw in answer.data]
        following = heads[-1].payout if heads and answer.has_more else ""
        return Heads(heads, following, clock)

    def file(self, head: Head, *, lines: bool) -> bytes:
        """The payout's object, and the pages of its balance transactions one after the other."""
        return b"\n".join((head.raw, *(self._lines(head.payout) if lines else ())))

    def newest(self) -> Payout | None:
        """The last payout, None when there was none; whether transactions may be read too."""
        answer, _ = self._payouts(None, "", 1)
        self._get("/v1/balance_transactions", {"limit": "1"})
        return wire.parse(Payout, bytes(answer.data[0])) if answer.data else None

    def _payouts(self, since: datetime | None, after: str, limit: int) -> tuple[Answer, str]:
        query = {"limit": str(limit)}
        if since is not None:
            query["created[gte]"] = str(int(since.timestamp()))
        if after:
            query["starting_after"] = after
        response = self._get("/v1/payouts", query)
        return wire.parse(Answer, response.body), response.headers.get("date", "")

    def _head(self, raw: bytes) -> Head:
        payout = wire.parse(Payout, raw)
        if not payout.livemode and not self._settings.take_tests:
            raise Refused(
                "the key is of the test mode; set the live one, or take_tests", code="test_mode"
            )
        status = payout.reconciliation_status
        return Head(
            payout=payout.id,
            created=datetime.fromtimestamp(payout.created, UTC),
            raw=raw,
            listed=payout.automatic and status in (None, "completed"),
            awaited=payout.automatic and status not in (None, "completed"),
            under_way=payout.status in ("pending", "in_transit"),
        )

    def _lines(self, payout: str) -> Iterator[bytes]:
        """Pages of a payout's transactions, their sources cut to what they are about."""
        query = {"payout": payout, "limit": str(LINES_PAGE), "expand[]": "data.source"}
        for _ in range(PAGES_MOST):
            answer = wire.parse(Answer, self._get("/v1/balance_transactions", query).body)
            told = [wire.parse(Transaction, bytes(raw)) for raw in answer.data]
            kept = [
                _without_details(bytes(raw), one)
                for raw, one in zip(answer.data, told, strict=True)
            ]
            yield msgspec.json.encode(
                {"object": "list", "url": "/v1/balance_transactions", "data": kept}
            )
            if not answer.has_more or not told:
                return
            query["starting_after"] = told[-1].id
        raise Refused(f"the transactions of {payout[:60]} have no end", code="endless")

    def _get(self, path: str, query: dict[str, str]) -> Response:
        settings = self._settings
        headers = {
            "authorization": f"Bearer {self._key}",
            "stripe-version": settings.api_version,
            "accept": "application/json",
        }
        if settings.connected_account:
            headers["stripe-account"] = settings.connected_account
        response = self._transport.send(
            Request(
                method="GET",
                url=f"{settings.url.rstrip('/')}{path}?{urlencode(query)}",
                headers=headers,
                timeout_seconds=settings.timeout_seconds,
            )
        )
        self._judge(response)
        return response

    def _judge(self, response: Response) -> None:
        status = response.status
        if status == 429:
            wait = response.retry_after or PATIENCE_SECONDS
            raise RetryLater("Stripe asks for patience (429)", after_seconds=wait)
        if status >= 500 or status in (408, 409):
            words = f"Stripe cannot answer now ({status})"
            raise RetryLater(words, after_seconds=response.retry_after)
        if status != 200:
            failure = _failure(response.body)
            words = _WORDS.get(status) or self._safe(failure.message) or "Stripe refuses the call"
            raise Refused(f"{words} ({status})", code=failure.code or f"http_{status}")

    def _safe(self, words: str) -> str:
        """Stripe's words, one printable line without the key."""
        shown = "".join(letter if letter.isprintable() else " " for letter in words)
        return shown.replace(self._key, "***")[:_WORDS_MOST]


def _without_details(raw: bytes, told: Transaction) -> msgspec.Raw:
    """A transaction as it came, of its source only what says which payment it is about."""
    if not isinstance(told.source, Source):
        return msgspec.Raw(raw)
    fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    fields["source"] = msgspec.Raw(msgspec.json.encode(told.source))
    return msgspec.Raw(msgspec.json.encode(fields))


def _failure(body: bytes) -> Failure:
    try:
        return msgspec.json.decode(body, type=Failed).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Failure()
