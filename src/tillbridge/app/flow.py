"""The wiring table: which record goes to which room. The only page that knows the whole pipeline.

A record visits its rooms in the order written. `after` gates a room: it gets the record only when
the room named there took it without parking or halting it (a second telling of a till sale, say,
halts in orchestration and is never booked twice). Rooms without a gate do not wait for each other:
posting may wait for a rule while the goods ship.
"""

from __future__ import annotations

import msgspec

MAPPING = "mapping"
ORCHESTRATION = "orchestration"
MONEY = "posting.money"
STOCK = "posting.stock"
PUBLISHING = "publishing"

# order in which rooms work within a wave; also the lock order of their state tables
ROOMS = (MAPPING, ORCHESTRATION, PUBLISHING, MONEY, STOCK)


class Route(msgspec.Struct, frozen=True):
    """One stop of a record: the room, and the room that has to let it through first."""

    room: str
    after: str = ""


_TRANSLATE = (Route(MAPPING),)
_DECIDE = (Route(ORCHESTRATION),)
_BOOK_MONEY = (Route(MONEY),)
_BOOK_STOCK = (Route(STOCK),)
_DELIVER = (Route(PUBLISHING),)
_TILL_SALE = (Route(ORCHESTRATION), Route(MONEY, ORCHESTRATION), Route(STOCK, ORCHESTRATION))
_TILL_CASH = (Route(ORCHESTRATION), Route(MONEY, ORCHESTRATION))
_DECIDE_AND_BOOK = (Route(ORCHESTRATION), Route(STOCK))
_DECIDE_AND_BOOK_MONEY = (Route(ORCHESTRATION), Route(MONEY))
_KEPT: tuple[Route, ...] = ()

