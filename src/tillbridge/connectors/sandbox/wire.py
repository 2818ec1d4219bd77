"""The sandbox ERP's words as its API speaks them: what is sent, what comes back."""

from __future__ import annotations

import msgspec

from tillbridge.contract.wire import parse


class TaxAmount(msgspec.Struct, frozen=True):
    """A tax of a line, decimal text of the document's currency."""

    code: str
    amount: str


class TradeLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of an order, invoice or credit note; amount without tax, decimal text."""

    line: str
    type: str
    quantity: str
    amount: str
    product: str = ""
    description: str = ""
    taxes: tuple[TaxAmount, ...] = ()


class AccountLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of a journal, one side only, decimal text."""

    account: str
    debit: str = "0"
    credit: str = "0"
    item: str = ""


class GoodsLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of a delivery, customer return or stock move; quantity is decimal text."""

    line: str
    quantity: str
    product: str
    description: str = ""


class ErpDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A document as it is created; date is ISO 8601."""

    kind: str
    external_id: str
    company: str
    currency: str
    date: str
    lines: tuple[TradeLine, ...] | tuple[AccountLine, ...] | tuple[GoodsLine, ...]
    total: str = "0"
    number_at_customer: str = ""
    channel: str = ""
    location: str = ""
    customer: str = ""
    customer_name: str = ""
    order_external_id: str = ""
    narration: str = ""
    entries: int = 1
    moves_goods: bool = True
    destination: str = ""
    paid_from: str = ""


class ErpAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A document as the ERP shows it; amounts are decimal text."""

    id: str
    kind: str
    number: str
    external_id: str
    currency: str
    total: str
    move: str = ""
    move_total: str = ""


class ErpError(msgspec.Struct, frozen=True):
    """Why the ERP did not do it."""

    code: str
    words: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one document: 201 created, 409 was there, 422 refused."""

    status: int
    document: ErpAnswer | None = None
    error: ErpError | None = None


class Single(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a single create, or to a call that failed as a whole."""

    document: ErpAnswer | None = None
    error: ErpError | None = None


class Results(msgspec.Struct, frozen=True):
    """The answer to a batch."""

    results: list[Result]


class Found(msgspec.Struct, frozen=True):
    """The answer to a search."""

    documents: list[ErpAnswer]


class Status(msgspec.Struct, frozen=True):
    """Who answers."""

    name: str
    at: str


class StockHeld(msgspec.Struct, frozen=True):
    """One product at a location, decimal text."""

    product: str
    quantity: str


class Stock(msgspec.Struct, frozen=True):
    """A page of what is at a location."""

    at: str
    held: list[StockHeld]
    more: bool


def read_stock(body: bytes) -> Stock:
    """Raises WireError when the answer cannot be believed."""
    return parse(Stock, body)


class MoveLineShown(msgspec.Struct, frozen=True):
    """An account of a move, signed decimal text, debit positive."""

    account: str
    amount: str


class MoveShown(msgspec.Struct, frozen=True):
    """A posted move and the document it was made for."""

    document: int
    move: str
    external_id: str
    date: str
    currency: str
    lines: list[MoveLineShown]


class Ledger(msgspec.Struct, frozen=True):
    """A page of what is posted."""

    moves: list[MoveShown]
    more: bool


def read_ledger(body: bytes) -> Ledger:
    """Raises WireError when the answer cannot be believed."""
    return parse(Ledger, body)


def read_single(body: bytes) -> Single:
    """Raises WireError when the answer cannot be believed."""
    return parse(Single, body)


def read_results(body: bytes) -> Results:
    """Raises WireError when the answer cannot be believed."""
    return parse(Results, body)


def read_found(body: bytes) -> Found:
    """Raises WireError when the answer cannot be believed."""
    return parse(Found, body)


def read_status(body: bytes) -> Status:
    """Raises WireError when the answer cannot be believed."""
    return parse(Status, body)
