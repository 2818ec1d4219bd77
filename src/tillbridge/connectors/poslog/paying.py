"""What was taken and given at the till, proven against the total of the receipt.

The same way as `reading.py`: change may be told inside a tender, as a tender of its own or as a
line of its own; an amount may be with or without the change; cash handed out on a card may be a
line or only a remark. The answers that meet the total are the reading. Cash rounding is what the
log tells as rounding, or what the smallest coin of the currency makes of a cash amount.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from decimal import Decimal

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.connectors.poslog import voids, wire
from tillbridge.connectors.poslog.coins import Coins

_REFUND = re.compile(r"refund|return", re.IGNORECASE)
_ROUNDING = re.compile(r"rounding", re.IGNORECASE)
CASH = re.compile(r"cash$|^cash", re.IGNORECASE)


class Paid(msgspec.Struct, frozen=True):
    """One movement of money in signed minor units. tender: its wire record, None for change that
    is a line of its own. number: where it stood.
    """

    tender_type: str
    tender: wire.Tender | None
    number: str
    amount: int


class Payment(msgspec.Struct, frozen=True):
    """All movements of a receipt; difference: their sum less the total (0 or the cash rounding)."""

    movements: tuple[Paid, ...]
    sum: int
    difference: int


class _How(msgspec.Struct, frozen=True):
    """Answers to the questions a receipt's tenders raise."""

    void: str = "paired"
    change: str = "deducted"
    cashback: str = "lines"
    sign: int = 1


class Payments:
    """All readings of the tenders of one receipt, the likeliest first."""

    def __init__(self, retail: wire.Retail, coins: Coins, currency: str) -> None:
        self._coins = coins
        self._currency = currency
        self._lines = [
            line for line in retail.lines if isinstance(line.part, wire.Tender | wire.Change)
        ]
        self._voids = voids.has_voids(self._lines)
        self.roundings = self._told_roundings(retail)

    @property
    def count(self) -> int:
        """How many tender lines the log tells."""
        return len(self._lines)

    def each(self) -> Iterator[tuple[Paid, ...]]:
        """Movements under every set of answers."""
        tenders = [line.part for line in self._lines if isinstance(line.part, wire.Tender)]
        changed = any(part.change for part in tenders)
        handed = any(part.cashback for part in tenders)
        given = changed or any(_gives(line.part) for line in self._lines)
        unsigned = all(part.amount >= 0 for part in tenders) and bool(tenders)
        answers = itertools.product(
            (1, -1) if unsigned else (1,),
            voids.MODES if self._voids else ("paired",),
            _cashback_answers(handed=handed, given=given),
            ("deducted", "remarked") if changed else ("deducted",),
        )
        for sign, void, cashback, change in answers:
            yield self._read(_How(void=void, change=change, cashback=cashback, sign=sign))

    def settle(self, total: int, step: int) -> Payment | None:
        """The reading that meets the total, None when none does. step: smallest coin."""
        rounded: Payment | None = None
        for movements in self.each():
            taken = sum(each.amount for each in movements)
            if taken == total:
                return Payment(movements, taken, 0)
            if rounded is None and self._is_rounding(taken - total, movements, step):
                rounded = Payment(movements, taken, taken - total)
        return rounded

    def likeliest(self) -> tuple[Paid, ...]:
        """The first reading, to name in a case."""
        return next(self.each())

    def _is_rounding(self, difference: int, movements: tuple[Paid, ...], step: int) -> bool:
        """Whether a difference is cash rounding: told by the log, or the smallest coin's doing."""
        if difference in self.roundings:
            return True
        cash = [each.amount for each in movements if CASH.search(each.tender_type)]
        return bool(cash) and abs(difference) * 2 <= step and step > 1 and sum(cash) % step == 0

    def _read(self, how: _How) -> tuple[Paid, ...]:
        found: list[Paid] = []
        for line in voids.counting(self._lines, how.void):
            part = line.part
            if isinstance(part, wire.Change):
                value = -abs(self._coins.minor(part.amount))
                found.append(Paid(part.tender_type, None, line.number, value))
            elif isinstance(part, wire.Tender) and not _ROUNDING.search(part.tender_type):
                found += self._tender(part, line.number, how)
        return tuple(found)

    def _tender(self, part: wire.Tender, number: str, how: _How) -> Iterator[Paid]:
        value = how.sign * self._local(part, number)
        if _REFUND.search(part.type_code) and value > 0:
            value = -value
        change = abs(self._coins.minor(part.change)) if part.change else 0
        if change and how.change == "deducted" and value != -change:
            value -= change
        handed = abs(self._coins.minor(part.cashback)) if part.cashback else 0
        if handed and how.cashback == "beyond":
            value += handed
        yield Paid(part.tender_type, part, number, value)
        if handed and how.cashback in ("implied", "beyond"):
            yield Paid("Cash", None, number, -handed)

    def _local(self, part: wire.Tender, number: str) -> int:
        """Amount in the receipt's currency; a foreign one needs the log's own rate or amount."""
        if not part.currency or part.currency == self._currency:
            return self._coins.minor(part.amount)
        if part.local_amount is not None:
            return self._coins.minor(part.local_amount)
        if part.rate:
            return self._coins.product(part.amount, part.rate)
        raise NeedsDecision(
            "rate_missing",
            f"line {number}: a tender of {part.amount} {part.currency} on a receipt in"
            f" {self._currency} tells neither a rate nor the amount in {self._currency}",
            owner="stores",
        )

    def _told_roundings(self, retail: wire.Retail) -> tuple[int, ...]:
        """Cash roundings the log tells, in both directions; signs differ between dialects."""
        told: list[Decimal] = [
            total.amount for total in retail.totals if total.total_type == "RoundingAmount"
        ]
        inside = Decimal(0)
        for line in retail.lines:
            part = line.part
            if isinstance(part, wire.Rounding):
                told.append(part.amount)
            elif isinstance(part, wire.Tender):
                if _ROUNDING.search(part.tender_type):
                    told.append(part.amount)
                elif part.rounding:
                    inside += part.rounding
        values = {abs(self._coins.minor(each)) for each in (*told, inside) if each}
        return tuple(value for each in sorted(values) for value in (each, -each))


def _gives(part: wire.Part) -> bool:
    """Whether the line is cash that goes out of the till."""
    if isinstance(part, wire.Tender):
        return part.amount < 0 and CASH.search(part.tender_type) is not None
    return isinstance(part, wire.Change)


def _cashback_answers(*, handed: bool, given: bool) -> tuple[str, ...]:
    """Cash handed out on a card is a line of its own only where some line gives money."""
    if not handed:
        return ("lines",)
    return ("lines", "implied", "beyond") if given else ("implied", "beyond")
