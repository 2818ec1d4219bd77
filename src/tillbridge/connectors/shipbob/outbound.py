"""Our requests as ShipBob's orders, its answers as receipts. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from tillbridge.canonical.catalogue import PartyDetails
from tillbridge.canonical.documents import (
    CANCELLED,
    TOO_LATE,
    FulfilmentRequestDocument,
    SubmitDocument,
)
from tillbridge.connectors.shipbob import wire
from tillbridge.connectors.shipbob.config import ShipbobSettings
from tillbridge.contract.promises import Directory, Receipt

THOUSAND = 1000
LINE = "line-"
"""Begins the name of a tag that says which line of ours a product of the order is for."""


def order_of(
    command: SubmitDocument,
    body: FulfilmentRequestDocument,
    settings: ShipbobSettings,
    directory: Directory,
    parties: Mapping[str, PartyDetails],
) -> wire.NewOrder:
    """The order for a request; raises ValueError when ShipBob could not send it."""
    if body.collect:
        raise ValueError("ShipBob sends parcels; nobody can collect there")
    products, tags = [], []
    for number, line in enumerate(body.lines, 1):
        if line.quantity % THOUSAND or line.quantity <= 0:
            raise ValueError(f"line {line.line}: ShipBob sends whole pieces only")
        reference = directory.theirs("product", line.product) or line.product
        products.append(
            wire.Wanted(
                reference_id=reference,
                quantity=line.quantity // THOUSAND,
                external_line_id=number,
            )
        )
        tags.append(wire.Tag(f"{LINE}{number}", line.line))
    center = directory.theirs("location", body.location) or ""
    return wire.NewOrder(
        reference_id=command.id,
        order_number=body.number,
        shipping_method=settings.shipping_method,
        recipient=_recipient(parties.get(body.party), body),
        products=products,
        tags=tags,
        location_id=int(center) if center.isascii() and center.isdecimal() else None,
    )


def _recipient(party: PartyDetails | None, body: FulfilmentRequestDocument) -> wire.Recipient:
    """Raises ValueError without what ShipBob must have: name, street, city and country."""
    country = (party.country if party else "") or body.ship_to.country
    if party is None or not (party.name and party.street and party.city and country):
        raise ValueError(f"order {body.number} has no name and address to send it to")
    address = wire.Address(
        address1=party.street,
        address2=party.street2,
        city=party.city,
        country=country,
        company_name=party.company,
        state=party.region or body.ship_to.region,
        zip_code=party.postcode,
    )
    return wire.Recipient(
        name=party.name, address=address, email=party.email, phone_number=party.phone
    )


def taken(command: SubmitDocument, order: wire.Order) -> Receipt:
    """ShipBob has the order."""
    return Receipt(
        operation=command.id, outcome="accepted", remote_id=str(order.id), number=str(order.id)
    )


def called_off(command: SubmitDocument, order: wire.Order, result: wire.Cancelled) -> Receipt:
    """What became of calling it off. A shipment that is picked or packed is not cancelled; then the
    request counts as too late, because some of it will leave. What had left before is told by its
    own shipment, and does not hold up the rest.
    """
    gone = {one.id for one in order.shipments if one.status == wire.COMPLETED}
    results = result.canceled_shipment_results
    kept = [one for one in results if not one.is_success]
    late = [one for one in kept if one.shipment_id not in gone] or (
        kept if len(kept) == len(results) else []
    )
    words = "; ".join(f"shipment {one.shipment_id}: {one.reason or 'too late'}" for one in late)
    return answered(command, order, TOO_LATE if late or not results else CANCELLED, words)


def answered(command: SubmitDocument, order: wire.Order | None, said: str, words: str) -> Receipt:
    """The question was taken, and this is what ShipBob says to it."""
    number = str(order.id) if order is not None else "none"
    return Receipt(
        operation=command.id,
        outcome="accepted",
        remote_id=number,
        number=number,
        answer=said,
        words=words[:300],
    )
