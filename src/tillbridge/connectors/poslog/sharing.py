"""Discounts and taxes of a whole receipt, brought down to its lines without losing a cent."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from tillbridge.atoms.money import split
from tillbridge.connectors.poslog import wire
from tillbridge.connectors.poslog.reading import Goods, Reading, is_before, is_included

_STORED_VALUE = re.compile(r"gift|storedvalue|stored value|voucher", re.IGNORECASE)
_COUPON = re.compile(r"coupon|discount|promotion", re.IGNORECASE)


class Shared(msgspec.Struct, frozen=True):
    """A line with everything that concerns it, signed minor units without tax."""

    line: wire.Line
    part: wire.Merchandise
    quantity: Decimal
    list: int
    discount: int
    taxes: tuple[tuple[wire.Tax, int], ...]
    promotion: str


class _Open:
    """A line while its shares come in. gross: before discount; discount and tax: what is off."""

    __slots__ = ("discount", "goods", "gross", "included", "promotions", "taxes")

    def __init__(self, goods: Goods, *, before: bool) -> None:
        self.goods = goods
        self.gross = goods.amount if before else goods.amount + goods.discount
        self.discount = goods.discount
        self.included = 0
        self.taxes: list[tuple[wire.Tax, int]] = []
        self.promotions = [each.promotion for each in goods.part.modifiers if each.promotion]

    @property
    def paid(self) -> int:
        """What is paid for the line, before taxes that come on top."""
        return self.gross - self.discount


def shared(
    reading: Reading, rounding: int
) -> tuple[tuple[Shared, ...], tuple[tuple[wire.Tax, int], ...], int]:
    """Lines, receipt-level taxes, and the rounding that was really taken out of the lines.

    rounding: minor units the header's net and tax miss its total by, when the header alone tells
    the tax that prices hold.
    """
    lines = [_Open(goods, before=is_before(goods, reading.choice)) for goods in reading.goods]
    lines = _without_coupons(lines)
    for line, reward, amount in reading.rewards:
        _lower(_rewarded(lines, reward), amount, reward.promotion)
        del line
    for discount, amount in reading.discounts:
        _lower(_discountable(lines), amount, discount.promotion)
    from_lines = reading.choice.tax_source in ("lines", "both")
    if from_lines:
        for each in lines:
            _tax_line(each, reading)
    own = _receipt_taxes(reading, from_lines=from_lines)
    for tax, amount in own:
        if is_included(tax, reading.choice):
            _hold(_taxable(lines, tax), amount)
    left = _hold(lines, rounding) if rounding else 0
    return tuple(_closed(each) for each in lines), own, left


def _without_coupons(lines: list[_Open]) -> list[_Open]:
    """A store's own coupon rung up as an item with a negative price is a discount, no return."""
    coupons = [
        each
        for each in lines
        if each.paid < 0 and not each.goods.taxes and _COUPON.search(each.goods.part.item_type)
    ]
    rest = [each for each in lines if each not in coupons]
    if not any(each.paid > 0 for each in rest):
        return lines
    for coupon in coupons:
        _lower(_discountable(rest), -coupon.paid, coupon.goods.part.item)
    return rest


def _receipt_taxes(reading: Reading, *, from_lines: bool) -> tuple[tuple[wire.Tax, int], ...]:
    """Taxes of the receipt that belong to no line."""
    if not from_lines:
        return tuple(each for each in reading.taxes if each[1])
    if reading.choice.tax_source == "lines":
        return ()
    inside = {id(tax) for goods in reading.goods for tax, _ in goods.taxes}
    return tuple(each for each in reading.taxes if id(each[0]) not in inside and each[1])


def _tax_line(line: _Open, reading: Reading) -> None:
    for tax, amount in line.goods.taxes:
        if not tax.charged and not reading.choice.uncharged:
            continue
        line.taxes.append((tax, amount))
        if is_included(tax, reading.choice):
            line.included += amount


def _rewarded(lines: Sequence[_Open], reward: wire.Reward) -> Sequence[_Open]:
    """Lines a reward was earned on: the one it names, else the item it names, else all."""
    tests: tuple[Callable[[_Open], bool], ...] = (
        lambda each: (
            bool(reward.operator_sequence)
            and each.goods.line.operator_sequence == reward.operator_sequence
        ),
        lambda each: bool(reward.item) and each.goods.part.item == reward.item,
    )
    for test in tests:
        found = [each for each in lines if test(each) and each.paid]
        if found:
            return found
    return _discountable(lines)


def _discountable(lines: Sequence[_Open]) -> Sequence[_Open]:
    """Lines a discount on the whole receipt is shared over: stored value keeps its face value."""
    found = [
        each
        for each in lines
        if each.paid
        and not _STORED_VALUE.search(each.goods.part.item_type + each.goods.part.element)
    ]
    return found or [each for each in lines if each.paid] or lines


def _taxable(lines: Sequence[_Open], tax: wire.Tax) -> Sequence[_Open]:
    """Lines that name the tax or its rate without an amount, else all that are paid for."""
    named = [
        each
        for each in lines
        if each.paid
        and any(
            told.name == tax.name or (told.percent is not None and told.percent == tax.percent)
            for told in each.goods.part.taxes
        )
    ]
    return named or [each for each in lines if each.paid] or lines


def _weights(lines: Sequence[_Open], amount: int) -> list[int]:
    """Shares in proportion to what is paid, over the lines with the sign of the amount."""
    sign = -1 if amount < 0 else 1
    weights = [max(sign * (each.paid - each.included), 0) for each in lines]
    return weights if any(weights) else [abs(each.paid) for each in lines]


def _lower(lines: Sequence[_Open], amount: int, promotion: str) -> None:
    """Take a discount off some lines by largest remainder."""
    for line, share in zip(lines, split(amount, _weights(lines, amount)), strict=True):
        line.discount += share
        if share and promotion:
            line.promotions.append(promotion)


def _hold(lines: Sequence[_Open], amount: int) -> int:
    """Say that the prices of some lines hold an amount which is not theirs (a tax, a rounding)."""
    if not lines:
        return 0
    for line, share in zip(lines, split(amount, _weights(lines, amount)), strict=True):
        line.included += share
    return amount


def _closed(line: _Open) -> Shared:
    """The line without tax: list and discount lose the tax held in them in proportion."""
    net = line.paid - line.included
    discount = line.discount
    if line.included and discount and line.paid:
        exact = Decimal(discount) * Decimal(net) / Decimal(line.paid)
        discount = int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    return Shared(
        line=line.goods.line,
        part=line.goods.part,
        quantity=line.goods.quantity,
        list=net + discount,
        discount=discount,
        taxes=tuple(line.taxes),
        promotion=line.promotions[0] if line.promotions else "",
    )
