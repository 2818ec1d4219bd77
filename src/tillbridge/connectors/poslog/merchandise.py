"""What is sold or comes back, and its taxes, read strictly into the records of `wire.py`."""

from __future__ import annotations

import re
from decimal import Decimal

from tillbridge.connectors.poslog import fields, wire
from tillbridge.connectors.poslog.fields import Children, Element, attribute, inner, local, text

# A sale that does not leave with the buyer: an element of its own (ARTS POSLog 2.2 on), or a Sale
# that holds one of _HANDED_LATER.
DELIVERED = (
    "SaleForDelivery",
    "ReturnForDelivery",
    "CustomerOrderForDelivery",
)
COLLECTED = (
    "SaleForPickup",
    "ReturnForPickup",
    "CustomerOrderForPickup",
)
_HANDED_LATER = {"Delivery": "ship", "Pickup": "collect"}
_PLACES = ("UnitID", "RetailStoreID", "InventoryLocationID", "LocationID")
# Elements told like merchandise; those without ExtendedAmount tell Amount.
SALE_LIKE = (
    "Sale",
    "Return",
    "MiscellaneousFee",
    "Fee",
    "Surcharge",
    "Tip",
    "Gratuity",
    "StoredValueFundSale",
    "StoredValueSale",
    "GiftCardSale",
    "GiftCertificateSale",
    "ShippingCharge",
    *DELIVERED,
    *COLLECTED,
)
_CARDS = ("GiftCard", "GiftCertificate", "StoredValue", "StoredValueFund", "Voucher")
_CARD_NUMBERS = ("CardNumber", "AccountNumber", "SerialNumber", "Number", "VoucherID", "ID")
_REFUNDING = re.compile(r"refund|return", re.IGNORECASE)
_ONE = Decimal(1)


def merchandise_of(told: Children) -> wire.Merchandise:
    """A Sale, Return or what is told like one."""
    element, where = told.element, told.where
    quantity = told.amount("Quantity")
    units = told.first("Quantity")
    price = told.first("ExtendedAmount", "Amount")
    named = told.first("ItemID")
    fulfil, later = _handed_later(told)
    return wire.Merchandise(
        element=local(element.tag),
        item=told.text("ItemID") or _pos_item(told),
        description=told.text("Description")
        or (attribute(named, "Name") if named is not None else ""),
        item_type=attribute(element, "ItemType").rpartition(":")[2],
        departments=tuple(
            (attribute(each, "Level") or attribute(each, "ID"), text(each, where))
            for each in told.all("MerchandiseHierarchy")
        ),
        quantity=_ONE if quantity is None else quantity,
        unit=attribute(units, "UnitOfMeasureCode") if units is not None else "",
        regular=told.amount("RegularSalesUnitPrice"),
        actual=told.amount("ActualSalesUnitPrice"),
        extended=told.amount("ExtendedAmount", "Amount"),
        discount=_discount(told, quantity),
        modifiers=tuple(
            modifier
            for each in told.all("RetailPriceModifier")
            for modifier in modifiers_of(Children(each, f"{where}/RetailPriceModifier"))
        ),
        taxes=tuple(tax_of(Children(each, f"{where}/Tax")) for each in told.all("Tax")),
        links=tuple(wire.link_of(each) for each in told.all("TransactionLink")),
        card=card_number(told),
        currency=fields.currency_of(price, where) if price is not None else "",
        price_holds_tax=told.flag("TaxIncludedInPriceFlag"),
        fulfil=fulfil,
        place=_within(later, *_PLACES),
        goes_to=(
            _within(later, "Country", "CountryCode"),
            _within(later, "Territory", "State", "Region"),
            _within(later, "PostalCode"),
        ),
    )


def _handed_later(told: Children) -> tuple[str, Element | None]:
    """How goods that stay behind reach their buyer, and the element that says more of it."""
    name = local(told.element.tag)
    way = "ship" if name in DELIVERED else "collect" if name in COLLECTED else ""
    for element, means in _HANDED_LATER.items():
        found = told.first(element)
        if found is not None:
            return way or means, found
    return way, None


def _within(element: Element | None, *names: str) -> str:
    """The first text of these names, however deep it stands."""
    if element is None:
        return ""
    for each in element.iter():
        if local(each.tag) in names and not len(each) and (found := text(each, names[0])):
            return found
    return ""


def _discount(told: Children, quantity: Decimal | None) -> Decimal | None:
    """Discount of the whole line; a discount per unit is multiplied."""
    unit_discount = told.amount("DiscountAmount")
    whole = told.amount("ExtendedDiscountAmount")
    if whole is None and unit_discount is not None:
        return unit_discount * abs(_ONE if quantity is None else quantity)
    return whole


def _pos_item(told: Children) -> str:
    for each in told.all("POSIdentity"):
        found = inner(each, "POSItemID")
        if found:
            return found
    return ""


def modifiers_of(told: Children) -> list[wire.Modifier]:
    """A price modifier or discount with an amount (one or none): a percentage or a new price
    alone says nothing that can be added up.
    """
    value = told.amount("Amount")
    action = attribute(told.all("Amount")[0], "Action").lower() if value is not None else ""
    if value is None or action == "replace":
        return []
    promotion = told.text("PromotionID") or inner(
        told.first("PriceDerivationRule"), "PriceDerivationRuleID"
    )
    return [wire.Modifier(-value if action == "add" else value, promotion)]


def tax_of(told: Children) -> wire.Tax:
    """A tax, of a line or of the receipt."""
    element, where = told.element, told.where
    percent = told.amount("Percent")
    taxable = told.first("TaxableAmount")
    included = told.flag("TaxIncludedInPriceFlag")
    if included is None and taxable is not None:
        included = fields.flag(taxable, "TaxIncludedInTaxableAmountFlag", where)
    shown = attribute(element, "TaxID")
    authority = told.text("TaxAuthority")
    return wire.Tax(
        name=shown
        or told.text("TaxID", "TaxRuleID")
        or authority
        or _name_by_rate(element, percent)
        or told.text("TaxGroupID")
        or "tax",
        authority=authority,
        amount=told.amount("Amount"),
        taxable=told.amount("TaxableAmount"),
        percent=percent,
        included=included,
        # a vendor's own TaxID comes with a percentage "calculated for validation only"
        rough=bool(shown) and element.get("TaxID") is None,
        refund=_REFUNDING.search(attribute(element, "TypeCode")) is not None,
        charged=told.text("Reason").lower() in ("", "charged"),
    )


def _name_by_rate(element: Element, percent: Decimal | None) -> str:
    """`VAT:20` where neither rule nor authority is named."""
    kind = attribute(element, "TaxType") or attribute(element, "TaxSubType")
    if percent is None:
        return kind
    return f"{kind or 'tax'}:{percent.normalize():f}"


def card_number(told: Children) -> str:
    """Number of a stored-value card or voucher; payment cards are never asked."""
    for name in _CARDS:
        for each in told.all(name):
            found = inner(each, *_CARD_NUMBERS)
            if found:
                return found
            for key in _CARD_NUMBERS:
                if attribute(each, key):
                    return attribute(each, key)
    return ""
