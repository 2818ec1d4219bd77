"""Lines of an order: the shop's prices, discounts and taxes as canonical amounts without tax.

The law: the lines' gross sums to the header's total. Taxes stay as the shop computed them. With
prices that include tax, net = price - discount - tax as given, and the list price is the gross
price net of the line's own rates; the rest is the discount, so nothing is lost to rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import split, to_text
from tillbridge.canonical.orders import OrderLine, TaxLine
from tillbridge.connectors.shopify import wire
from tillbridge.connectors.shopify.inbound_scope import Scope, plain_text

MILLION = 1_000_000
ONE = 1000
SPREAD = ("goods", "service")


class Tax(msgspec.Struct, frozen=True):
    """A tax of a part: title and rate as the shop says, minor units."""

    title: str
    amount: int
    rate: Decimal | None = None
    liable: bool = False


class Part(msgspec.Struct, kw_only=True):
    """Something the buyer pays for, amounts as the shop tells them (gross when it includes tax)."""

    kind: str
    line: str
    where: str
    listed: int
    discount: int = 0
    taxes: list[Tax] = []
    quantity: int = ONE
    product: str = ""
    title: str = ""
    ships: bool = False
    taxable: bool = True

    @property
    def paid(self) -> int:
        """Listed less discount."""
        return self.listed - self.discount

    @property
    def tax(self) -> int:
        """Sum of the taxes."""
        return sum(tax.amount for tax in self.taxes)


def order_lines(order: wire.Order, scope: Scope) -> tuple[tuple[OrderLine, ...], int]:
    """The lines and what the buyer owes for them (their gross, exactly), minor units.

    Raises NeedsDecision `totals_differ` when header and lines differ beyond the tolerance.
    """
    parts = [
        *_goods(order, scope),
        *_shipping(order, scope),
        *_duties(order, scope),
        *_fees(order, scope),
    ]
    _share_discount(order, parts, scope)
    _share_tax(order, parts, scope)
    if order.taxes_included:
        _spread_tax(parts, scope.settings.rounding_tolerance)
    lines = [_line(part, scope, inclusive=order.taxes_included) for part in parts]
    return _closed(order, parts, lines, scope)


def taxes_of(lines: list[wire.TaxLine], scope: Scope, where: str) -> list[Tax]:
    """The shop's tax lines in minor units."""
    return [
        Tax(
            plain_text(line.title) or "tax",
            scope.minor(line.price, line.price_set, f"{where}, tax"),
            None if line.rate is None else wire.decimal(line.rate),
            line.channel_liable is True,
        )
        for line in lines
    ]


def tax_lines(taxes: list[Tax], base: int, scope: Scope, where: str) -> tuple[TaxLine, ...]:
    """Canonical tax lines: code and jurisdiction are our tax code for the shop's title."""
    found = []
    for tax in taxes:
        code, rate = _tax_name(tax, scope, where)
        found.append(
            TaxLine(
                code=code,
                jurisdiction=code,
                amount=tax.amount,
                base=base,
                rate_ppm=rate,
                collector="marketplace" if tax.liable else "seller",
            )
        )
    return tuple(found)


def _tax_name(tax: Tax, scope: Scope, where: str) -> tuple[str, int | None]:
    """Our tax code for the shop's title, and the rate in parts per million; known ones are kept."""
    known = scope.taxes.get((tax.title, tax.rate))
    if known is not None:
        return known
    shown = "" if tax.rate is None else f"{tax.rate * 100:f} %"
    code = scope.names.ours("tax", tax.title, where=where, hint=shown)
    rate = None if tax.rate is None else int((tax.rate * MILLION).to_integral_value())
    if code:  # a missing name is told at each place it is missed
        scope.taxes[(tax.title, tax.rate)] = (code, rate)
    return code, rate


def without_tax(listed: int, discount: int, taxes: list[Tax]) -> tuple[int, int]:
    """(list, discount) without tax from amounts that include it; list - discount is
    listed - discount - tax exactly. Without a discount there is nothing to round.
    """
    tax = sum(found.amount for found in taxes)
    net = listed - discount - tax
    if discount == 0:
        return net, 0
    rates = [found.rate for found in taxes if found.rate is not None]
    if len(rates) == len(taxes):
        bare = Decimal(listed) / (1 + sum(rates, Decimal(0)))
    elif listed > discount:
        bare = Decimal(listed) * net / (listed - discount)
    else:
        bare = Decimal(listed)
    rounded = int(bare.quantize(Decimal(1), rounding=ROUND_HALF_UP))
    return max(rounded, net), max(rounded, net) - net


def _goods(order: wire.Order, scope: Scope) -> Iterator[Part]:
    for place, line in enumerate(order.line_items, 1):
        title = plain_text(line.title)
        where = f"line {place} ({title})" if title else f"line {place}"
        kind = _kind(line)
        yield Part(
            kind=kind,
            line=wire.number(line.id),
            where=where,
            listed=scope.minor(line.price, line.price_set, f"{where}, price") * line.quantity,
            discount=_discount(line, scope, where),
            taxes=taxes_of(line.tax_lines, scope, where),
            quantity=line.quantity * ONE,
            product=product(line, scope, where) if kind in ("goods", "service") else "",
            title=title,
            ships=kind == "goods",
            taxable=line.taxable,
        )


