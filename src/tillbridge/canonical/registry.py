"""The catalogue of canonical types: name and version of each, decoding with upcasters, schemas.

A class changes its shape only by raising its version here and adding an upcaster that lifts the
older JSON document (a plain dict) to the next version, so that old records stay readable forever.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from tillbridge.canonical import (
    cards,
    catalogue,
    costs,
    documents,
    intake,
    items,
    markers,
    orders,
    partners,
    payments,
    receivables,
    returns,
    sales,
    settlement,
    shipments,
    stock,
    supply,
    taxes,
    valued,
)
from tillbridge.canonical.fact import Command, Fact

Body = Fact | Command
Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

_CLASSES: tuple[type[Body], ...] = (
    intake.Received,
    intake.RereadObject,
    orders.OrderPlaced,
    orders.OrderChanged,
    orders.OrderCancelled,
    orders.OrderReplaced,
    orders.DepositHandedOver,
    payments.PaymentAuthorized,
    payments.PaymentVoided,
    payments.PaymentFailed,
    payments.PaymentCaptured,
    payments.PaymentRefunded,
    shipments.GoodsAllocated,
    shipments.GoodsPicked,
    shipments.GoodsPacked,
    shipments.PickupReady,
    payments.RefundFailed,
    payments.AuthorizationLapsing,
    payments.PaymentDisputed,
    payments.DisputeResolved,
    cards.GiftCardIssued,
    cards.GiftCardRedeemed,
    cards.GiftCardAdjusted,
    cards.GiftCardExpired,
    cards.BreakageRecognised,
    cards.StoreCreditIssued,
    cards.StoreCreditRedeemed,
    cards.StoreCreditAdjusted,
    cards.StoreCreditExpired,
    shipments.GoodsShipped,
    shipments.GoodsCollected,
    shipments.GoodsDelivered,
    shipments.PickupExpired,
    shipments.LineSubstituted,
    returns.RefundIssued,
    returns.RefundApproved,
    returns.ReturnAuthorized,
    returns.ReturnCancelled,
    returns.GoodsReturned,
    returns.ReturnInspected,
    sales.SaleRung,
    sales.SaleVoided,
    sales.TillNoted,
    sales.CashMoved,
    sales.TillClosed,
    stock.StockCounted,
    stock.ReserveStock,
    stock.MoveStock,
    stock.StockReserved,
    stock.StockShort,
    stock.StockAdjusted,
    stock.ConditionChanged,
    stock.StockReceived,
    stock.TransferDispatched,
    stock.TransferReceived,
    stock.SupplyExpected,
    supply.TransferOrdered,
    supply.TransferCancelled,
    supply.ReplenishmentProposed,
    supply.ProposalDecided,
    supply.PurchaseOrdered,
    supply.PurchaseClosed,
    stock.PickFailed,
    stock.SourcingAsked,
    stock.StockHeld,
    stock.HoldConfirmed,
    stock.HoldReleased,
    stock.HoldMoved,
    items.ItemDescribed,
    catalogue.ProductChanged,
    catalogue.LocationChanged,
    valued.DepositReceived,
    valued.SaleRecognised,
    valued.SaleReversed,
    valued.RefundPaid,
    valued.DisputeMoved,
    valued.TransferPriced,
    valued.OpenItemWrittenOff,
    valued.ReturnsExpected,
    valued.TillCounted,
    valued.ReturnRecharged,
    valued.EntryPosted,
    documents.SubmitDocument,
    documents.DocumentAccepted,
    documents.DocumentRefused,
    taxes.TaxAsked,
    taxes.TaxCalculated,
    taxes.TaxRefused,
    settlement.PayoutReported,
    settlement.PayoutFailed,
    settlement.BankStatementReported,
    settlement.ResidualAccepted,
    settlement.SettlementMatched,
    costs.ItemCosted,
    costs.CostMoved,
    receivables.InvoiceIssued,
    receivables.CreditNoteIssued,
    receivables.ReceivableSettled,
    receivables.BankPaymentMatched,
    partners.SaleShared,
    *markers.MARKERS,
)
# name -> (class, current version)
TYPES: dict[str, tuple[type[Body], int]] = {cls.__name__: (cls, 1) for cls in _CLASSES}
# (name, version) -> lifts a document of that version to the next one
UPCASTERS: dict[tuple[str, int], Upcaster] = {}

_ENCODER = msgspec.json.Encoder()
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    name: msgspec.json.Decoder(cls) for name, (cls, _) in TYPES.items()
}


class UnknownType(ValueError):
    """A record names a type or version this release does not know (a newer hub wrote it)."""


def name_of(body: Body) -> str:
    """Type name under which a body is stored."""
    return type(body).__name__


def version_of(name: str) -> int:
    """Current version of a type."""
    return TYPES[name][1]


def encode(body: Body) -> bytes:
    """Canonical JSON bytes of a body; equal bodies give equal bytes."""
    return _ENCODER.encode(body)


def decode(name: str, version: int, body: bytes) -> Body:
    """Body from its stored bytes, lifted to the current version; raises UnknownType."""
    if name not in TYPES:
        raise UnknownType(f"record type {name!r} is unknown to this release")
    current = TYPES[name][1]
    if version == current:
        found: Body = _DECODERS[name].decode(body)
        return found
    if version > current:
        raise UnknownType(f"{name} version {version} is newer than this release ({current})")
    document: dict[str, Any] = msgspec.json.decode(body)
    for step in range(version, current):
        if (name, step) not in UPCASTERS:
            raise UnknownType(f"{name} version {step} has no upcaster")
        document = UPCASTERS[(name, step)](document)
    lifted: Body = msgspec.convert(document, TYPES[name][0])
    return lifted


def schemas() -> dict[str, Any]:
    """JSON Schema 2020-12 of every canonical type: {"$defs": {...}, "types": {name: version}}."""
    classes = [cls for cls, _ in TYPES.values()]
    _, components = msgspec.json.schema_components(classes, ref_template="#/$defs/{name}")
    found = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "types": {name: version for name, (_, version) in sorted(TYPES.items())},
        "$defs": components,
    }
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(found))  # defaults as lists
    return plain
