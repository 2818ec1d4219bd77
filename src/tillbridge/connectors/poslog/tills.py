"""Facts of a till beside receipts: what was voided, moved, counted, or merely happened."""

from __future__ import annotations

from decimal import Decimal

from tillbridge.canonical.sales import CashMoved, SaleVoided, TenderCount, TillClosed, TillNoted
from tillbridge.connectors.poslog.coins import Coins
from tillbridge.connectors.poslog.drawer import Action
from tillbridge.connectors.poslog.setting import Setting
from tillbridge.contract.wire import WireError

_INTO_TILL = ("loan", "paid_in")


def noted(setting: Setting, kind: str) -> TillNoted:
    """A transaction that books nothing and used up a sequence number."""
    return TillNoted(**setting.fact(), kind=kind)


def voided(setting: Setting, sale: str) -> SaleVoided:
    """A finished sale taken back whole; it belongs to the sale's own aggregate."""
    fact = {**setting.fact(), "key": sale, "id": f"{setting.key}/void"}
    return SaleVoided(**fact, voided=sale)


def cash_moved(setting: Setting, action: Action) -> list[CashMoved]:
    """One fact per tender: positive into the till, negative out of it."""
    coins = Coins(setting.currency)
    sign = 1 if action.kind in _INTO_TILL else -1
    found = []
    for number, movement in enumerate(action.movements):
        fact = setting.fact()
        if number:  # every further tender is a record of its own under the same transaction
            fact["key"] = fact["id"] = f"{setting.key}/{number + 1}"
        where = f"{action.name} of transaction {setting.header.sequence}"
        found.append(
            CashMoved(
                **fact,
                kind=action.kind,
                tender=setting.tender(movement.tender_type, movement.tender_id, "", where),
                amount=sign * abs(_exact(coins, movement.amount, where)),
                currency=setting.currency,
                reason=action.reason,
            )
        )
    return found


def closed(setting: Setting, action: Action) -> TillClosed:
    """A till or a day was closed, with what was counted where the log tells it."""
    coins = Coins(setting.currency)
    where = f"{action.name} of transaction {setting.header.sequence}"
    return TillClosed(
        **setting.fact(),
        currency=setting.currency,
        counts=tuple(
            TenderCount(
                tender=setting.tender(count.tender_type, count.tender_id, "", where),
                counted=None if count.counted is None else _exact(coins, count.counted, where),
                expected=None if count.expected is None else _exact(coins, count.expected, where),
            )
            for count in action.counts
        ),
    )


def _exact(coins: Coins, value: Decimal, where: str) -> int:
    """Minor units; cash with more decimals than its currency is no cash."""
    found = coins.minor(value)
    if coins.inexact:
        raise WireError(f"{where}: {value} has more decimals than {coins.currency} has")
    return found
