"""A receipt whose sums are proven: lines without tax, taxes, tenders, all in signed minor units.

Vendor's words still (`wire` records), but no dialect is left: every amount has its final sign,
stands once, and the parts meet the header's total. What cannot be proven raises NeedsDecision.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.connectors.poslog import wire
from tillbridge.connectors.poslog.coins import Coins
from tillbridge.connectors.poslog.paying import Paid, Payment, Payments
from tillbridge.connectors.poslog.reading import Reading, Readings, Totals
from tillbridge.connectors.poslog.sharing import Shared, shared
from tillbridge.connectors.poslog.words import goods_differ, payments_differ


class Receipt(msgspec.Struct, frozen=True):
    """A proven receipt. rounding: what the log's own totals disagree by, within the tolerance.
    Sum of lines' net and taxes + receipt taxes + rounding = total; sum of movements = total +
    cash rounding.
    """

    lines: tuple[Shared, ...]
    taxes: tuple[tuple[wire.Tax, int], ...]
    movements: tuple[Paid, ...]
    total: int
    rounding: int


def prove(retail: wire.Retail, currency: str, tolerance: int, step: int) -> Receipt:
    """The receipt as its own totals prove it. tolerance, step: minor units (see the settings).

    Raises NeedsDecision `totals_differ`, `totals_missing`, `tax_unstated` or `rate_missing`.
    """
    coins = Coins(currency)
    _check_currency(retail, currency)
    payments = Payments(retail, coins, currency)
    totals = _totals_of(retail, coins, payments)
    settled = partial(payments.settle, step=step)
    reading, rounding = _choose(retail, totals, coins, tolerance, settled)
    _check_rates(reading, retail)
    total = reading.total + rounding
    payment = payments.settle(total, step)
    if payment is None or (payment.sum != 0 and not payments.count):
        raise payments_differ(payments.likeliest(), reading, total, currency)
    lines, taxes, left = shared(reading, _disagreement(reading, totals, tolerance))
    return Receipt(lines, taxes, payment.movements, total, rounding + left)


def _totals_of(retail: wire.Retail, coins: Coins, payments: Payments) -> Totals:
    """The header's totals; without one of the whole receipt the tenders are the measure."""
    told: dict[str, set[Decimal]] = {}
    by_code: dict[str, dict[str, Decimal]] = {}
    for total in retail.totals:
        told.setdefault(total.total_type, set()).add(total.amount)
        by_code.setdefault(total.total_type, {})[total.type_code] = total.amount

    def value(name: str) -> int | None:
        amounts = told.get(name)
        if amounts is None:
            return None
        if len(amounts) == 1:
            return coins.minor(amounts.copy().pop())
        if len(by_code[name]) < len(amounts):
            raise NeedsDecision(
                "totals_differ",
                f"the header tells {name} more than once, with different amounts",
                owner="stores",
            )
        return coins.minor(sum(by_code[name].values(), Decimal(0)))

    grand, tax, net = (
        value("TransactionGrandAmount"),
        value("TransactionTaxAmount"),
        value("TransactionNetAmount"),
    )
    if grand is None and net is not None and tax is not None:
        grand = net + tax
    if grand is None:
        grand = value("TransactionGrossAmount")
    if grand is None and payments.count:
        grand = sum(each.amount for each in payments.likeliest())
    if grand is None:
        raise NeedsDecision(
            "totals_missing",
            "the receipt has neither a total nor a tender, so nothing proves its lines",
            owner="stores",
        )
    return Totals(grand=grand, tax=tax, net=net, roundings=payments.roundings)


def _choose(
    retail: wire.Retail,
    totals: Totals,
    coins: Coins,
    tolerance: int,
    settled: Callable[[int], Payment | None],
) -> tuple[Reading, int]:
    """The likeliest reading that meets the totals and what was paid, else the totals alone; and the
    rounding line it needs (mostly 0).

    Totals may be met by chance: 15 come back less a discount of 10 that is told twice. That is -5,
    or, if both are taken, 5; and 5 is what a header says that tells refunds without a sign.
    """
    best: dict[str, Reading] = {}
    for reading in Readings(retail, totals, coins).each():
        met = _met(reading, tolerance)
        if met == "exactly" and settled(reading.total) is not None:
            return reading, 0
        best.setdefault("first", reading)
        best.setdefault(met, reading)
    likeliest = best.get("exactly") or best.get("but for tax")
    if likeliest is not None:
        return likeliest, 0
    rounded = best.get("rounded")
    if rounded is not None and (coins.inexact or _disagree(totals, tolerance)):
        return rounded, rounded.difference
    if not best:
        raise AssertionError("there is always a first reading")
    raise goods_differ(best["first"], totals, retail, coins)


def _met(reading: Reading, tolerance: int) -> str:
    """How well a reading meets the totals."""
    off, tax_off = abs(reading.difference), abs(reading.tax_difference)
    if off == 0 and tax_off == 0:
        return "exactly"
    if max(off, tax_off) > tolerance:
        return "not"
    return "rounded" if off else "but for tax"


def _disagree(totals: Totals, tolerance: int) -> bool:
    """Whether the header's own net, tax and grand totals miss each other by a rounding."""
    if totals.grand is None or totals.net is None or totals.tax is None:
        return False
    return 0 < abs(totals.grand - totals.net - totals.tax) <= tolerance


def _disagreement(reading: Reading, totals: Totals, tolerance: int) -> int:
    """Where only the header tells the tax of prices that hold it, net and tax of the header may
    miss the total by a cent: that cent is a rounding, not revenue.
    """
    header_only = reading.choice.tax_source == "header" and reading.choice.inclusion == "included"
    if not header_only or totals.grand is None or not _disagree(totals, tolerance):
        return 0
    return reading.choice.header_sign * (totals.grand - (totals.net or 0) - (totals.tax or 0))


def _check_rates(reading: Reading, retail: wire.Retail) -> None:
    """A rate without any amount would have to be computed here, and that is not ours to do."""
    if reading.choice.tax_source != "none":
        return
    rates = {
        tax.percent
        for line in retail.lines
        for tax in (line.part.taxes if isinstance(line.part, wire.Merchandise) else ())
        if tax.percent and tax.charged
    }
    if rates and reading.total:
        names = ", ".join(f"{rate.normalize():f} %" for rate in sorted(rates))
        raise NeedsDecision(
            "tax_unstated",
            f"the log tells tax rates ({names}) but no amount of tax, neither in its lines nor in"
            " its totals",
            owner="finance",
        )


def _check_currency(retail: wire.Retail, currency: str) -> None:
    for line in retail.lines:
        part = line.part
        if isinstance(part, wire.Merchandise) and part.currency not in ("", currency):
            raise NeedsDecision(
                "currency_differs",
                f"line {line.number} is told in {part.currency}, the receipt in {currency}",
                owner="stores",
            )