FLOW: dict[str, tuple[Route, ...]] = {
    # receive -> translate
    "Received": _TRANSLATE,
    # told by channels, stores and warehouses -> decide
    "OrderPlaced": _DECIDE,
    "OrderChanged": _DECIDE,
    "OrderCancelled": _DECIDE,
    "OrderReplaced": _DECIDE,
    "DepositHandedOver": _DECIDE,
    "PaymentAuthorized": _DECIDE,
    "PaymentVoided": _DECIDE,
    "PaymentFailed": _DECIDE,
    "PaymentCaptured": _DECIDE,
    "PaymentRefunded": _DECIDE,
    "GoodsAllocated": _DECIDE,
    "GoodsPicked": _DECIDE,
    "GoodsPacked": _DECIDE,
    "PickupReady": _DECIDE,
    "RefundFailed": _DECIDE,
    "AuthorizationLapsing": _DECIDE,
    "PaymentDisputed": _DECIDE,
    "DisputeResolved": _DECIDE,
    # told by who keeps the ledger of cards: what an order took is decided, the rest is booked
    "GiftCardRedeemed": _DECIDE,
    "StoreCreditRedeemed": _DECIDE,
    "GiftCardIssued": _BOOK_MONEY,
    "GiftCardAdjusted": _BOOK_MONEY,
    "GiftCardExpired": _BOOK_MONEY,
    "BreakageRecognised": _BOOK_MONEY,
    "StoreCreditIssued": _BOOK_MONEY,
    "StoreCreditAdjusted": _BOOK_MONEY,
    "StoreCreditExpired": _BOOK_MONEY,
    "GoodsShipped": _DECIDE,
    "GoodsCollected": _DECIDE,
    "GoodsDelivered": _DECIDE,
    "PickupExpired": _DECIDE,
    "LineSubstituted": _DECIDE,
    "RefundIssued": _DECIDE,
    "RefundApproved": _DECIDE,
    "ReturnAuthorized": _DECIDE,
    "ReturnCancelled": _DECIDE,
    "GoodsReturned": _DECIDE,
    "ReturnInspected": _DECIDE,
    # told by tills -> guard, then book
    "SaleRung": _TILL_SALE,
    "SaleVoided": _TILL_SALE,
    "CashMoved": _TILL_CASH,
    "TillCounted": _TILL_CASH,
    "TillClosed": _DECIDE,
    "TillNoted": _DECIDE,
    # stock
    "StockCounted": _BOOK_STOCK,
    "ReserveStock": _BOOK_STOCK,
    "MoveStock": _BOOK_STOCK,
    "StockAdjusted": _DECIDE_AND_BOOK,
    "ConditionChanged": _BOOK_STOCK,
    "StockReceived": _BOOK_STOCK,
    "TransferOrdered": _DECIDE,
    "TransferCancelled": _DECIDE,
    "ReplenishmentProposed": _DECIDE,
    "ProposalDecided": _DECIDE,
    "TransferDispatched": _DECIDE_AND_BOOK,
    "TransferReceived": _DECIDE_AND_BOOK,
    "SupplyExpected": _BOOK_STOCK,
    "PurchaseOrdered": _BOOK_STOCK,
    "PurchaseClosed": _BOOK_STOCK,
    "ItemDescribed": _BOOK_STOCK,
    "StockHeld": _BOOK_STOCK,
    "HoldConfirmed": _BOOK_STOCK,
    "HoldReleased": _BOOK_STOCK,
    "HoldMoved": _BOOK_STOCK,
    "StockReserved": _DECIDE,
    "StockShort": _DECIDE,
    "PickFailed": _DECIDE,
    "SourcingAsked": _DECIDE,
    # tax: asked for by an order, answered to it
    "TaxAsked": _DECIDE,
    "TaxCalculated": _DECIDE,
    "TaxRefused": _DECIDE,
    # valued -> money book
    "DepositReceived": _BOOK_MONEY,
    "SaleRecognised": _BOOK_MONEY,
    "SaleReversed": _BOOK_MONEY,
    "RefundPaid": _BOOK_MONEY,
    "DisputeMoved": _BOOK_MONEY,
    "TransferPriced": _BOOK_MONEY,
    "ReturnRecharged": _BOOK_MONEY,
    # goods on account: owed until paid or credited
    "InvoiceIssued": _BOOK_MONEY,
    "CreditNoteIssued": _KEPT,
    "ReceivableSettled": _BOOK_MONEY,
    "BankPaymentMatched": _DECIDE_AND_BOOK_MONEY,
    "OpenItemWrittenOff": _BOOK_MONEY,
    "SaleShared": _BOOK_MONEY,
    "ReturnsExpected": _BOOK_MONEY,
    # told by settlement files and worked out of them; what a payout came to is booked
    "PayoutReported": _KEPT,
    "PayoutFailed": _KEPT,
    "BankStatementReported": _KEPT,
    "ResidualAccepted": _KEPT,
    "SettlementMatched": _BOOK_MONEY,
    # told by cost lists, and worked out of them and the stock book
    "ItemCosted": _KEPT,
    "CostMoved": _BOOK_MONEY,
    # deliver
    "EntryPosted": _DELIVER,
    "SubmitDocument": _DELIVER,
    "RereadObject": _DELIVER,
    # answers
    "DocumentAccepted": _DECIDE,
    "DocumentRefused": _DECIDE,
    # kept in the log for rooms to come
    "ProductChanged": _KEPT,
    "LocationChanged": _KEPT,
    # markers: where in the log an effect happened, for `db replay-log`
    "RecordsTaken": _KEPT,
    "RecordParked": _KEPT,
    "ParkedReplayed": _KEPT,
    "ParkedGivenUp": _KEPT,
    "NamesChanged": _KEPT,
    "PeriodChanged": _KEPT,
    "PeriodAdmitted": _KEPT,
    "AvailabilityRulesChanged": _KEPT,
    "JournalSummed": _KEPT,
    "DocumentRetried": _KEPT,
    "DocumentGivenUp": _KEPT,
}
