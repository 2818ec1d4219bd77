"""Delivering documents to a shop: look first what it knows, then change only what differs."""

from __future__ import annotations

from tillbridge.atoms.errors import NeedsDecision, Refused
from tillbridge.canonical.channel_documents import (
    FulfilmentDocument,
    OrderCancelDocument,
    RefundDocument,
)
from tillbridge.canonical.documents import SubmitDocument
from tillbridge.connectors.shopify.client import AdminApi
from tillbridge.connectors.shopify.config import ShopifyConfig
from tillbridge.connectors.shopify.dealings import Dealings, Goods, Sent
from tillbridge.connectors.shopify.outbound_orders import (
    CANCEL_REASONS,
    PICK_UP,
    already,
    delivered_to_wire,
    fulfilment_to_wire,
    gid,
    key_of,
    lines_to_wire,
    mark_of,
    open_orders,
    payments_from_wire,
    pieces,
    place_of,
    refund_to_wire,
    shares,
    tracking_to_wire,
)
from tillbridge.connectors.shopify.wire import number
from tillbridge.contract.promises import Directory, Receipt


class Delivery:
    """One document. Raises RetryLater when the shop is away; a refusal is a receipt."""

    def __init__(self, api: AdminApi, settings: ShopifyConfig, directory: Directory) -> None:
        self._api = api
        self._settings = settings
        self._directory = directory

    def deliver(self, document: SubmitDocument) -> Receipt:
        """The receipt of one document."""
        try:
            match document.body:
                case FulfilmentDocument() as told:
                    return self._fulfilment(document.id, told)
                case RefundDocument() as refund:
                    return self._refund(document.id, refund)
                case OrderCancelDocument() as cancelled:
                    return self._cancel(document.id, cancelled)
                case _:
                    words = f"the shop takes no {document.kind}"
        except (Refused, NeedsDecision) as refusal:
            words = refusal.words
        return Receipt(operation=document.id, outcome="refused", words=words)

    def _dealings(self, reference: str) -> Dealings:
        return Dealings(self._api, self._settings.api_version, gid("Order", reference))

    # -- goods ----------------------------------------------------------------------------------

    def _fulfilment(self, operation: str, told: FulfilmentDocument) -> Receipt:
        at = self._dealings(told.reference)
        goods = at.goods()
        known = already(told, goods.sent)
        if told.state == "ready":
            self._ready(at, told, goods)
            return _accepted(operation, f"{told.reference}/{operation}", "")
        if told.state == "cancelled":
            if known is not None and known.status != "CANCELLED":
                at.take_back(known.id)
            theirs = number(known.id) if known is not None else told.reference
            return _accepted(operation, f"{theirs}/{_step(operation)}", number_of(known))
        if known is None:
            known = Sent(self._fulfil(at, told, goods), "SUCCESS", "", told.tracking, {})
        if told.tracking and known.tracking != told.tracking:
            notify = self._settings.notify_customers
            at.track(known.id, tracking_to_wire(told), notify=notify)
        if told.state == "delivered" and known.shown != "DELIVERED":
            at.happened(delivered_to_wire(told, known.id))
        theirs, step = number(known.id), _step(operation)
        return _accepted(operation, theirs if step == "1" else f"{theirs}/{step}", theirs)

    def _ready(self, at: Dealings, told: FulfilmentDocument, goods: Goods) -> None:
        """Only what is to be collected, and was not told as ready before, is told the buyer."""
        wanted = pieces(told)
        orders = [
            one.id
            for one in goods.to_send
            if one.method == PICK_UP and one.status == "OPEN" and wanted.keys() & one.lines.keys()
        ]
        if orders:
            at.ready(orders)

    def _fulfil(self, at: Dealings, told: FulfilmentDocument, goods: Goods) -> str:
        """Make the fulfilment, from the place the goods left if the shop can have it so."""
        if goods.cancelled:
            raise Refused(f"order {told.number} is cancelled in the shop, and goods of it left")
        place = place_of(self._directory, told.location)
        orders = open_orders(goods.to_send, place)
        parts = shares(told, orders)
        places = {one.id: one.place for one in orders}
        elsewhere = [one for one in parts if place and places[one] != place]
        if elsewhere and self._moved(at, parts, elsewhere, place):
            orders = open_orders(at.goods().to_send, place)
            parts = shares(told, orders)
            places = {one.id: one.place for one in orders}
        if len({places[one] for one in parts}) > 1:
            raise Refused(
                f"the shop has the goods of {told.fulfilment} at several places; have them sent "
                "from one of them there"
            )
        notify = self._settings.notify_customers
        return at.fulfil(fulfilment_to_wire(told, parts, notify=notify))

    def _moved(
        self, at: Dealings, parts: dict[str, dict[str, int]], elsewhere: list[str], place: str
    ) -> bool:
        """Whether the shop would have the goods sent from where they left."""
        try:
            for order in elsewhere:
                at.move(order, place, lines_to_wire(parts[order]))
        except Refused as refusal:
            if refusal.code != "user_error":
                raise
            return len(elsewhere) > 1  # some may have been moved
        return True

    # -- money ----------------------------------------------------------------------------------

    def _refund(self, operation: str, refund: RefundDocument) -> Receipt:
        at = self._dealings(refund.reference)
        money = at.money()
        mark = mark_of(operation)
        known = next((one for one, note in money.refunds.items() if note.endswith(mark)), "")
        if known:
            rows = at.transactions_of(known)
        else:
            wanted = refund_to_wire(
                refund,
                operation,
                gid("Order", refund.reference),
                money,
                self._directory,
                notify=self._settings.notify_customers,
            )
            known, rows = at.give_back(wanted, key_of(operation))
        return Receipt(
            operation=operation,
            outcome="accepted",
            remote_id=number(known),
            number=number(known),
            payments=payments_from_wire(rows, refund, self._directory),
        )

    def _cancel(self, operation: str, told: OrderCancelDocument) -> Receipt:
        at = self._dealings(told.reference)
        if not at.money().cancelled:
            at.cancel(CANCEL_REASONS.get(told.reason, "OTHER"), mark_of(operation))
        return _accepted(operation, told.reference, told.reference)


def number_of(known: Sent | None) -> str:
    """The shop's number of a fulfilment, "" without one."""
    return "" if known is None else number(known.id)


def _step(operation: str) -> str:
    return operation.rpartition("/")[2]


def _accepted(operation: str, remote_id: str, theirs: str) -> Receipt:
    return Receipt(operation=operation, outcome="accepted", remote_id=remote_id, number=theirs)
