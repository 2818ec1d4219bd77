"""What a workspace says of an account at a provider: `[connection.NAME.settle]`."""

from __future__ import annotations

from typing import Annotated

import msgspec

from tillbridge.contract.promises import Connector, ReadsFiles, ReadsSettlements


class SettleRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """tenders: our tender codes that the account settles; the first is that of lines that name
    none; () = the connection's own name. orders: connections whose orders its lines name by number.
    bank: connection of the bank its payouts go to, "" = none is read. bank_texts: words by which
    the bank's lines name the provider. tolerance: minor units up to which a difference of one line
    or payout is proposed as rounding. bank_days: after so many days a payout has to be at the bank.
    settle_days: after so many days a payment has to be in a settlement, 0 = whenever it comes.
    carries_forward: a payout below zero is taken by the next one and not debited from our bank;
    None = as the provider does.
    """

    tenders: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    bank: str = ""
    bank_texts: tuple[str, ...] = ()
    tolerance: Annotated[int, msgspec.Meta(ge=0)] = 0
    bank_days: Annotated[int, msgspec.Meta(ge=1, le=60)] = 5
    settle_days: Annotated[int, msgspec.Meta(ge=0, le=90)] = 14
    carries_forward: bool | None = None


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """An account at a provider: its connection's name, whose it is, and its rules.

    carries_forward: what is below zero is taken by the next payout.
    """

    name: str
    entity: str
    channel: str
    functional: str
    rules: SettleRules
    carries_forward: bool = False

    @property
    def tenders(self) -> tuple[str, ...]:
        """Our tender codes that it settles, the usual one first."""
        return self.rules.tenders or (self.name,)


def carries_forward(connector: Connector, rules: SettleRules) -> bool:
    """Whether payouts below zero are carried forward: as the workspace says, else the connector."""
    said = rules.carries_forward
    return bool(getattr(connector, "carries_forward", False)) if said is None else said


def is_account(connector: Connector, rules: SettleRules) -> bool:
    """Whether a connection is an account that settles. One whose connector reads sales and orders
    too (a feed) is where the workspace says what it settles.
    """
    if not isinstance(connector, ReadsSettlements):
        return False
    return not isinstance(connector, ReadsFiles) or rules != SettleRules()
