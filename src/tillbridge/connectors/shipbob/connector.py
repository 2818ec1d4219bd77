"""The connector: one short method per promise."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from tillbridge.atoms.errors import NeedsDecision, Refused, RetryLater
from tillbridge.canonical.documents import CANCELLED, SubmitDocument
from tillbridge.connectors.shipbob import inbound, webhooks, wire
from tillbridge.connectors.shipbob.client import DUPLICATE, ShipbobClient
from tillbridge.connectors.shipbob.config import SECRET_NAME, ShipbobSettings
from tillbridge.connectors.shipbob.outbound import answered, called_off, order_of, taken
from tillbridge.contract.names import Names
from tillbridge.contract.promises import (
    Address,
    Assignment,
    Connection,
    Directory,
    Item,
    Message,
    Page,
    Receipt,
    Translation,
)
from tillbridge.contract.transport import Transport
from tillbridge.contract.wire import WireError, instant

OVERLAP = timedelta(minutes=10)


class Cursor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a poll stands: orders updated since, the next page, the newest update seen."""

    since: str = ""
    page: int = 1
    latest: str = ""


class ShipbobConnector:
    """Signs Translates, ReceivesWebhooks, Rereads, Polls, Delivers and ChecksConnection."""

    name = "shipbob"
    config: type[msgspec.Struct] = ShipbobSettings
    streams: tuple[str, ...] = ("orders",)
    batch_max = 10

    def translate(self, message: Message, connection: Connection, names: Names) -> Translation:
        """Facts of an order read whole; see inbound."""
        return inbound.translate(message, connection, names)

    def verify(self, body: bytes, headers: Mapping[str, str], secrets: Sequence[str]) -> bool:
        """Whether a live secret signed it; see webhooks."""
        return webhooks.verify(body, headers, secrets)

    def address(self, path: str, headers: Mapping[str, str], body: bytes) -> Address:
        """Topic and delivery id; see webhooks."""
        del path
        return webhooks.address(headers, body)

    def check(
        self, connection: Connection, secrets: Mapping[str, str], transport: Transport
    ) -> str:
        """Whether ShipBob knows the token and the channel; raises RetryLater, Refused."""
        settings: ShipbobSettings = connection.settings
        try:
            channels = _client(connection, secrets, transport).channels()
        except WireError as problem:
            raise RetryLater(f"what answers there is no ShipBob: {problem}") from None
        for channel in channels:
            if channel.id == settings.channel_id:
                return f"ShipBob answers; orders go to channel {channel.name[:60]}"
        raise Refused(f"ShipBob's token knows no channel {settings.channel_id}", code="channel")

    def reread(
        self,
        topic: str,
        reference: str,
        connection: Connection,
        secrets: Mapping[str, str],
        transport: Transport,
    ) -> Item:
        """An order's present state. reference: its number over there."""
        if topic != inbound.ORDER or not (reference.isascii() and reference.isdecimal()):
            raise Refused(f"there is no reading of {topic[:40]!r} {reference[:40]!r} again")
        try:
            return _item(_client(connection, secrets, transport).get(int(reference)))
        except WireError as problem:
            raise RetryLater(f"ShipBob's answer: {problem}") from None

    def poll(
        self,
        stream: str,
        cursor: str,
        connection: Connection,
        secrets: Mapping[str, str],
        transport: Transport,
    ) -> Page:
        """A page of orders by their update; the next sweep begins ten minutes before the newest."""
        if stream not in self.streams:
            raise Refused(f"there is no stream {stream[:40]!r}; there is: orders")
        settings: ShipbobSettings = connection.settings
        try:
            at = msgspec.json.decode(cursor, type=Cursor) if cursor else Cursor()
        except msgspec.MsgspecError:
            raise Refused("the cursor of stream orders is not one of this connector") from None
        client = _client(connection, secrets, transport)
        bodies = client.updated(at.since, at.page)
        items = tuple(_item(bytes(body)) for body in bodies)
        updates = [wire.read_order(bytes(body)).last_update_date for body in bodies]
        latest = max([at.latest, *filter(None, updates)])
        if len(bodies) == settings.page_size:
            following = Cursor(at.since, at.page + 1, latest)
            return Page(items=items, cursor=_text(following), more=True)
        since = _text_of(instant(latest) - OVERLAP) if latest else at.since
        return Page(items=items, cursor=_text(Cursor(max(since, at.since))))

    def deliver(
        self,
        assignments: Sequence[Assignment],
        connection: Connection,
        secrets: Mapping[str, str],
        directory: Directory,
        transport: Transport,
    ) -> list[Receipt]:
        """One receipt per assignment, in order; ShipBob takes one order per call.

        Raises RetryLater when it is away before anything is known of any of them.
        """
        client = _client(connection, secrets, transport)
        receipts: list[Receipt] = []
        for assignment in assignments:
            try:
                receipts.append(_delivered(client, assignment, connection, directory))
            except RetryLater as later:
                if not receipts:
                    raise
                receipts.append(
                    Receipt(
                        operation=assignment.document.id,
                        outcome="unknown" if later.unknown else "retry",
                        words=later.words,
                        after_seconds=later.after_seconds,
                    )
                )
        return receipts


