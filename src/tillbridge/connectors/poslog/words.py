"""The words of a receipt that does not add up: every sum, the header's, and what is unread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import to_text
from tillbridge.connectors.poslog import wire
from tillbridge.connectors.poslog.coins import Coins
from tillbridge.connectors.poslog.paying import Paid
from tillbridge.connectors.poslog.reading import Reading, Totals


def goods_differ(
    reading: Reading, totals: Totals, retail: wire.Retail, coins: Coins
) -> NeedsDecision:
    """The case of lines and taxes that do not meet the header."""
    currency = coins.currency
    unread = [
        (line.part.element, coins.minor(line.part.amount))
        for line in retail.lines
        if isinstance(line.part, wire.Unread)
    ]
    header = reading.total + reading.difference
    sums = f"lines {to_text(reading.goods_sum, currency)}"
    for name, value in (
        ("rewards", -reading.reward_sum),
        ("discounts", -reading.discount_sum),
        ("taxes", reading.added_tax),
    ):
        if value:
            sums += f" {'-' if value < 0 else '+'} {name} {to_text(abs(value), currency)}"
    words = (
        f"{sums} = {to_text(reading.total, currency)}, the header says {to_text(header, currency)}:"
        f" {to_text(reading.difference, currency)} {currency} is not explained by the log"
    )
    if reading.difference == 0:
        words = (
            f"{sums} meets the header, but the taxes sum to {to_text(reading.tax_sum, currency)}"
            f" and the header says {to_text(totals.tax or 0, currency)}"
        )
    if unread:
        named = ", ".join(f"{name} {to_text(value, currency)}" for name, value in unread)
        words += f"; elements that are not read: {named}"
    elif reading.difference:
        words += f"; {_guess(reading)}"
    return NeedsDecision(
        "totals_differ",
        words,
        owner="stores",
        amount=abs(reading.difference or reading.tax_difference),
        currency=currency,
        details=_figures(reading, totals, unread),
    )


def payments_differ(
    movements: Sequence[Paid], reading: Reading, total: int, currency: str
) -> NeedsDecision:
    """The case of tenders that do not meet the total."""
    taken = sum(each.amount for each in movements)
    told = " + ".join(
        f"{each.tender_type or 'tender'} {to_text(each.amount, currency)}" for each in movements
    )
    return NeedsDecision(
        "totals_differ",
        f"lines and taxes meet the total of {to_text(total, currency)}, but the tenders"
        f" {told or '(none)'} sum to {to_text(taken, currency)}:"
        f" {to_text(total - taken, currency)} {currency} is missing",
        owner="stores",
        amount=abs(total - taken),
        currency=currency,
        details={
            "total": total,
            "lines": reading.goods_sum,
            "taxes": reading.tax_sum,
            "tenders": taken,
            "difference": total - taken,
        },
    )


def _guess(reading: Reading) -> str:
    """What seems missing, in plain words."""
    if reading.tax_difference and abs(reading.tax_difference) == abs(reading.difference):
        return "it is the difference to the header's tax, so a tax line seems missing"
    if reading.difference < 0:
        return "a discount, reward or void seems missing"
    return "a line, fee or tax seems missing"


def _figures(reading: Reading, totals: Totals, unread: Sequence[tuple[str, int]]) -> dict[str, Any]:
    return {
        "lines": reading.goods_sum,
        "rewards": -reading.reward_sum,
        "discounts": -reading.discount_sum,
        "taxes": reading.tax_sum,
        "taxes_added": reading.added_tax,
        "header_total": totals.grand,
        "header_tax": totals.tax,
        "difference": reading.difference,
        "unread": [list(each) for each in unread],
    }
