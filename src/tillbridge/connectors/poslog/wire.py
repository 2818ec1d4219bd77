"""POSLog transactions as tills write them: their words, their types, only what is read.

Amounts are Decimal, exactly as written, with the sign as written: what a sign means differs
between dialects and is decided in `receipt.py` against the log's own totals. Sources: ARTS POSLog
2.1 (RetailStoreID), 2.2 and 6.0 (BusinessUnit/UnitID) and logs of five till makers.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import msgspec

from tillbridge.connectors.poslog import fields
from tillbridge.connectors.poslog.fields import Element, attribute, local
from tillbridge.contract.wire import WireError

TOPIC = "poslog/transaction"
LINES_MAX = 20_000


class Link(msgspec.Struct, frozen=True):
    """Another transaction this one (or one of its lines) speaks about; line: of it, if told. order:
    number of the order instead, where goods were not sold at a till.
    """

    store: str
    till: str
    day: date | None
    sequence: str
    reason: str
    line: str = ""
    order: str = ""


class Tax(msgspec.Struct, frozen=True):
    """A tax of a line or of the receipt. amount None: only a rate is told.

    included: whether the price holds it already, None when not told. rough: the rate is told
    "for validation only". refund: told as given back. charged: false where a reason says
    otherwise (exempt, forgiven, ...).
    """

    name: str
    authority: str
    amount: Decimal | None
    taxable: Decimal | None
    percent: Decimal | None
    included: bool | None
    rough: bool
    refund: bool
    charged: bool


class Modifier(msgspec.Struct, frozen=True):
    """A change of price on a line: positive lowers what is paid."""

    amount: Decimal
    promotion: str


class Merchandise(msgspec.Struct, frozen=True):
    """What is sold or comes back. extended: price of the line; discount: of the whole line.

    fulfil: `ship` or `collect` for goods that are not handed over, with the store or warehouse
    named for it and where they go (country, region, postcode).
    """

    element: str
    item: str
    description: str
    item_type: str
    departments: tuple[tuple[str, str], ...]
    quantity: Decimal
    unit: str
    regular: Decimal | None
    actual: Decimal | None
    extended: Decimal | None
    discount: Decimal | None
    modifiers: tuple[Modifier, ...]
    taxes: tuple[Tax, ...]
    links: tuple[Link, ...]
    card: str
    currency: str
    price_holds_tax: bool | None
    fulfil: str = ""
    place: str = ""
    goes_to: tuple[str, str, str] = ("", "", "")


class Tender(msgspec.Struct, frozen=True):
    """Money taken or given. change, cashback, rounding: as told beside the amount."""

    tender_type: str
    type_code: str
    tender_id: str
    card_type: str
    amount: Decimal
    currency: str
    change: Decimal | None
    cashback: Decimal | None
    rounding: Decimal | None
    local_amount: Decimal | None
    rate: Decimal | None
    card: str


class Change(msgspec.Struct, frozen=True):
    """Change given, told as a line of its own."""

    tender_type: str
    amount: Decimal


class Reward(msgspec.Struct, frozen=True):
    """A loyalty reward. detailed rows tell each item's share, summarized rows the sum of them."""

    promotion: str
    event: str
    category: str
    kind: str
    amount: Decimal
    detailed: bool
    summarized: bool
    operator_sequence: str
    item: str

    @property
    def source(self) -> tuple[str, str]:
        """What the rows of one reward have in common."""
        return self.promotion, self.event


class Discount(msgspec.Struct, frozen=True):
    """A discount on the whole receipt, told as a line of its own."""

    promotion: str
    amount: Decimal


class Rounding(msgspec.Struct, frozen=True):
    """Cash rounding told as a line of its own."""

    amount: Decimal


class CardActivation(msgspec.Struct, frozen=True):
    """Evidence that an item sold on this receipt is a stored-value card."""

    item: str
    card: str


class Unread(msgspec.Struct, frozen=True):
    """An element of an unknown kind that carries an amount."""

    element: str
    amount: Decimal


Part = Merchandise | Tender | Change | Tax | Reward | Discount | Rounding | CardActivation | Unread


class Line(msgspec.Struct, frozen=True):
    """A LineItem. voided: its VoidFlag. voids, voids_created: the line it takes back, if named."""

    number: str
    created: str
    operator_sequence: str
    voided: bool
    dropped: bool
    weighed: bool
    voids: str
    voids_created: str
    part: Part


class Total(msgspec.Struct, frozen=True):
    """A total of the receipt, without the vendor's prefix."""

    total_type: str
    type_code: str
    amount: Decimal
    currency: str = ""


class Retail(msgspec.Struct, frozen=True):
    """A RetailTransaction."""

    status: str
    lines: tuple[Line, ...]
    totals: tuple[Total, ...]
    links: tuple[Link, ...]
    loyalty: str
    customer: Customer | None


class Customer(msgspec.Struct, frozen=True):
    """Personal data of a buyer; goes to the vault only."""

    identifier: str
    name: str = ""
    email: str = ""
    phone: str = ""
    street: str = ""
    city: str = ""
    postcode: str = ""
    country: str = ""


class Header(msgspec.Struct, frozen=True):
    """What every transaction says of itself. moment may lack its zone."""

    store: str
    till: str
    sequence: str
    day: date
    moment: datetime
    currency: str
    type_code: str
    cancelled: bool
    training: bool
    offline: bool
    receipt: str