def _delivered(
    client: ShipbobClient, assignment: Assignment, connection: Connection, directory: Directory
) -> Receipt:
    command = assignment.document
    try:
        if command.fulfilment_cancel is not None:
            return _call_off(client, command, command.fulfilment_cancel.request)
        if command.fulfilment_request is None:
            raise ValueError(f"ShipBob takes no {command.kind}")
        body, parties = command.fulfilment_request, assignment.parties
        words = ""
        try:
            order = order_of(command, body, connection.settings, directory, parties)
        except ValueError as problem:  # a buyer may have been erased since it was made
            order, words = None, str(problem)
        known = client.find(command.id) if assignment.unknown or order is None else None
        if known is not None:
            return taken(command, known)
        if order is None:
            return Receipt(operation=command.id, outcome="refused", words=words)
        return _create(client, command, order)
    except (Refused, NeedsDecision, ValueError) as problem:
        return Receipt(operation=command.id, outcome="refused", words=str(problem))


def _create(client: ShipbobClient, command: SubmitDocument, order: wire.NewOrder) -> Receipt:
    try:
        return taken(command, client.create(order))
    except Refused as refusal:
        known = client.find(command.id) if refusal.code == DUPLICATE else None
        if known is None:
            raise
        return taken(command, known)


def _call_off(client: ShipbobClient, command: SubmitDocument, reference: str) -> Receipt:
    """ShipBob is asked to cancel what it has; what it never got, it will not send."""
    order = client.find(reference)
    if order is None:
        return answered(command, None, CANCELLED, "ShipBob has no such order")
    if order.status == wire.CANCELLED:
        return answered(command, order, CANCELLED, "")
    return called_off(command, order, client.cancel(order.id))


def _item(body: bytes) -> Item:
    """An order as a delivery; its id holds the content, since it is told again as it is."""
    order = wire.read_order(body)
    digest = hashlib.sha256(body).hexdigest()[:32]
    return Item(
        topic=inbound.ORDER,
        delivery=f"order:{order.id}:{digest}",
        body=body,
        key=inbound.key_of_reference(order.reference_id),
        place=f"order {order.id}",
    )


def _text(cursor: Cursor) -> str:
    return msgspec.json.encode(cursor).decode()


def _text_of(at: datetime) -> str:
    return at.replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _client(
    connection: Connection, secrets: Mapping[str, str], transport: Transport
) -> ShipbobClient:
    token = secrets.get(SECRET_NAME, "")
    if not token:
        raise RetryLater(f"connection {connection.name} has no secret called {SECRET_NAME}")
    return ShipbobClient(connection.settings, token, transport)
