"""The connector: which promises it signs, and how they are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, BinaryIO

import msgspec

from tillbridge.atoms.errors import NeedsDecision, Refused, RetryLater
from tillbridge.atoms.ids import key_of
from tillbridge.connectors.shopify import files, inbound, inbound_listing, inventory, webhooks
from tillbridge.connectors.shopify.client import AdminApi
from tillbridge.connectors.shopify.config import ShopifyConfig
from tillbridge.connectors.shopify.delivery import Delivery
from tillbridge.connectors.shopify.outbound import ITEM, STEP
from tillbridge.connectors.shopify.publishing import Publication
from tillbridge.connectors.shopify.wire import number
from tillbridge.contract.levels import Held, StockPage
from tillbridge.contract.names import Names
from tillbridge.contract.offers import Offer, Shown
from tillbridge.contract.promises import (
    Address,
    Assignment,
    Connection,
    Directory,
    Item,
    Listing,
    Message,
    Page,
    Receipt,
    Translation,
    Window,
)
from tillbridge.contract.transport import Transport
from tillbridge.contract.wire import WireError, instant

# Refusals that are about one order, not about the shop or the token.
UNREADABLE = ("not_found", "too_many", "endless")

LISTED_PAGE = 100


class Cursor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a sweep stands, kept as JSON text.

    since: orders updated from here on ("" = all). after: the vendor's page cursor within the
    sweep. started: the vendor's clock when the sweep began. latest: youngest update seen. read:
    orders of the page (`id@update`) that an earlier call has brought already.
    """

    since: str = ""
    after: str = ""
    started: str = ""
    latest: str = ""
    read: tuple[str, ...] = ()