def transactions(root: Element) -> list[Element]:
    """Every Transaction of a document, however deep it stands."""
    if local(root.tag) == "Transaction":
        return [root]
    found = [element for element in root if local(element.tag) == "Transaction"]
    return found or [each for each in root.iter() if local(each.tag) == "Transaction"]


def header_of(transaction: Element) -> Header:
    """Identity, times and flags; raises WireError for what is missing or no such value."""
    told = _leaves(transaction)
    body = body_of(transaction)[1]
    inside = _leaves(body) if body is not None else {}
    store, till, day_text, sequence = shallow_identity(transaction)
    if not (store and till and sequence):
        raise WireError("the transaction lacks its store, till or sequence number")
    day = fields.day(day_text, "BusinessDayDate") if day_text else None
    instant = _moment(told, inside)
    if instant is None:
        if day is None:
            raise WireError("the transaction has neither a business day nor a time")
        instant = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - local time of the store
    places = [transaction] if body is None else [transaction, body]
    return Header(
        store=store,
        till=till,
        sequence=sequence,
        day=day or instant.date(),
        moment=instant,
        currency=_currency(told.get("CurrencyCode")),
        type_code=attribute(transaction, "TypeCode"),
        cancelled=_any_flag(places, "CancelFlag"),
        training=_any_flag(places, "TrainingModeFlag"),
        offline=_any_flag(places, "OfflineFlag"),
        receipt=_receipt(told, inside),
    )


def shallow_identity(transaction: Element) -> tuple[str, str, str, str]:
    """Store, till, business day and sequence as they stand at the top; "" for what is missing."""
    store = till = drawer = day = sequence = ""
    for child in transaction:
        name = local(child.tag)
        if name == "RetailStoreID":
            store = store or _first_text(child)
        elif name == "BusinessUnit":
            store = store or _unit(child)
        elif name == "WorkstationID":
            till = till or _first_text(child)
        elif name == "TillID":
            drawer = drawer or _first_text(child)
        elif name == "BusinessDayDate":
            day = day or _first_text(child)
        elif name == "SequenceNumber":
            sequence = sequence or _first_text(child)
    return store, till or drawer, day, sequence


def link_of(element: Element) -> Link:
    """A TransactionLink (or whatever names another transaction by the same elements)."""
    store, till, day, sequence = shallow_identity(element)
    return Link(
        store=store,
        till=till,
        day=fields.day(day, "TransactionLink/BusinessDayDate") if day else None,
        sequence=sequence,
        reason=attribute(element, "ReasonCode") or attribute(element, "TypeCode"),
        line=_line_number(element),
        order=fields.inner(element, "OrderID", "CustomerOrderID", "CustomerOrderNumber"),
    )


def _line_number(link: Element) -> str:
    for child in link:
        if local(child.tag) == "LineItemSequenceNumber":
            return fields.text(child, "TransactionLink/LineItemSequenceNumber")
    return ""


def body_of(transaction: Element) -> tuple[str, Element | None]:
    """The element that says what happened, e.g. ("RetailTransaction", ...)."""
    for child in transaction:
        name = local(child.tag)
        if name.endswith("Transaction") and name != "FoodServiceTransaction":
            return name, child
    return "", None


def _leaves(transaction: Element) -> dict[str, Element]:
    """Children by name, the first of each."""
    found: dict[str, Element] = {}
    for child in transaction:
        found.setdefault(local(child.tag), child)
    return found


def _first_text(element: Element) -> str:
    """Its text, or the text of its first child (BusinessDayDate/Date, TillID/ID)."""
    name = local(element.tag)
    if len(element):
        return fields.text(element[0], name)
    return fields.text(element, name)


def _unit(element: Element) -> str:
    """UnitID of a BusinessUnit, or its bare text as links write it."""
    for child in element:
        if local(child.tag) == "UnitID":
            return fields.text(child, "UnitID")
    return fields.text(element, "BusinessUnit") if not len(element) else ""


def _moment(told: dict[str, Element], inside: dict[str, Element]) -> datetime | None:
    """When it ended, else when the receipt was written, else when it was logged or begun."""
    for name in ("EndDateTime", "ReceiptDateTime", "POSLogDateTime", "BeginDateTime"):
        element = told.get(name)
        if element is None:
            element = inside.get(name)
        if element is not None:
            found = fields.text(element, name)
            if found:
                return fields.moment(found, name)
    return None


def _currency(element: Element | None) -> str:
    found = fields.text(element, "CurrencyCode") if element is not None else ""
    if found and (len(found) != 3 or not found.isascii() or not found.isupper()):
        raise WireError(f"CurrencyCode {found!r} is no currency code")
    return found


def _receipt(told: dict[str, Element], inside: dict[str, Element]) -> str:
    for place in (told, inside):
        for name in ("ReceiptNumber", "InvoiceNumber"):
            if name in place:
                return fields.text(place[name], name)
    return ""


def _any_flag(places: list[Element], name: str) -> bool:
    """A flag of the transaction, which some tills write on its body instead."""
    found = [fields.flag(place, name, local(place.tag)) for place in places]  # read them all
    return True in found
