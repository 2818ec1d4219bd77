"""Orders on account: goods are invoiced before they are paid, and owed until they are. Pure.

Money and value go through the order's deposit as those of any order. An invoice moves what it
comes to from there to the buyer's debt; credit notes and money move it back, up to what is open. So
what is open = invoiced - credited - paid whatever came first, and what was paid beyond it stays a
deposit that the buyer is owed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from tillbridge.canonical.documents import DocumentLine
from tillbridge.canonical.orders import Order
from tillbridge.canonical.receivables import (
    CREDIT_NOTE,
    INVOICE,
    SETTLED_BY,
    BankPaymentMatched,
    CreditNoteIssued,
    InvoiceIssued,
    ReceivableSettled,
)
from tillbridge.canonical.registry import Body
from tillbridge.canonical.valued import ValuedRow
from tillbridge.orchestration.orders.account_state import Account, Banked, Issued
from tillbridge.orchestration.orders.state import LineValue, OrderState
from tillbridge.orchestration.orders.valuing import When, about

_SEP = "\x1f"
_NONE = Account()


def is_on_account(state: OrderState) -> bool:
    """Whether the buyer pays later, by what any telling of the order said."""
    return state.account is not None and state.account.days is not None


def agreed(state: OrderState, told: Order) -> bool:
    """Keep the terms of payment a telling names; False when they are known."""
    if told.payment_days is None:
        return False
    known = state.account or _NONE
    if known.days is not None and (told.version, told.payment_days) <= (known.version, known.days):
        return False
    state.account = msgspec.structs.replace(known, days=told.payment_days, version=told.version)
    return True


def banked(state: OrderState, body: BankPaymentMatched) -> bool:
    """Keep what a bank's line brought; False when it is known."""
    known = state.account or _NONE
    if body.reference in known.banked:
        return False
    row = Banked(body.tender, body.amount, body.currency, body.invoice)
    state.account = msgspec.structs.replace(known, banked={**known.banked, body.reference: row})
    return True


def issued(
    state: OrderState,
    order: Order,
    when: When,
    key: str,
    lines: tuple[DocumentLine, ...],
    total: int,
) -> list[Body]:
    """Tell that a paper was issued. key: its operation id. total: what it comes to without tax that
    others collect, minor units; negative is a credit note.
    """
    account = state.account or _NONE
    word = {"invoice": "", "credit_note": "C"}.get(key.split("/")[-2], "A")
    number = f"{order.number.removeprefix('#')}-{word}{key.rsplit('/', 1)[-1]}"
    due_on = when.business_date + timedelta(days=account.days or 0)
    one = Issued(number, total, when.business_date, due_on)
    state.account = msgspec.structs.replace(account, issued={**account.issued, key: one})
    told: dict[str, Any] = {"number": number, "lines": lines, "party": order.party}
    told |= about(state, order, when, "issue")
    if total > 0:
        return [InvoiceIssued(invoice=key, total=total, due_on=due_on, **told)]
    return [CreditNoteIssued(credit_note=key, total=-total, **told)]


def ours(value: LineValue) -> int:
    """What the buyer owes us of a value: without the tax that others collect."""
    taxes = (amount for tax, amount in value.taxes.items() if tax.rsplit(_SEP, 1)[-1] == "seller")
    return value.list - value.discount + sum(taxes)


def _late(state: OrderState, order: Order, when: When) -> list[Body]:
    """What was invoiced before anybody said that the order is on account, in one."""
    account = state.account
    if account is None or account.days is None:
        return []
    earned = sum(ours(value) for value in state.recognised.values())
    back = sum(ours(value) for value in state.reversed.values())
    left = earned - back - sum(one.total for one in account.issued.values())
    if not left:
        return []
    return issued(
        state, order, when, f"{state.key}/on_account/{state.step('on_account')}", (), left
    )


def settle(state: OrderState, order: Order, when: When) -> list[Body]:
    """ReceivableSettled for what has to stand against each invoice by now, less what does."""
    if state.account is None:
        return []
    late = _late(state, order, when)
    account = state.account
    if not account.issued:
        return late
    target = shared(account, _money(state))
    changed, rows = {}, []
    for key, one in account.issued.items():
        wanted = target.get(key, (0, 0))
        booked = (one.credited, one.paid)
        if wanted != booked:
            changed[key] = msgspec.structs.replace(one, credited=wanted[0], paid=wanted[1])
            rows += [
                ValuedRow(kind, now - before, key)
                for kind, now, before in zip(SETTLED_BY, wanted, booked, strict=True)
                if now != before
            ]
    if not rows:
        return late
    state.account = msgspec.structs.replace(account, issued={**account.issued, **changed})
    return [*late, ReceivableSettled(rows=tuple(rows), **about(state, order, when, "settle"))]


def receivable_rows(states: Iterable[OrderState]) -> list[tuple[object, ...]]:
    """What is stored of each invoice and credit note of these orders, in the order of the table's
    columns; empty where none is on account.
    """
    rows: list[tuple[object, ...]] = []
    for state in states:
        order, account = state.order, state.account
        if order is None or account is None:
            continue
        for n, (key, one) in enumerate(account.issued.items(), 1):
            seen = state.documents.get(key)
            kind = INVOICE if one.total > 0 else CREDIT_NOTE
            credited = one.credited if one.total > 0 else one.total
            rows.append(
                (
                    key, state.key, n, kind, one.number, seen.number if seen else "",
                    order.number, state.entities.selling, order.channel, order.party,
                    order.currency, one.issued_on, one.due_on, one.total, credited, one.paid,
                )
            )  # fmt: skip
    return rows


def _money(state: OrderState) -> int:
    """What of the buyer's money is in the books, minor units."""
    back = sum(v.list - v.discount + sum(v.taxes.values()) for v in state.recharged.values())
    paid = sum(state.deposited.values()) - sum(state.refunded.values()) - back
    return max(paid, 0)


def shared(account: Account, money: int) -> dict[str, tuple[int, int]]:
    """What is credited and what is paid of each invoice, minor units: credit notes from the oldest
    invoice on, then money to the invoices that payments name, then what is left of it from the
    oldest on.
    """
    invoices = {key: one.total for key, one in account.issued.items() if one.total > 0}
    credit = -sum(one.total for one in account.issued.values() if one.total < 0)
    credited = _filled(invoices, credit)
    open_ = {key: total - credited.get(key, 0) for key, total in invoices.items()}
    paid: dict[str, int] = {}
    for one in account.banked.values():
        part = min(one.amount, money, open_.get(one.invoice, 0))
        if part > 0:
            paid[one.invoice] = paid.get(one.invoice, 0) + part
            open_[one.invoice] -= part
            money -= part
    for key, part in _filled(open_, money).items():
        paid[key] = paid.get(key, 0) + part
    return {key: (credited.get(key, 0), paid.get(key, 0)) for key in invoices}


def _filled(open_: Mapping[str, int], amount: int) -> dict[str, int]:
    """An amount over what is open, the oldest first."""
    parts = {}
    for key, left in open_.items():
        part = min(amount, left)
        if part > 0:
            parts[key] = part
            amount -= part
    return parts