def product(line: wire.LineItem, scope: Scope, where: str) -> str:
    """Our product code by SKU, else by variant, else by title (custom lines have only that)."""
    title = plain_text(line.title)
    if line.sku and line.sku.strip():
        theirs = line.sku.strip()
    elif line.variant_id is not None:
        theirs = f"variant:{wire.number(line.variant_id)}"
    else:
        theirs = f"title:{title}"
    hint = f"{title} {plain_text(line.variant_title)}".strip()
    return scope.names.ours("product", theirs, where=where, hint=hint)


def _kind(line: wire.LineItem) -> str:
    if line.tip is not None:
        return "tip"
    if line.gift_card:
        return "gift_card"
    return "goods" if line.requires_shipping else "service"


def _discount(line: wire.LineItem, scope: Scope, where: str) -> int:
    """Allocations hold every discount; total_discount (line discounts only) is the older way."""
    if line.discount_allocations:
        return _allocated(line.discount_allocations, scope, where)
    return scope.minor(line.total_discount, line.total_discount_set, f"{where}, discount")


def _allocated(found: list[wire.Allocation], scope: Scope, where: str) -> int:
    return sum(scope.minor(one.amount, one.amount_set, f"{where}, discount") for one in found)


def _shipping(order: wire.Order, scope: Scope) -> Iterator[Part]:
    for line in order.shipping_lines:
        if line.is_removed:
            continue
        title = plain_text(line.title)
        where = f"shipping ({title})" if title else "shipping"
        listed = scope.minor(line.price, line.price_set, where)
        discount = _allocated(line.discount_allocations, scope, where)
        if not line.discount_allocations and line.discounted_price is not None:
            bag = line.discounted_price_set
            discount = listed - scope.minor(line.discounted_price, bag, where)
        yield Part(
            kind="shipping",
            line=f"shipping-{wire.number(line.id)}",
            where=where,
            listed=listed,
            discount=max(discount, 0),
            taxes=taxes_of(line.tax_lines, scope, where),
            title=title,
        )


def _duties(order: wire.Order, scope: Scope) -> Iterator[Part]:
    """Duty beside the prices; where prices include it there is nothing to add."""
    if order.duties_included:
        return
    seen = False
    for place, line in enumerate(order.line_items, 1):
        for duty in line.duties:
            seen = True
            where = f"line {place}, duty"
            amount = scope.minor("0", wire.MoneySet(duty.shop_money), where)
            taxes = taxes_of(duty.tax_lines, scope, where)
            ident = f"duty-{wire.number(duty.id)}"
            yield Part(
                kind="duty", line=ident, where=where, listed=amount, taxes=taxes, title="duty"
            )
    total = scope.set_minor(order.original_total_duties_set, "duties")
    if total and not seen:
        yield Part(kind="duty", line="duty", where="duties", listed=total, title="duty")


def _fees(order: wire.Order, scope: Scope) -> Iterator[Part]:
    total = scope.set_minor(order.original_total_additional_fees_set, "additional fees")
    if total:
        title = "additional fees"
        yield Part(kind="fee", line="fee", where=title, listed=total, title=title)


def _share_discount(order: wire.Order, parts: list[Part], scope: Scope) -> None:
    """Old payloads tell an order's discount in the header only: share it by value."""
    told = [line.discount_allocations for line in order.line_items]
    told += [line.discount_allocations for line in order.shipping_lines]
    if any(told):
        return
    total = scope.minor(order.total_discounts, order.total_discounts_set, "discounts")
    rest = total - sum(part.discount for part in parts)
    codes = order.discount_codes
    for_shipping = bool(codes) and all(code.type == "shipping" for code in codes)
    wanted = ("shipping",) if for_shipping else ("goods", "service")
    sharing = [part for part in parts if part.kind in wanted and part.paid > 0]
    if rest <= 0 or rest > sum(part.paid for part in sharing):
        return
    for part, share in zip(sharing, split(rest, [part.paid for part in sharing]), strict=True):
        part.discount += share


def _share_tax(order: wire.Order, parts: list[Part], scope: Scope) -> None:
    """Old payloads tell tax in the header only: share each tax over the taxable lines by value."""
    if any(part.tax for part in parts):
        return
    taxes = taxes_of(order.tax_lines, scope, "order")
    if not taxes:
        amount = scope.minor(order.total_tax, order.total_tax_set, "order tax")
        taxes = [Tax("tax", amount)]
    if not any(tax.amount for tax in taxes):
        return
    sharing = [part for part in parts if part.kind in ("goods", "service") and part.taxable]
    sharing = sharing or [part for part in parts if part.kind != "gift_card"] or parts
    if not sharing:
        return
    for part in sharing:
        part.taxes = []
        part.where += ", with its share of the order's tax"
    for tax in taxes:
        shares = split(tax.amount, [max(part.paid, 0) for part in sharing])
        for part, share in zip(sharing, shares, strict=True):
            part.taxes.append(msgspec.structs.replace(tax, amount=share))


