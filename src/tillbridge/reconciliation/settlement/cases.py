"""What is wrong with payouts as cases of finance, each with its exact difference; they close by
themselves when it is mended.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import to_text
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.findings import settle
from tillbridge.reconciliation.settlement.payouts import QUERIES, Payout
from tillbridge.reconciliation.settlement.rules import Account

PATIENCE = timedelta(days=1)
"""A payout's lines may come so much later than its head."""


def tell_cases(
    connection: Connection, account: Account, payouts: Sequence[Payout], now: datetime
) -> int:
    """Open and close the cases of these payouts; gives how many were opened. The caller commits."""
    checked = {one.key for one in payouts}
    untied: dict[str, NeedsDecision] = {}
    untold: dict[str, NeedsDecision] = {}
    for one in payouts:
        if one.difference is None:
            words = _untold(account, one, now)
            if words:
                untold[one.key] = NeedsDecision(
                    "payout_without_total",
                    words,
                    owner="finance",
                    amount=abs(one.net or one.amount or 0),
                    currency=one.currency,
                )
        elif not one.ties:
            untied[one.key] = _untied(account, one)
    opened = settle(connection, "payout_does_not_tie", untied, now, checked=checked).opened
    opened += settle(connection, "payout_without_total", untold, now, checked=checked).opened
    opened += _tell_waiting(connection, payouts, now)
    return opened + _tell_differing(connection, account, payouts, now)


def _untold(account: Account, one: Payout, now: datetime) -> str:
    """What of a payout was not told, "" while it may still come."""
    if one.amount is None and one.lines:
        return (
            f"{one.lines} lines of {one.payout} come to {_text(one.net, one)}, and nothing says"
            f" what {account.name} paid out"
        )
    if one.amount is not None and now - one.heard_at > PATIENCE:
        return (
            f"{account.name} paid {_text(one.amount, one)} out as {one.payout}, and its lines never"
            " came"
        )
    return ""


def _untied(account: Account, one: Payout) -> NeedsDecision:
    off = one.difference or 0
    words = (
        f"{account.name} paid {_text(one.amount or 0, one)} out as {one.payout}; its {one.lines}"
        f" lines come to {_text(one.net, one)}: off by {_text(off, one)}"
    )
    if one.foreign:
        words += (
            f"; {one.foreign} lines are in {one.foreign_in}"
            f" ({to_text(one.foreign_net, one.foreign_in)})"
        )
    if one.own is not None and one.told is not None and one.own != -one.told:
        words += f"; its own line in the list says {_text(-one.own, one)}"
        off = off or one.told + one.own
    small = not one.foreign and abs(off) <= account.rules.tolerance
    return NeedsDecision(
        "payout_does_not_tie",
        words,
        owner="finance",
        amount=abs(off),
        currency=one.currency,
        remedy=f"tillbridge reconcile accept {one.key} --as rounding" if small else "",
        details={"payout": one.payout, "difference": off},
    )


def _tell_waiting(connection: Connection, payouts: Sequence[Payout], now: datetime) -> int:
    """Lines that are about no money of the book, of no known type, or in another currency."""
    by_id = {one.id: one for one in payouts}
    open_: dict[str, NeedsDecision] = {}
    unknown: dict[str, NeedsDecision] = {}
    foreign: dict[str, NeedsDecision] = {}
    for number, how, lines, net, _, names, amounts in connection.execute(
        QUERIES.waiting, (list(by_id),)
    ):
        one = by_id[number]
        first = ", ".join(names[:3])
        which = f"{lines} line(s) of {one.payout}, {_text(net, one)}, are"
        details = {"payout": one.payout, "lines": _listed(names, amounts)}
        if how == "open":
            open_[one.key] = NeedsDecision(
                "settlement_line_unmatched",
                f"{which} about money that no order, refund or dispute of the hub tells of:"
                f" {first}",
                owner="finance",
                amount=abs(net),
                currency=one.currency,
                details=details,
            )
        elif how == "unknown":
            unknown[one.key] = NeedsDecision(
                "settlement_line_unknown",
                f"{which} of a type that has no meaning here yet: {first}",
                owner="finance",
                amount=abs(net),
                currency=one.currency,
                details=details,
            )
        else:
            foreign[one.key] = NeedsDecision(
                "settlement_line_currency",
                f"{which} in another currency than the money they are about, and no rate is told:"
                f" {first}",
                owner="finance",
                amount=abs(net),
                currency=one.currency,
                details=details,
            )
    checked = {one.key for one in payouts}
    opened = settle(connection, "settlement_line_unmatched", open_, now, checked=checked).opened
    opened += settle(connection, "settlement_line_unknown", unknown, now, checked=checked).opened
    return (
        opened
        + settle(connection, "settlement_line_currency", foreign, now, checked=checked).opened
    )


def _tell_differing(
    connection: Connection, account: Account, payouts: Sequence[Payout], now: datetime
) -> int:
    """Lines of another amount than the book holds."""
    by_id = {one.id: one for one in payouts}
    found: dict[str, NeedsDecision] = {}
    for number, lines, off, names, amounts in connection.execute(QUERIES.differing, (list(by_id),)):
        one = by_id[number]
        small = all(abs(amount) <= account.rules.tolerance for amount in amounts)
        found[one.key] = NeedsDecision(
            "settlement_line_differs",
            f"{lines} line(s) of {one.payout} differ from what the book holds, together by"
            f" {_text(off, one)}: {names[0]} by {_text(amounts[0], one)}",
            owner="finance",
            amount=abs(off),
            currency=one.currency,
            remedy=f"tillbridge reconcile accept {one.key} --as rounding" if small else "",
            details={"payout": one.payout, "difference": off, "lines": _listed(names, amounts)},
        )
    checked = {one.key for one in payouts}
    return settle(connection, "settlement_line_differs", found, now, checked=checked).opened


def _listed(names: Sequence[str], amounts: Sequence[int]) -> list[list[object]]:
    return [[name, amount] for name, amount in zip(names, amounts, strict=True)]


def _text(amount: int, one: Payout) -> str:
    return f"{to_text(amount, one.currency)} {one.currency}"
