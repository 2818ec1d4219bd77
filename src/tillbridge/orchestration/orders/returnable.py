"""What of a sale can still come back, and what it is worth. Pure.

A line's worth is shared over its pieces cumulatively; the pieces that complete it take the rest of
what it was sold for, and with the last goods of a sale goes whatever remains in the books.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Literal

import msgspec

from tillbridge.canonical.orders import Order
from tillbridge.canonical.sales import SaleRung, with_receipt_taxes
from tillbridge.orchestration.orders.return_state import Return
from tillbridge.orchestration.orders.returns import came_back
from tillbridge.orchestration.orders.state import GONE, OrderState, shipped
from tillbridge.orchestration.orders.value import part
from tillbridge.orchestration.terms import NO_WINDOW, OrderTerms

Why = Literal["", "not_handed_over", "returned", "too_many", "window_over"]
"""Why goods may not come back; "" = they may."""


class Sold(msgspec.Struct):
    """One line of goods. sold, gone, returned, expected: thousandths ordered, handed over, back
    (goods or their money), authorised and not here yet. gross: minor units with tax for all that
    was sold; given: of it already given back.
    """

    line: str
    product: str
    title: str
    sold: int
    gone: int
    gross: int
    returned: int = 0
    expected: int = 0
    given: int = 0

    @property
    def left(self) -> int:
        """Thousandths that can still come back."""
        return max(self.gone - self.returned - self.expected, 0)

    def worth(self, quantity: int) -> int:
        """Minor units for so many thousandths more; those that complete the line take the rest."""
        back = self.returned + self.expected
        if back + quantity >= self.sold:
            open_ = part(self.gross, back, self.sold) - part(self.gross, self.returned, self.sold)
            return max(self.gross - self.given - open_, 0)
        return part(self.gross, back + quantity, self.sold) - part(self.gross, back, self.sold)


class Judged(msgspec.Struct, frozen=True):
    """What is asked of one line, and the answer."""

    sold: Sold
    quantity: int
    amount: int
    why: Why


def sold_by_order(state: OrderState, order: Order) -> list[Sold]:
    """The goods of an order and what became of them."""
    gone, found = shipped(state), came_back(state)
    lines = {
        one.line: Sold(
            one.line, one.product, one.title, one.quantity, gone.get(one.line, 0), one.gross
        )
        for one in order.lines
        if one.kind == "goods"
    }
    refunded: dict[str, int] = {}
    for refund in state.refunds.values():
        for told in refund.lines:
            if told.line in lines and told.restock == "cancel":
                lines[told.line].sold -= told.quantity
                lines[told.line].gross -= told.net + sum(tax.amount for tax in told.taxes)
            elif told.line in lines:
                refunded[told.line] = refunded.get(told.line, 0) + told.quantity
                lines[told.line].given += told.net + sum(tax.amount for tax in told.taxes)
    for one in found.at_tills:
        refunded[one.line] = refunded.get(one.line, 0) + one.quantity
        lines[one.line].given += one.gross
    for name, line in lines.items():
        line.returned = max(found.lines.get(name, 0), refunded.get(name, 0))
    _expect(lines, state.returns)
    return list(lines.values())


def sold_by_till(sale: SaleRung, back: Mapping[str, Return], *, voided: bool) -> list[Sold]:
    """The goods of a till sale and what became of them; of a voided one nothing was handed over."""
    lines = {
        one.line: Sold(
            one.line,
            one.product,
            one.title,
            one.quantity,
            0 if voided else one.quantity,
            one.gross,
        )
        for one in with_receipt_taxes(sale)
        if one.kind == "goods" and one.direction == "sale" and not one.fulfil
    }
    for one in back.values():
        for receipt in one.receipts.values():
            for index, told in enumerate(receipt.lines):
                rung = receipt.rung[index] if index < len(receipt.rung) else None
                paid = -rung.gross if rung else 0
                _take(lines, told.line, told.product, told.quantity, paid)
    _expect(lines, back)
    return list(lines.values())


def _take(lines: dict[str, Sold], name: str, product: str, quantity: int, paid: int) -> None:
    rest = quantity
    for line in lines.values():
        if line.line == name or (not name and line.product == product):
            taken = min(rest, line.gone - line.returned)
            if taken > 0:
                before = quantity - rest
                line.given += part(paid, before + taken, quantity) - part(paid, before, quantity)
                line.returned += taken
                rest -= taken


def _expect(lines: dict[str, Sold], returns: Mapping[str, Return]) -> None:
    """What was authorised and did not come yet. A till that took goods back knows the sale, not the
    authorisation: what came under no authorisation uses up those there are.
    """
    spare: dict[str, int] = {}
    for one in returns.values():
        if one.authorized is None:
            _add_up(spare, one)
    for number in sorted(returns):
        own: dict[str, int] = {}
        _add_up(own, returns[number])
        for told in returns[number].expected:
            rest = told.quantity
            for came in (own, spare):
                for name in (told.line, told.product):
                    used = min(rest, came.get(name, 0))
                    if name and used:
                        came[name] -= used
                        rest -= used
            if told.line in lines:
                lines[told.line].expected += rest


def _add_up(came: dict[str, int], one: Return) -> None:
    for receipt in one.receipts.values():
        for told in receipt.lines:
            name = told.line or told.product
            came[name] = came.get(name, 0) + told.quantity


def until_of(terms: OrderTerms, placed: date, state: OrderState | None = None) -> date | None:
    """The last day on which goods are taken back; None without a window or before it runs.

    What left at a till was handed over on the day of its sale.
    """
    if terms.return_days == NO_WINDOW:
        return None
    day: date | None = placed
    if state is not None and terms.return_from != "placed":
        told = [one.version for one in state.shipments.values() if one.state in GONE]
        day = max((d for d in map(_day, told) if d is not None), default=None)
    return None if day is None else day + timedelta(days=terms.return_days)


def _day(version: str) -> date | None:
    try:
        return datetime.fromisoformat(version).date()
    except ValueError:
        return None


def judged(
    sold: Sequence[Sold], asked: Mapping[str, int], until: date | None, today: date
) -> list[Judged]:
    """The answer for each line. asked: thousandths by line; a line not in it is only told."""
    found = []
    for line in sold:
        quantity = asked.get(line.line, 0)
        why = _why(line, max(quantity, 1), until, today)
        amount = 0 if why else line.worth(quantity) if quantity else 0
        found.append(Judged(line, quantity, amount, why))
    return found


def _why(line: Sold, quantity: int, until: date | None, today: date) -> Why:
    if line.left < quantity:
        if not line.gone:
            return "not_handed_over"
        return "too_many" if line.left else "returned"
    return "window_over" if until is not None and today > until else ""


def amount_back(found: Iterable[Judged], remains: int, rounding: int) -> int:
    """Minor units to give back for what is asked and may come back, never more than remains.

    rounding: by how many minor units lines and total of the sale differ: what the last goods of a
    sale leave of that goes with them.
    """
    lines = list(found)
    amount = min(sum(one.amount for one in lines), remains)
    last = all(
        one.sold.returned + one.sold.expected + one.quantity >= one.sold.sold for one in lines
    )
    allowed = any(one.quantity for one in lines) and not any(o.why for o in lines if o.quantity)
    return remains if last and allowed and 0 < remains - amount <= rounding else amount
