"""Money taken and given at the till, read strictly into the records of `wire.py`."""

from __future__ import annotations

from decimal import Decimal

from tillbridge.connectors.poslog import fields, wire
from tillbridge.connectors.poslog.fields import Children, Element, attribute
from tillbridge.connectors.poslog.merchandise import card_number
from tillbridge.contract.wire import WireError


def tender_of(told: Children) -> wire.Tender:
    """A Tender; without an amount it cannot be believed."""
    element, where = told.element, told.where
    value = told.amount("Amount")
    change = told.first("TenderChange")
    if value is None and change is None:
        raise WireError(f"{where} has no Amount")
    money = told.first("Amount")
    foreign = told.first("ForeignCurrency")
    currency = fields.currency_of(money, where) if money is not None else ""
    local_amount = rate = None
    if foreign is not None:
        inside = Children(foreign, f"{where}/ForeignCurrency")
        rate = inside.amount("ExchangeRate")
    else:
        rate = told.amount("ExchangeRate")
        local_amount = told.amount("LocalCurrencyAmount", "ConvertedAmount")
    card = told.first("CreditDebit")
    return wire.Tender(
        tender_type=attribute(element, "TenderType") or told.text("TenderType"),
        type_code=attribute(element, "TypeCode"),
        tender_id=told.text("TenderID"),
        card_type=(attribute(card, "TypeCode") or attribute(card, "CardType"))
        if card is not None
        else "",
        amount=Decimal(0) if value is None else value,
        currency=currency,
        change=_change(told, where),
        cashback=told.amount("Cashback"),
        rounding=told.amount("Rounding"),
        local_amount=local_amount,
        rate=rate,
        card=card_number(told),
    )


def _change(told: Children, where: str) -> Decimal | None:
    """Change told inside a tender, summed over its TenderChange children."""
    found = [_change_amount(each, f"{where}/TenderChange") for each in told.all("TenderChange")]
    return sum(found, Decimal(0)) if found else None


def change_of(told: Children) -> wire.Change:
    """Change as a line of its own, which some tills nest once more."""
    kind = attribute(told.element, "TenderType")
    for each in told.all("TenderChange"):
        kind = kind or attribute(each, "TenderType")
    return wire.Change(kind or "Cash", _change_amount(told.element, told.where))


def _change_amount(element: Element, where: str) -> Decimal:
    told = Children(element, where)
    nested = told.all("TenderChange")
    if nested:
        return sum((_change_amount(each, where) for each in nested), Decimal(0))
    value = told.amount("Amount")
    return fields.amount(element, where) if value is None else value


def rounding_of(told: Children) -> wire.Rounding:
    """Cash rounding as a line of its own."""
    value = told.amount("Amount")
    return wire.Rounding(fields.amount(told.element, told.where) if value is None else value)


def activation_of(told: Children) -> wire.CardActivation:
    """A card that was loaded; its price stands in a Sale of the same item."""
    return wire.CardActivation(told.text("ItemID"), told.text("AccountNumber"))
