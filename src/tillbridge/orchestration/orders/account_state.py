"""What is kept of an order on account: payment terms, invoices, what a bank told. Pure."""

from __future__ import annotations

from datetime import date

import msgspec


class Issued(msgspec.Struct, frozen=True, omit_defaults=True):
    """An invoice or credit note. total: minor units with the tax we collect, of a credit note
    negative. credited, paid: what is booked as taken off it.
    """

    number: str
    total: int
    issued_on: date
    due_on: date
    credited: int = 0
    paid: int = 0

    @property
    def open(self) -> int:
        """What is left to pay, minor units; a credit note is never open itself."""
        return self.total - self.credited - self.paid if self.total > 0 else 0


class Banked(msgspec.Struct, frozen=True, omit_defaults=True):
    """Money a bank's line brought; invoice: the one it names."""

    tender: str
    amount: int
    currency: str
    invoice: str = ""


class Account(msgspec.Struct, frozen=True, omit_defaults=True):
    """days: how long after each invoice it is due, None = the order is not on account. version: of
    the telling that said so; a later one that is silent takes nothing back. issued: by key, in the
    order in which they were issued. banked: by reference.
    """

    days: int | None = None
    version: str = ""
    issued: dict[str, Issued] = {}
    banked: dict[str, Banked] = {}


def with_bank(by_purse: dict[str, int], account: Account) -> dict[str, int]:
    """Money by purse with what bank lines brought. What the channel tells of the same tender is the
    same money, so the side that tells more counts.
    """
    sums: dict[str, int] = {}
    for one in account.banked.values():
        sums[one.tender] = sums.get(one.tender, 0) + one.amount
    return by_purse | {name: max(much, by_purse.get(name, 0)) for name, much in sums.items()}
