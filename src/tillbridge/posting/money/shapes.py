"""What a posting rule may say about each fact: collections, measures, closed lists, fields.

A collection is a list inside the fact; each measure lives in exactly one. A closed list is an
enumeration of the canonical model: the proof of a rule goes through all its values, and a value
outside of it is a case at run time, because nothing was proven for it.

derived: measures made of others by whole coefficients (net = list - discount). They expand to the
stored measures before the proof, so nothing is computed twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from tillbridge.canonical.cards import BREAKAGE_KINDS, ISSUE_REASONS
from tillbridge.canonical.costs import GOODS_KINDS
from tillbridge.canonical.orders import COLLECTORS, LINE_KINDS
from tillbridge.canonical.partners import KEPT_TENDERS, SHARED_KINDS
from tillbridge.canonical.payments import TENDER_KINDS
from tillbridge.canonical.sales import (
    CASH_KINDS,
    DIRECTIONS,
    ISSUERS,
    SaleRung,
    ordered,
)
from tillbridge.canonical.settlement import SETTLED_KINDS
from tillbridge.canonical.valued import DISPUTE_STEPS, WRITTEN_OFF_KINDS

ROLES = ("selling", "fulfilling", "tender", "liability")
# template fields for the legal entities; `{tender}` is the tender code, hence the longer name
ROLE_FIELDS = {
    "selling": "selling",
    "fulfilling": "fulfilling",
    "tender_entity": "tender",
    "liability": "liability",
}
# closed choice of every fact: does the selling entity also hold the money?
PAID_TO = ("own", "other")


class Collection(msgspec.Struct, frozen=True):
    """A list inside a fact.

    items: gives its members. measures: measure -> attribute (minor units, signed). lists: closed
    list -> (attribute, values). fields: attributes a template may name.
    """

    name: str
    items: Callable[[Any], Iterable[Any]]
    measures: Mapping[str, str]
    lists: Mapping[str, tuple[str, ...]]
    fields: frozenset[str]


class Shape(msgspec.Struct, frozen=True):
    """What rules may say about one fact.

    flow: `web`, `stores` or `policy`, for the general ledger. header: attributes of the fact
    itself, for templates and for the rule's own `where`. derived: measure -> {stored measure:
    coefficient}.
    """

    fact: str
    flow: str
    collections: tuple[Collection, ...]
    derived: Mapping[str, Mapping[str, int]]
    header: frozenset[str]

    def leaves_of(self, measure: str) -> Mapping[str, int] | None:
        """Stored measures a measure expands to, with coefficients; None when there is no such."""
        if measure in self.derived:
            return self.derived[measure]
        if any(measure in collection.measures for collection in self.collections):
            return {measure: 1}
        return None

    def collection_of(self, measure: str) -> Collection:
        """The collection a stored measure lives in; raises KeyError when there is none."""
        for collection in self.collections:
            if measure in collection.measures:
                return collection
        raise KeyError(measure)

    @property
    def measures(self) -> list[str]:
        """All measures a leg may name, sorted."""
        stored = {measure for collection in self.collections for measure in collection.measures}
        return sorted(stored | set(self.derived))


def _sale_taxes(fact: SaleRung) -> Iterable[Any]:
    """Taxes of a till sale: those inside the lines handed over, then those of the receipt."""
    taxes = [tax for line in fact.lines if not line.fulfil for tax in line.taxes]
    return [*taxes, *fact.taxes]


def _handed_over(fact: SaleRung) -> Iterable[Any]:
    """Lines that left with the buyer: they are earned at once."""
    return [line for line in fact.lines if not line.fulfil]


class _Deposit(msgspec.Struct, frozen=True):
    """What a receipt took for an order of goods it did not hand over, with tax; negative when it
    gave some back.
    """

    order: str
    deposit: int


def _deposits(fact: SaleRung) -> Iterable[Any]:
    return [
        _Deposit(order, sum(line.gross for line in lines)) for order, lines in ordered(fact).items()
    ]


def _lines(fact: Any) -> Iterable[Any]:
    return fact.lines  # type: ignore[no-any-return]


def _taxes(fact: Any) -> Iterable[Any]:
    return fact.taxes  # type: ignore[no-any-return]


def _tenders(fact: Any) -> Iterable[Any]:
    return fact.tenders  # type: ignore[no-any-return]


def _rows(fact: Any) -> Iterable[Any]:
    return fact.rows  # type: ignore[no-any-return]


def _claims(fact: Any) -> Iterable[Any]:
    return fact.claims  # type: ignore[no-any-return]


def _goods(fact: Any) -> Iterable[Any]:
    return fact.goods  # type: ignore[no-any-return]


def _itself(fact: Any) -> Iterable[Any]:
    return (fact,)


_LINE_FIELDS = frozenset({"kind", "department", "promotion", "card", "line", "direction"})
_LINES = Collection(
    "lines",
    _lines,
    {"list": "list", "discount": "discount"},
    {"kind": LINE_KINDS, "direction": DIRECTIONS},
    _LINE_FIELDS,
)
_TAXES = Collection(
    "taxes",
    _taxes,
    {"tax": "tax"},
    {"collector": COLLECTORS},
    frozenset({"jurisdiction", "collector", "code"}),
)
_SALE_TAXES = Collection(
    "taxes",
    _sale_taxes,
    {"tax": "amount"},
    {"collector": COLLECTORS},
    frozenset({"jurisdiction", "collector", "code"}),
)
_SOLD = msgspec.structs.replace(_LINES, items=_handed_over)
_DEPOSITS = Collection("deposits", _deposits, {"deposit": "deposit"}, {}, frozenset({"order"}))
_TENDERS = Collection(
    "tenders",
    _tenders,
    {"amount": "amount"},
    {"kind": TENDER_KINDS, "issuer": ISSUERS},
    frozenset({"tender", "kind", "issuer", "card"}),
)
_CLAIMS = Collection(
    "claims",
    _claims,
    {"amount": "amount"},
    {"kind": DISPUTE_STEPS},
    frozenset({"kind", "tender", "dispute"}),
)
# kinds of rows are names given by whoever values the step: free for templates, not for `where`
ROWS = Collection("rows", _rows, {"amount": "amount"}, {}, frozenset({"kind", "item"}))

_NET = {"list": 1, "discount": -1}
_GROSS = {**_NET, "tax": 1}
_SALE_DERIVED = {
    "net": _NET,
    "gross": _GROSS,
    "tendered": {"amount": 1},
    "rounding": {"amount": 1, "list": -1, "discount": 1, "tax": -1, "deposit": -1},
}
_COMMON = frozenset({"key", "source", "currency", "location"})
VALUED_HEADER = _COMMON | {"order", "channel"}
_CARD_HEADER = frozenset({"key", "source", "currency", "order", "reference"})
_SETTLED_HEADER = frozenset({"key", "source", "currency", "channel", "account", "payout"})
_BANKED_HEADER = frozenset({"key", "source", "currency", "order"})
_TILL_HEADER = _COMMON | {"till", "sequence"}


def shape_of(
    fact: str,
    collections: tuple[Collection, ...],
    derived: Mapping[str, Mapping[str, int]],
    header: frozenset[str] = VALUED_HEADER,
    flow: str = "web",
) -> tuple[str, Shape]:
    """A row of SHAPES."""
    return fact, Shape(fact, flow, collections, derived, header)


_TENDERED = {"tendered": {"amount": 1}}
_CASH = Collection(
    "movement",
    _itself,
    {"amount": "amount"},
    {"kind": CASH_KINDS},
    frozenset({"kind", "tender", "reason"}),
)
_ISSUE = Collection(
    "issue", _itself, {"amount": "amount"}, {"reason": ISSUE_REASONS}, frozenset({"card", "reason"})
)
_CARD = Collection("movement", _itself, {"amount": "amount"}, {}, frozenset({"card"}))
# what was counted and expected is evidence beside it: told anew with every version
_COUNTS = Collection(
    "counts",
    _rows,
    {"difference": "difference"},
    {"kind": TENDER_KINDS},
    frozenset({"tender", "kind"}),
)

_INVOICE = Collection("invoice", _itself, {"total": "total"}, {}, frozenset({"invoice"}))
_BANKED = Collection("payment", _itself, {"amount": "amount"}, {}, frozenset({"bank", "tender"}))

_SHARED_LINES = Collection(
    "lines",
    _lines,
    {"list": "list", "discount": "discount"},
    {"kind": SHARED_KINDS},
    frozenset({"kind", "department", "promotion"}),
)
_SHARED_TAXES = Collection("taxes", _taxes, {"tax": "tax"}, {}, frozenset({"jurisdiction"}))
_SHARED_TENDERS = Collection(
    "tenders", _tenders, {"amount": "amount"}, {"kind": KEPT_TENDERS}, frozenset({"tender", "kind"})
)
_COMMISSION = Collection("commission", _itself, {"commission": "commission"}, {}, frozenset())

_SETTLED = Collection(
    "settled",
    _rows,
    {"amount": "amount"},
    {"kind": SETTLED_KINDS},
    frozenset({"kind", "tender", "bank"}),
)

_GOODS = Collection(
    "goods",
    _goods,
    {"amount": "amount"},
    {"kind": GOODS_KINDS},
    frozenset({"kind", "product", "location", "category"}),
)

_WRITTEN_OFF = Collection(
    "item", _itself, {"amount": "amount"}, {"kind": WRITTEN_OFF_KINDS}, frozenset({"kind", "item"})
)
_EXPECTED = Collection(
    "rows", _rows, {"refund": "refund", "cost": "cost"}, {}, frozenset({"department"})
)
_BREAKAGE = Collection(
    "rows", _rows, {"amount": "amount"}, {"kind": BREAKAGE_KINDS}, frozenset({"kind"})
)

SHAPES: dict[str, Shape] = dict(
    (
        shape_of("DepositReceived", (_TENDERS,), _TENDERED),
        shape_of("SaleRecognised", (_LINES, _TAXES), {"net": _NET, "gross": _GROSS}),
        shape_of("SaleReversed", (_LINES, _TAXES), {"net": _NET, "gross": _GROSS}),
        shape_of("RefundPaid", (_TENDERS,), _TENDERED),
        shape_of("TransferPriced", (ROWS,), {}),
        shape_of("DisputeMoved", (_CLAIMS,), {}),
        shape_of("SettlementMatched", (_SETTLED,), {}, _SETTLED_HEADER),
        shape_of("InvoiceIssued", (_INVOICE,), {}),
        shape_of("ReceivableSettled", (ROWS,), {}),
        shape_of("BankPaymentMatched", (_BANKED,), {}, _BANKED_HEADER),
        shape_of(
            "SaleShared",
            (_SHARED_LINES, _SHARED_TAXES, _SHARED_TENDERS, _COMMISSION),
            {"net": _NET, "gross": _GROSS, "due": {**_GROSS, "commission": -1}, **_TENDERED},
            VALUED_HEADER | {"partner", "mode", "collects"},
            "stores",
        ),
        shape_of("GiftCardIssued", (_ISSUE,), {}, _CARD_HEADER),
        shape_of("GiftCardAdjusted", (_CARD,), {}, _CARD_HEADER),
        shape_of("GiftCardExpired", (_CARD,), {}, _CARD_HEADER),
        shape_of(
            "BreakageRecognised",
            (_BREAKAGE,),
            {},
            frozenset({"key", "source", "currency", "item", "method"}),
            flow="policy",
        ),
        shape_of("StoreCreditIssued", (_ISSUE,), {}, _CARD_HEADER),
        shape_of("StoreCreditAdjusted", (_CARD,), {}, _CARD_HEADER),
        shape_of("StoreCreditExpired", (_CARD,), {}, _CARD_HEADER),
        shape_of(
            "ReturnRecharged",
            (_LINES, _TAXES),
            {"net": _NET, "gross": _GROSS},
            # what it corrects came with the store's log
            flow="stores",
        ),
        shape_of(
            "SaleRung",
            (_SOLD, _SALE_TAXES, _DEPOSITS, _TENDERS),
            _SALE_DERIVED,
            _TILL_HEADER | {"channel", "party", "receipt"},
            "stores",
        ),
        # a flow of its own: no document of an ERP tells what is worked out by policy
        shape_of(
            "ReturnsExpected",
            (_EXPECTED,),
            {},
            frozenset({"key", "source", "currency", "channel", "period"}),
            flow="policy",
        ),
        shape_of(
            "OpenItemWrittenOff",
            (_WRITTEN_OFF,),
            {},
            frozenset({"key", "source", "currency", "item"}),
            flow="policy",
        ),
        shape_of("CostMoved", (_GOODS,), {}, flow="policy"),
        shape_of("CashMoved", (_CASH,), {}, _TILL_HEADER, "stores"),
        shape_of(
            "TillCounted",
            (_COUNTS,),
            {},
            _COMMON | {"till"},
            "stores",
        ),
    )
)
# A void has no rule: it is booked as the exact reversal of the sale's own entries.
REVERSES = {"SaleVoided": "SaleRung"}