class ShopifyConnector:
    """Translates, ReceivesWebhooks, ReadsFiles, Polls, Lists, Subscribes,
    Rereads, Delivers, PublishesAvailability, TellsStock, ChecksConnection.
    """

    name = "shopify"
    config: type[msgspec.Struct] = ShopifyConfig
    streams: tuple[str, ...] = ("orders",)
    listed: tuple[str, ...] = ("orders",)
    offers_max = inventory.LINES_MAX
    offer_step = STEP
    stock_basis = "available"
    batch_max = 1

    def translate(self, message: Message, connection: Connection, names: Names) -> Translation:
        """Facts of a payload; see inbound."""
        return inbound.translate(message, connection, names)

    def verify(self, body: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> bool:
        """Whether a live secret signed the body; see webhooks."""
        return webhooks.verify(body, headers, secrets)

    def address(self, path: str, headers: Mapping[str, str], body: bytes) -> Address:
        """Topic, delivery id and key hint (with `{connection}` to be filled in)."""
        return webhooks.address(headers, body)

    def split(
        self, stream: BinaryIO, name: str, connection: Connection, topic: str = ""
    ) -> Iterator[Item]:
        """Deliveries of a saved answer; see files."""
        return files.split(stream, name, connection.name, topic)

    def poll(
        self,
        stream: str,
        cursor: str,
        connection: Connection,
        secrets: Mapping[str, str],
        transport: Transport,
    ) -> Page:
        """A page of a sweep over orders by their update, each order read whole.

        When the vendor asks for patience in the middle, what was read so far is given and the
        cursor remembers it: a page may cost more calls than the vendor's bucket ever holds.
        """
        if stream not in self.streams:
            raise Refused(f"there is no stream {stream[:40]!r}; there is: orders")
        settings = _settings(connection)
        at = _cursor(cursor, settings)
        api = AdminApi(settings, secrets.get("access_token", ""), transport)
        condition = f"updated_at:>='{at.since}'" if at.since else ""
        nodes, after = api.orders(settings.page_size, at.after, condition)
        started = at.started or _clock(api.date)
        items, read = _read_some(api, nodes, connection, at.read)
        if len(read) < len(nodes):
            part = msgspec.structs.replace(at, started=started, read=read)
            return Page(items=items, cursor=_text(part), more=True)
        latest = max([at.latest, *(_updated(node) for node in nodes)])
        if after:
            going = Cursor(since=at.since, after=after, started=started, latest=latest)
            return Page(items=items, cursor=_text(going), more=True)
        return _last_page(items, at, started, latest, settings)

    def list_objects(
        self,
        stream: str,
        window: Window,
        cursor: str,
        connection: Connection,
        secrets: Mapping[str, str],
        transport: Transport,
    ) -> Listing:
        """Orders updated in a window with what was paid and given back; counted by the shop too."""
        if stream not in self.listed:
            raise Refused(f"there is no stream {stream[:40]!r}; there is: orders")
        api = AdminApi(_settings(connection), secrets.get("access_token", ""), transport)
        condition = inbound_listing.condition(window)
        count = None if cursor else api.count(condition)
        nodes, after = api.amounts(LISTED_PAGE, cursor, condition)
        told = [inbound_listing.listed(node, connection.name, inbound.REREAD) for node in nodes]
        return Listing(objects=tuple(told), cursor=after, more=bool(after), count=count)

    def reread(
        self,
        topic: str,
        reference: str,
        connection: Connection,
        secrets: Mapping[str, str],
        transport: Transport,
    ) -> Item:
        """An order's present state, as a delivery of topic `reread/order`. reference: its global
        id or its bare number.
        """
        if topic != inbound.REREAD:
            raise Refused(f"there is no reading again of {topic[:40]!r}; there is: reread/order")
        api = AdminApi(_settings(connection), secrets.get("access_token", ""), transport)
        digits = number(reference)
        if not digits.isascii() or not digits.isdigit():
            raise Refused(f"{reference[:60]!r} is no id of an order")
        return _item(api.order(inbound.gid(digits)), connection)

    def subscribe(
        self, connection: Connection, secrets: Mapping[str, str], transport: Transport
    ) -> tuple[str, ...]:
        """Make the webhook subscriptions that are gone; the vendor deletes them after failures."""
        settings = _settings(connection)
        if not settings.webhook_address:
            return ()
        api = AdminApi(settings, secrets.get("access_token", ""), transport)
        there = api.subscribed(settings.webhook_address)
        gone = tuple(topic for topic in settings.webhook_topics if _in_api(topic) not in there)
        for topic in gone:
            api.subscribe(_in_api(topic), settings.webhook_address)
        return gone

    def publish(
        self,
        offers: Sequence[Offer],
        connection: Connection,
        secrets: Mapping[str, str],
        transport: Transport,
    ) -> list[Shown]:
        """Set what the shop has available, where it still is what we believe; see publishing."""
        settings = _settings(connection)
        api = AdminApi(settings, secrets.get("access_token", ""), transport)
        return Publication(api, settings.api_version, offers).run()

    def stock(
        self,
        place: str,
        cursor: str,
        connection: Connection,
        secrets: Mapping[str, str],
        transport: Transport,
    ) -> StockPage:
        """What the shop has available at one of its locations, 100 items to a page."""
        api = AdminApi(_settings(connection), secrets.get("access_token", ""), transport)
        levels, after = inventory.stocked(api, place, cursor)
        held = tuple(
            Held((f"{ITEM}{item}", *filter(None, (sku,))), pieces * STEP)
            for item, sku, pieces in levels
        )
        return StockPage(held=held, cursor=after, more=bool(after))

    def deliver(
        self,
        assignments: Sequence[Assignment],
        connection: Connection,
        secrets: Mapping[str, str],
        directory: Directory,
        transport: Transport,
    ) -> list[Receipt]:
        """Tell the shop what became of its orders; see delivery."""
        settings = _settings(connection)
        api = AdminApi(settings, secrets.get("access_token", ""), transport)
        delivery = Delivery(api, settings, directory)
        return [delivery.deliver(one.document) for one in assignments]

    def check(
        self, connection: Connection, secrets: Mapping[str, str], transport: Transport
    ) -> str:
        """Whether the shop answers, in which version and currency."""
        settings = _settings(connection)
        shop = AdminApi(settings, secrets.get("access_token", ""), transport).shop()
        currency = str(shop.get("currencyCode"))
        wanted = settings.shop_currency or connection.currency
        if currency != wanted:
            raise Refused(
                f"the shop's currency is {currency[:10]}, the connection says {wanted}; "
                "set shop_currency",
                code="currency_differs",
            )
        return f"shop {shop.get('name')!s:.60} answers in API {settings.api_version}, {currency}"


def _in_api(topic: str) -> str:
    return topic.replace("/", "_").upper()


def _settings(connection: Connection) -> ShopifyConfig:
    found = connection.settings
    return found if isinstance(found, ShopifyConfig) else ShopifyConfig()


def _cursor(text: str, settings: ShopifyConfig) -> Cursor:
    if not text:
        return Cursor(since=_zulu(instant(settings.start_at)) if settings.start_at else "")
    try:
        return msgspec.json.decode(text, type=Cursor)
    except msgspec.MsgspecError:
        raise Refused("the cursor of stream orders is not one of this connector") from None


def _text(cursor: Cursor) -> str:
    return msgspec.json.encode(cursor).decode()


def _last_page(
    items: tuple[Item, ...], at: Cursor, started: str, latest: str, settings: ShopifyConfig
) -> Page:
    """The sweep's end. The search index lags behind by seconds, so the next sweep begins an
    overlap before this one began, and only what is older counts as completely read. Without the
    vendor's clock the youngest update seen is the only thing known.
    """
    overlap = timedelta(seconds=settings.overlap_seconds)
    known = started or latest
    if not known:
        return Page(items=items, cursor=_text(Cursor(since=at.since)))
    through = instant(known) - overlap
    since = through.isoformat().replace("+00:00", "Z")
    return Page(
        items=items,
        cursor=_text(Cursor(since=max(since, at.since))),
        complete_through=through if started else None,
    )


def _clock(header: str) -> str:
    """The Date header of an answer as RFC 3339 in UTC, "" without a readable one."""
    try:
        found = parsedate_to_datetime(header)
    except ValueError:
        return ""
    return _zulu(found) if found.tzinfo is not None else ""


def _zulu(found: datetime) -> str:
    return found.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _reference(node: Mapping[str, Any]) -> str:
    found = node.get("id")
    if not isinstance(found, str) or not found.startswith("gid://"):
        raise WireError("an order of the page has no id")
    return found


def _updated(node: Mapping[str, Any]) -> str:
    found = node.get("updatedAt")
    if not isinstance(found, str):
        raise WireError("an order of the page does not say when it was updated")
    return _zulu(instant(found))


def _read_some(
    api: AdminApi,
    nodes: Sequence[Mapping[str, Any]],
    connection: Connection,
    before: Sequence[str],
) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    """What could be read of a page beyond `before`, and the marks of all that is read by now.

    Raises RetryLater when not a single further order could be read.
    """
    items: list[Item] = []
    read: list[str] = []
    for node in nodes:
        mark = f"{_reference(node)}@{_updated(node)}"
        if mark not in before:
            try:
                items.append(_read(api, node, connection))
            except RetryLater:
                if not items:
                    raise
                return tuple(items), tuple(read)
        read.append(mark)
    return tuple(items), tuple(read)


def _read(api: AdminApi, node: Mapping[str, Any], connection: Connection) -> Item:
    """One order of a page. One that cannot be read is an item with a problem, so that a single
    order never holds up the sweep.
    """
    reference = _reference(node)
    try:
        return _item(api.order(reference), connection)
    except Refused as refusal:
        if refusal.code not in UNREADABLE:
            raise
        words = refusal.words
    except NeedsDecision as case:
        words = case.words
    digits = number(reference)
    updated = _updated(node)
    return Item(
        topic=inbound.REREAD,
        delivery=f"{inbound.REREAD}:{digits}@{updated}:unreadable",
        body=msgspec.json.encode(node),
        key=key_of("order", connection.name, digits),
        place=f"order {digits} at {updated}",
        problem=words,
    )


def _item(order: dict[str, Any], connection: Connection) -> Item:
    """The order as a delivery; its id holds the content, since one version may be told twice."""
    body = msgspec.json.encode({"order": order})
    digits = number(str(order.get("id")))
    if not digits.isascii() or not digits.isdigit():
        raise WireError("the order that was read has no id")
    digest = hashlib.sha256(body).hexdigest()[:32]
    updated = _updated(order)
    return Item(
        topic=inbound.REREAD,
        delivery=f"{inbound.REREAD}:{digits}@{updated}:{digest}",
        body=body,
        key=key_of("order", connection.name, digits),
        place=f"order {digits} at {updated}",
    )
