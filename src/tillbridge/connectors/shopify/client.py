"""Calls to the GraphQL Admin API: throttling, refusals, versions and pages.

Three layers say no: the status code, the top-level `errors` of a 200 (a throttled call looks like
that) and the `userErrors` of a mutation. A dead API version is answered by a younger one without a
word; the version header of the answer is therefore compared.
"""

from __future__ import annotations

from typing import Any

import msgspec

from tillbridge.atoms.errors import Refused, RetryLater
from tillbridge.connectors.shopify import queries
from tillbridge.connectors.shopify.config import ShopifyConfig
from tillbridge.contract import wire
from tillbridge.contract.transport import Request, Response, Transport

# Asked for when a throttled answer does not say how long, seconds.
PATIENCE = 2.0
PAGES_MAX = 1000
STATUS_WORDS = {
    401: "the access token is not accepted",
    402: "the shop is frozen until its bill is paid",
    403: "the access token may not do this (scopes)",
    404: "no shop, or no such API version, at this address",
    423: "the shop is locked",
}


class _Error(msgspec.Struct):
    message: str = ""
    extensions: dict[str, Any] = {}


class _Answer(msgspec.Struct):
    data: dict[str, Any] | None = None
    errors: list[_Error] = []
    extensions: dict[str, Any] = {}


class _PageInfo(msgspec.Struct, rename="camel"):
    has_next_page: bool
    end_cursor: str | None = None


class _Connection(msgspec.Struct, rename="camel"):
    nodes: list[dict[str, Any]]
    page_info: _PageInfo


