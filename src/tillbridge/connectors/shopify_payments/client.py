"""Calls to the payouts of Shopify Payments: REST, as what is read from files is its answer too.

Only reading calls. Lists come newest first and go on by the `Link` header, whose `page_info` goes
with no other parameter but `limit` (shopify.dev, admin-rest, pagination). 40 calls in a bucket that
leaks 2 a second; 429 says how long in `Retry-After` (admin-rest, rate limits).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlencode, urlsplit

from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.connectors.shopify_payments.config import SECRET_NAME, ShopifyPaymentsConfig
from tillbridge.connectors.shopify_payments.wire import Payout, Payouts, Transactions
from tillbridge.contract import wire
from tillbridge.contract.payout_runs import Head, Heads
from tillbridge.contract.transport import Request, Response, Transport

LINES_PAGE = 250
PAGES_MOST = 5_000
PATIENCE_SECONDS = 2.0
_NEXT = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?')
_WORDS = {
    401: "the access token is not accepted",
    402: "the shop is frozen until its bill is paid",
    403: "the access token may not do this; give it the scope read_shopify_payments_payouts",
    404: "no shop, no Shopify Payments in it, or no such API version, at this address",
    423: "the shop is locked",
}


class PayoutsApi:
    """One shop's payouts for one call of ours; keeps the token out of everything it says."""

    def __init__(self, settings: ShopifyPaymentsConfig, token: str, transport: Transport) -> None:
        if not settings.url:
            raise Refused("the connection names no shop (setting `shop`)", code="not_configured")
        if not token:
            raise Refused(f"there is no secret `{SECRET_NAME}`", code="not_configured")
        self._settings = settings
        self._token = token
        self._transport = transport

    def heads(self, since: datetime | None, page: str) -> Heads:
        """A page of payouts, which name their day only. page: the `page_info` the last one gave."""
        query = {"limit": str(self._settings.page_size)}
        if page:
            query["page_info"] = page
        elif since is not None:
            query["date_min"] = since.date().isoformat()
        response = self._get("payouts.json", query)
        rows = wire.parse(Payouts, response.body).payouts
        heads = [_head(bytes(raw)) for raw in rows]
        return Heads(heads, _following(response), response.headers.get("date", ""))

    def file(self, head: Head, *, lines: bool) -> bytes:
        """The payout as a list of one, and the answers with its transactions after it."""
        first = b'{"payouts":[' + head.raw + b"]}"
        return b"\n".join((first, *(self._lines(head.payout) if lines else ())))

    def newest(self) -> Payout | None:
        """The last payout, None when there was none; whether transactions may be read too."""
        rows = wire.parse(Payouts, self._get("payouts.json", {"limit": "1"}).body).payouts
        self._get("balance/transactions.json", {"limit": "1"})
        return wire.parse(Payout, bytes(rows[0])) if rows else None

    def _lines(self, payout: str) -> Iterator[bytes]:
        query = {"payout_id": payout, "limit": str(LINES_PAGE)}
        for _ in range(PAGES_MOST):
            response = self._get("balance/transactions.json", query)
            wire.parse(Transactions, response.body)
            yield response.body
            following = _following(response)
            if not following:
                return
            query = {"limit": str(LINES_PAGE), "page_info": following}
        raise Refused(f"the transactions of {payout[:60]} have no end", code="endless")

    def _get(self, path: str, query: dict[str, str]) -> Response:
        response = self._transport.send(
            Request(
                method="GET",
                url=f"{self._settings.url}/{path}?{urlencode(query)}",
                headers={"accept": "application/json", "x-shopify-access-token": self._token},
                timeout_seconds=self._settings.timeout_seconds,
            )
        )
        self._judge(response)
        return response

    def _judge(self, response: Response) -> None:
        status = response.status
        if status == 429:
            wait = response.retry_after or PATIENCE_SECONDS
            raise RetryLater("the shop asks for patience (429)", after_seconds=wait)
        if status >= 500 or status == 408:
            words = f"the shop cannot answer now ({status})"
            raise RetryLater(words, after_seconds=response.retry_after)
        if status != 200:
            words = _WORDS.get(status, "the shop refuses the call")
            raise Refused(f"{words} ({status})", code=f"http_{status}")
        answered = response.headers.get("x-shopify-api-version", "")
        asked = self._settings.api_version
        if answered and answered != asked:
            raise Refused(
                f"asked for API version {asked}, answered by {answered[:20]}: {asked} is no longer"
                " served; set api_version to a living one",
                code="api_version",
            )


def _head(raw: bytes) -> Head:
    payout = wire.parse(Payout, raw)
    return Head(
        payout=str(payout.id),
        created=datetime(payout.date.year, payout.date.month, payout.date.day, tzinfo=UTC),
        raw=raw,
        listed=True,
        final=payout.status != "scheduled",
        under_way=payout.status in ("scheduled", "in_transit"),
    )


def _following(response: Response) -> str:
    """`page_info` of the next page, "" = there is none."""
    found = _NEXT.search(response.headers.get("link", ""))
    if found is None:
        return ""
    return parse_qs(urlsplit(found[1]).query).get("page_info", [""])[0]