def _spread_tax(parts: list[Part], tolerance: int) -> None:
    """A tax that one line alone bears, too much for it but right for all, is shared by value."""
    sharing = [part for part in parts if part.paid > 0 and part.taxable and part.kind in SPREAD]
    bearing = [part for part in sharing if part.tax]
    taxes = bearing[0].taxes if len(bearing) == 1 else []
    if len(taxes) != 1 or not (rate := taxes[0].rate):
        return
    tax, inside, slack = taxes[0], rate / (1 + rate), tolerance * len(sharing)
    fits = abs(sum(part.paid for part in sharing) * inside - tax.amount) <= slack
    if fits and tax.amount - bearing[0].paid * inside > slack:
        for part, share in zip(sharing, split(tax.amount, [p.paid for p in sharing]), strict=True):
            part.taxes = [msgspec.structs.replace(tax, amount=share)]
            part.where += ", with its share of the tax told on one line"


def _line(part: Part, scope: Scope, *, inclusive: bool) -> OrderLine:
    if inclusive:
        listed, discount = without_tax(part.listed, part.discount, part.taxes)
    else:
        listed, discount = part.listed, part.discount
    if listed < discount:
        raise NeedsDecision(
            "amounts_contradict",
            f"{part.where}: discount and tax are more than the price",
            owner="ecommerce",
            amount=discount - listed,
            currency=scope.currency,
        )
    return OrderLine(
        line=part.line,
        kind=part.kind,
        product=part.product,
        quantity=part.quantity,
        list=listed,
        discount=discount,
        taxes=tax_lines(part.taxes, listed - discount, scope, part.where),
        title=part.title,
        ships=part.ships,
    )


def _closed(
    order: wire.Order, parts: list[Part], lines: list[OrderLine], scope: Scope
) -> tuple[tuple[OrderLine, ...], int]:
    """Add what stands in the header only (tip, cash rounding, rounding), so that all sums up."""
    total = scope.minor(order.total_price, order.total_price_set, "total")
    tip = scope.minor(order.total_tip_received, None, "tip")
    tip -= sum(line.gross for line in lines if line.kind == "tip")
    if tip > 0 and sum(line.gross for line in lines) != total:
        lines.append(_amount("tip", "tip", tip, "tip"))
    difference = total - sum(line.gross for line in lines)
    cash = scope.set_minor(
        order.total_cash_rounding_payment_adjustment_set, "cash rounding", signed=True
    )
    if cash:
        lines.append(_amount("rounding", "cash-rounding", cash, "rounding of a cash payment"))
        # The header's total is before cash rounding, unless the lines show that it is after.
        if difference == cash:
            difference = 0
        else:
            total += cash
    tolerance = scope.settings.rounding_tolerance * sum(1 + len(part.taxes) for part in parts)
    if abs(difference) > tolerance:
        raise _totals_differ(order, parts, lines, difference, scope)
    if difference:
        shown = to_text(difference, scope.currency)
        lines.append(_amount("rounding", "rounding", difference, f"header less lines: {shown}"))
    return tuple(lines), total


def _amount(kind: str, line: str, amount: int, title: str) -> OrderLine:
    """A line of money without goods, tax or discount."""
    return OrderLine(
        line=line, kind=kind, product="", quantity=ONE, list=amount, title=title, ships=False
    )


def _totals_differ(
    order: wire.Order,
    parts: list[Part],
    lines: list[OrderLine],
    difference: int,
    scope: Scope,
) -> NeedsDecision:
    """The case's words: every figure of both sides, so that nobody has to open the payload."""
    shipping = [part for part in parts if part.kind == "shipping"]
    goods = [part for part in parts if part.kind != "shipping"]
    figures = [("lines", sum(part.listed for part in goods))]
    discount = sum(part.discount for part in goods)
    if discount:
        figures.append(("discounts", -discount))
    if not order.taxes_included:
        figures.append(("tax", sum(part.tax for part in parts)))
    figures.append(("shipping", sum(part.paid for part in shipping)))
    figures += [(line.title, line.list) for line in lines[len(parts) :]]
    told = "".join(
        f" {'-' if amount < 0 else '+'} {name} {to_text(abs(amount), scope.currency)}"
        for name, amount in figures
    ).removeprefix(" + ")
    found = sum(amount for _, amount in figures)
    header = found + difference
    missing = "missing from" if difference > 0 else "too much in"
    words = (
        f"order {plain_text(order.name)}: {told} = {to_text(found, scope.currency)}, header says "
        f"{to_text(header, scope.currency)}: {to_text(abs(difference), scope.currency)} "
        f"{scope.currency} {missing} the lines"
    )
    details = {"sum": found, "header": header, **dict(figures)}
    return NeedsDecision(
        "totals_differ",
        words,
        owner="ecommerce",
        amount=abs(difference),
        currency=scope.currency,
        details={name.replace(" ", "_"): amount for name, amount in details.items()},
    )