class AdminApi:
    """One shop's API for one call of ours."""

    def __init__(self, settings: ShopifyConfig, token: str, transport: Transport) -> None:
        if not settings.url:
            raise Refused("the connection names no shop (setting `shop`)", code="not_configured")
        if not token:
            raise Refused("there is no secret `access_token`", code="not_configured")
        self._settings = settings
        self._token = token
        self._transport = transport
        # The far side's clock at its last answer, as HTTP tells it ("" = it did not).
        self.date = ""

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """`data` of the answer. Raises RetryLater, also for a body that is no JSON object (a proxy
        in between has answered; nothing was changed, so asking again is safe), Refused, or
        NeedsDecision for JSON that is no answer of this API.
        """
        data = self.ask_openly(query, **variables)
        self._judge_mutations(data)
        return data

    def ask_openly(self, query: str, **variables: Any) -> dict[str, Any]:
        """As `ask`, but what a mutation says in `userErrors` is left to the caller."""
        request = Request(
            method="POST",
            url=self._settings.url,
            headers={
                "content-type": "application/json",
                "accept": "application/json",
                "x-shopify-access-token": self._token,
            },
            body=msgspec.json.encode({"query": query, "variables": variables}),
            timeout_seconds=self._settings.timeout_seconds,
        )
        response = self._transport.send(request)
        self.date = response.headers.get("date", "")
        self._judge_status(response)
        if not response.body.lstrip().startswith(b"{"):
            raise RetryLater("what came is no answer of the shop's API")
        answer = wire.parse(_Answer, response.body)
        if answer.errors:
            raise self._refusal(answer)
        self._judge_version(response)
        if not answer.data:
            raise wire.WireError("the shop's answer holds no data")
        return answer.data

    def shop(self) -> dict[str, Any]:
        """Name, currency and tax setting of the shop."""
        return _object(self.ask(queries.SHOP), "shop")

    def orders(self, size: int, after: str, condition: str) -> tuple[list[dict[str, Any]], str]:
        """One page of (id, updatedAt) by update, and the next page's cursor ("" = no more)."""
        data = self.ask(queries.ORDERS, size=size, after=after or None, filter=condition or None)
        page = wire.convert(_Connection, data.get("orders"), where="orders")
        return page.nodes, _next(page)

    def amounts(self, size: int, after: str, condition: str) -> tuple[list[dict[str, Any]], str]:
        """One page of (id, updatedAt, total, refunded) by update, and the next page's cursor."""
        data = self.ask(queries.AMOUNTS, size=size, after=after or None, filter=condition)
        page = wire.convert(_Connection, data.get("orders"), where="orders")
        return page.nodes, _next(page)

    def count(self, condition: str) -> int | None:
        """How many orders there are; None when the shop only knows that there are more."""
        found = _object(self.ask(queries.COUNT, filter=condition), "ordersCount")
        if found.get("precision") != "EXACT":
            return None
        return wire.convert(int, found.get("count"), where="ordersCount")

    def subscribed(self, address: str) -> set[str]:
        """Topics with a subscription to an address, as the API names them."""
        found: set[str] = set()
        after = ""
        for _ in range(PAGES_MAX):
            data = self.ask(queries.SUBSCRIPTIONS, after=after or None)
            page = wire.convert(
                _Connection, data.get("webhookSubscriptions"), where="webhookSubscriptions"
            )
            found |= {str(node.get("topic")) for node in page.nodes if node.get("uri") == address}
            after = _next(page)
            if not after:
                break
        return found

    def subscribe(self, topic: str, address: str) -> None:
        """Make a subscription (topic as the API names it)."""
        self.ask(queries.SUBSCRIBE, topic=topic, wanted={"uri": address, "format": "JSON"})

    def stocked(self, place: str, after: str) -> tuple[list[dict[str, Any]], str] | None:
        """One page of levels (item, quantities) at a location, and the next page's cursor; None
        when the shop knows no such location.
        """
        found = self.ask(queries.STOCKED, id=place, after=after or None).get("location")
        if found is None:
            return None
        place_found = _object({"location": found}, "location")
        levels = wire.convert(_Connection, place_found.get("inventoryLevels"), where="levels")
        return levels.nodes, _next(levels)

    def order(self, reference: str) -> dict[str, Any]:
        """One order, whole: every nested connection read to its end, as plain lists of nodes."""
        found = self.ask(queries.ORDER, id=reference).get("order")
        if found is None:
            raise Refused(f"the shop knows no order {reference[:60]}", code="not_found")
        order = _object({"order": found}, "order")
        for field in ("lineItems", "shippingLines"):
            order[field] = self._whole("Order", reference, field, order.get(field))
        for field, kind, below in (
            ("fulfillments", "Fulfillment", ("fulfillmentLineItems",)),
            (
                "refunds",
                "Refund",
                ("refundLineItems", "orderAdjustments", "refundShippingLines", "transactions"),
            ),
        ):
            order[field] = [
                {**one, **self._below(kind, one, below)} for one in _limited(order, field)
            ]
        _limited(order, "transactions")
        return order

    def _below(self, kind: str, node: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
        reference = str(node.get("id", ""))
        found = _object(self.ask(queries.below(kind, fields), id=reference), "node")
        return {field: self._whole(kind, reference, field, found.get(field)) for field in fields}

    def _whole(self, kind: str, reference: str, field: str, first: Any) -> dict[str, Any]:
        """A connection with the nodes of all its pages."""
        page = wire.convert(_Connection, first, where=field)
        nodes = list(page.nodes)
        for _ in range(PAGES_MAX):
            after = _next(page)
            if not after:
                return {"nodes": nodes}
            data = self.ask(queries.following(kind, field), id=reference, after=after)
            page = wire.convert(_Connection, _object(data, "node").get(field), where=field)
            nodes += page.nodes
        raise Refused(f"{field} of {reference[:60]} has no end", code="endless")

    def _judge_status(self, response: Response) -> None:
        status = response.status
        if status == 429:
            raise RetryLater(
                "the shop asks for patience (429)", after_seconds=response.retry_after or PATIENCE
            )
        if status >= 500 or status == 408:
            raise RetryLater(
                f"the shop cannot answer now ({status})", after_seconds=response.retry_after
            )
        if status != 200:
            words = STATUS_WORDS.get(status, "the shop refuses the call")
            raise Refused(f"{words} ({status})", code=f"http_{status}")

    def _judge_version(self, response: Response) -> None:
        answered = response.headers.get("x-shopify-api-version", "")
        asked = self._settings.api_version
        if answered and answered != asked:
            raise Refused(
                f"asked for API version {asked}, answered by {answered[:20]}: {asked} is no longer "
                "served; set api_version to a living one",
                code="api_version",
            )

    def _refusal(self, answer: _Answer) -> Exception:
        codes = [str(error.extensions.get("code", "")) for error in answer.errors]
        if "THROTTLED" in codes:
            return RetryLater("the shop throttles (cost)", after_seconds=_patience(answer))
        if "INTERNAL_SERVER_ERROR" in codes or "TIMEOUT" in codes:
            return RetryLater("the shop failed on the call")
        words = "; ".join(error.message for error in answer.errors)[:300]
        return Refused(
            f"the shop refuses the call: {self.safe(words)}", code=(codes[0] or "refused").lower()
        )

    def _judge_mutations(self, data: dict[str, Any]) -> None:
        for name, found in data.items():
            errors = found.get("userErrors") if isinstance(found, dict) else None
            if errors:
                said = msgspec.json.encode(errors).decode()[:300]
                raise Refused(f"{name}: {self.safe(said)}", code="user_error")

    def safe(self, words: str) -> str:
        """The far side's words, one printable line without the token."""
        shown = "".join(letter if letter.isprintable() else " " for letter in words)
        return shown.replace(self._token, "***")


def _patience(answer: _Answer) -> float:
    """Seconds until the bucket holds what the query costs."""
    cost = answer.extensions.get("cost")
    status = cost.get("throttleStatus") if isinstance(cost, dict) else None
    if not isinstance(cost, dict) or not isinstance(status, dict):
        return PATIENCE
    figures = (
        cost.get("requestedQueryCost"),
        status.get("currentlyAvailable"),
        status.get("restoreRate"),
    )
    numbers = [found for found in figures if isinstance(found, int | float)]
    if len(numbers) < len(figures) or numbers[2] <= 0:
        return PATIENCE
    return max((numbers[0] - numbers[1]) / numbers[2], 0.1)


def _next(page: _Connection) -> str:
    return (page.page_info.end_cursor or "") if page.page_info.has_next_page else ""


def _object(data: dict[str, Any], field: str) -> dict[str, Any]:
    found = data.get(field)
    if not isinstance(found, dict):
        raise wire.WireError(f"the shop's answer holds no {field}")
    return found


def _limited(order: dict[str, Any], field: str) -> list[dict[str, Any]]:
    """A list that the API cannot page: as long as the limit, some may be missing."""
    found = wire.convert(list[dict[str, Any]], order.get(field), where=field)
    if len(found) >= queries.LIST_MAX:
        raise Refused(
            f"order {order.get('name')!s:.40} has {len(found)} or more {field}; the API gives no "
            "more than that",
            code="too_many",
        )
    return found
