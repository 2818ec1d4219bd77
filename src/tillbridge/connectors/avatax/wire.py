"""AvaTax's own records as its REST API v2 speaks them; only fields that are sent or read.

Fields and words are those of the published client library (avadev/AvaTax-REST-V2-Python-SDK) and
the error pages of the vendor (developer.avalara.com/avatax/errors). Amounts are JSON numbers.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from tillbridge.contract.wire import WireError, parse

CODE_MOST = 50
"""Longest document code and line number the vendor takes."""
COMMITTED, SAVED, POSTED, CANCELLED = "Committed", "Saved", "Posted", "Cancelled"


class Address(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Where something is; AvaTax needs a postal code, or city and region."""

    country: str = ""
    region: str = ""
    postal_code: str = ""
    city: str = ""
    line1: str = ""


class TaxOverride(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """type `TaxDate`: rates of another day. type `TaxAmount`: the tax that was charged."""

    type: str
    reason: str
    tax_date: str = ""
    tax_amount: Decimal | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A line that is sent; amount for the whole quantity, negative in a return."""

    number: str
    quantity: Decimal
    amount: Decimal
    item_code: str = ""
    tax_code: str = ""
    tax_included: bool = False
    tax_override: TaxOverride | None = None


class Model(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """CreateTransactionModel. Without a type AvaTax takes it for an estimate and keeps nothing."""

    type: str
    company_code: str
    code: str
    date: str
    customer_code: str
    currency_code: str
    addresses: dict[str, Address]
    lines: tuple[Line, ...]
    purchase_order_no: str = ""
    reference_code: str = ""
    commit: bool = False
    tax_override: TaxOverride | None = None


class Detail(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One tax of a line, of one jurisdiction."""

    tax_name: str
    tax: Decimal
    juris_name: str = ""
    juris_type: str = ""
    rate: Decimal = Decimal(0)
    taxable_amount: Decimal = Decimal(0)


class TaxedLine(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A line as it stands there."""

    line_number: str
    line_amount: Decimal
    tax: Decimal
    details: tuple[Detail, ...] | None = ()


class Transaction(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """TransactionModel. total_amount is without tax; an estimate has the id 0."""

    id: int
    code: str
    type: str
    status: str
    total_amount: Decimal
    total_tax: Decimal
    locked: bool = False
    lines: tuple[TaxedLine, ...] | None = ()


class ErrorDetail(msgspec.Struct, frozen=True):
    """One thing that is wrong."""

    code: str = ""
    message: str = ""
    description: str = ""


class ErrorInfo(msgspec.Struct, frozen=True):
    """What is wrong, and the particulars."""

    code: str = ""
    message: str = ""
    details: tuple[ErrorDetail, ...] = ()


class Failure(msgspec.Struct, frozen=True):
    """The body of every answer that is no success."""

    error: ErrorInfo


class Ping(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a ping; a wrong key is told here, not by the status."""

    authenticated: bool
    version: str = ""


def read_transaction(body: bytes) -> Transaction:
    """Raises WireError when the answer cannot be believed."""
    return parse(Transaction, body)


def read_ping(body: bytes) -> Ping:
    """Raises WireError when the answer cannot be believed."""
    return parse(Ping, body)


def read_failure(body: bytes) -> ErrorInfo:
    """What an error says; an unreadable one says nothing."""
    try:
        return parse(Failure, body).error
    except WireError:
        return ErrorInfo()
