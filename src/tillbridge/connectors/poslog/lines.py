"""Lines of a RetailTransaction, read strictly into the records of `wire.py`."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from tillbridge.connectors.poslog import fields, wire
from tillbridge.connectors.poslog.fields import (
    Children,
    Element,
    amount,
    attribute,
    inner,
    local,
    text,
)
from tillbridge.connectors.poslog.merchandise import (
    SALE_LIKE,
    merchandise_of,
    modifiers_of,
    tax_of,
)
from tillbridge.connectors.poslog.tenders import (
    activation_of,
    change_of,
    rounding_of,
    tender_of,
)
from tillbridge.contract.wire import WireError

# children of a LineItem that are no elements with amounts
_PLAIN = frozenset({"SequenceNumber", "BeginDateTime", "EndDateTime", "ItemLink", "CreateNumber"})
_DROPS = ("CancelFlag", "DeleteFlag")
_VOIDS = ("VoidsLineItem", "VoidedLineItem")


def retail_of(body: Element) -> wire.Retail:
    """The whole RetailTransaction; raises WireError for a value of the wrong type."""
    told = Children(body, "RetailTransaction")
    items = told.all("LineItem")
    if len(items) > wire.LINES_MAX:
        raise WireError(f"the receipt has more than {wire.LINES_MAX} lines")
    lines: list[wire.Line] = []
    loyalty = _account(told)
    for item in items:
        loyalty = _read_line(item, lines) or loyalty
    totals = [total for each in told.all("Total") for total in _total_of(each)]
    for name in ("RoundingAmount", "Rounding"):
        totals += [wire.Total("RoundingAmount", "", amount(each, name)) for each in told.all(name)]
    buyer = told.first("Customer")
    return wire.Retail(
        status=_status(body, told),
        lines=tuple(lines),
        totals=tuple(totals),
        links=tuple(wire.link_of(each) for each in told.all("TransactionLink")),
        loyalty=loyalty,
        customer=_customer_of(buyer) if buyer is not None else None,
    )


def _read_line(element: Element, lines: list[wire.Line]) -> str:
    """Add what a LineItem tells (nothing for age checks, signatures, ...); its loyalty number."""
    told = Children(element, "LineItem")
    number = told.text("SequenceNumber")
    where = f"line {number}" if number else "a line without number"
    for within, part in _parts(told, where):
        lines.append(_line_of(told, within, number, part))
    return inner(told.first("LoyaltyMembership"), "LoyaltyID", "MembershipID")


def _parts(told: Children, where: str) -> list[tuple[Children, wire.Part]]:
    """What a LineItem holds of the things that carry money (mostly one)."""
    found: list[tuple[Children, wire.Part]] = []
    unknown: list[tuple[Children, wire.Part]] = []
    for name in told.names():
        reader = _READERS.get(name)
        if reader is None and name in _PLAIN:
            continue
        for each in told.all(name):
            within = Children(each, f"{where}: {name}")
            if reader is not None:
                found.append((within, reader(within)))
            else:
                unknown += [(within, part) for part in _unread_of(within)]
    return found or unknown


def _line_of(told: Children, within: Children, number: str, part: wire.Part) -> wire.Line:
    element, where = told.element, f"line {number}"
    voided = bool(fields.flag(element, "VoidFlag", where))
    voids = _reference(told) or _reference(within)
    if voided and not voids:
        voids = told.text("ItemLink") or within.text("ItemLink")
    return wire.Line(
        number=number,
        created=told.text("CreateNumber"),
        operator_sequence=within.text("OperatorSequence"),
        voided=voided,
        dropped=True in [fields.flag(element, flag, where) for flag in _DROPS],
        weighed=bool(fields.flag(element, "weightItem", where)),
        voids=voids,
        voids_created=told.text("CreateRefNumber"),
        part=part,
    )


def _reference(told: Children) -> str:
    """Line number a void names, as text or in a child."""
    for name in _VOIDS:
        for each in told.all(name):
            for child in each:
                if local(child.tag).endswith("SequenceNumber"):
                    return text(child, name)
            return "" if len(each) else text(each, name)
    return ""


def _reward_of(told: Children) -> wire.Reward:
    element, where = told.element, told.where
    detailed = fields.flag(element, "detailedData", where)
    summarized = fields.flag(element, "summarizedActivity", where)
    return wire.Reward(
        promotion=told.text("PromotionID"),
        event=told.text("EventID"),
        category=told.text("RewardCategory"),
        kind=told.text("RewardType"),
        amount=told.amount("ExtendedRewardAmount", "Amount") or Decimal(0),
        detailed=bool(detailed) or (detailed is None and summarized is None),
        summarized=bool(summarized),
        operator_sequence=told.text("OperatorSequenceReference"),
        item=inner(told.first("RewardBasis"), "ItemID"),
    )


def _discount_of(told: Children) -> wire.Part:
    found = modifiers_of(told)
    if not found:
        return wire.Discount("", Decimal(0))
    return wire.Discount(found[0].promotion, found[0].amount)


# Which child of a LineItem carries money, and how it is read.
_READERS: dict[str, Callable[[Children], wire.Part]] = {
    **dict.fromkeys(SALE_LIKE, merchandise_of),
    "Tender": tender_of,
    "TenderChange": change_of,
    "Tax": tax_of,
    "LoyaltyReward": _reward_of,
    "Discount": _discount_of,
    "RetailPriceModifier": _discount_of,
    "Rounding": rounding_of,
    "CardActivation": activation_of,
}


def _unread_of(told: Children) -> list[wire.Unread]:
    """An element of another kind: kept when it carries an amount, so that a case can name it."""
    value = told.amount("ExtendedAmount", "Amount")
    return [] if value is None else [wire.Unread(local(told.element.tag), value)]


def _total_of(element: Element) -> list[wire.Total]:
    kind = attribute(element, "TotalType").rpartition(":")[2]
    if not kind or "Quantity" in kind or "Count" in kind:
        return []
    value = amount(element, f"Total {kind}")
    currency = fields.currency_of(element, f"Total {kind}")
    return [wire.Total(kind, attribute(element, "TypeCode"), value, currency)]


def _status(body: Element, told: Children) -> str:
    """TransactionStatus, or "Suspended" where a till says it by an element or flag of its own."""
    status = attribute(body, "TransactionStatus") or told.text("TransactionStatus")
    if status:
        return status
    flagged = any(
        "suspend" in local(key).lower() and value != "false" for key, value in body.items()
    )
    named = any(name.lower().startswith("suspend") for name in told.names())
    return "Suspended" if flagged or named else ""


def _account(told: Children) -> str:
    """Loyalty number of a LoyaltyAccount."""
    return inner(told.first("LoyaltyAccount"), "CustomerID", "LoyaltyAccountID")


def _customer_of(element: Element) -> wire.Customer:
    """Personal data, for the vault. Only texts; nothing is derived from them."""
    told = Children(element, "Customer")
    address = told.first("Address")
    return wire.Customer(
        identifier=told.text("CustomerID", "CustomerExternalId"),
        name=_name(told.first("Name")),
        email=_deep(told.first("EMail", "Email")),
        phone=_deep(told.first("TelephoneNumber", "Telephone")),
        street=inner(address, "AddressLine", "Street"),
        city=inner(address, "City"),
        postcode=inner(address, "PostalCode"),
        country=_country(address),
    )


def _name(element: Element | None) -> str:
    if element is None:
        return ""
    parts = [str(part).strip() for part in element.itertext() if part.strip()]
    return " ".join(parts)[: fields.TEXT_MAX]


def _deep(element: Element | None) -> str:
    """First text found anywhere in an element."""
    if element is None:
        return ""
    for found in element.itertext():
        if found.strip():
            return str(found).strip()[: fields.TEXT_MAX]
    return ""


def _country(address: Element | None) -> str:
    if address is None:
        return ""
    found = Children(address, "Address").first("Country")
    if found is None:
        return ""
    return attribute(found, "Code") or text(found, "Country")
