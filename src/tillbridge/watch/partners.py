"""A partner's statement: what he is due or owes, and the sales, taxes and commissions behind it."""

from __future__ import annotations

from datetime import date

import msgspec

from tillbridge.atoms.errors import Refused
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection

QUERIES = load("tillbridge.watch", "partners.sql")
ACCOUNTS = ("partner-payable/", "partner-receivable/")


class Balance(msgspec.Struct, frozen=True):
    """One of the partner's accounts in a period, minor units, debit positive."""

    account: str
    opening: int
    moved: int

    @property
    def closing(self) -> int:
        """What stands on it at the end."""
        return self.opening + self.moved


class Row(msgspec.Struct, frozen=True):
    """What the partner's entries of a day booked on one account, minor units, debit positive."""

    day: date
    account: str
    amount: int
    entries: int


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """A period of one partner in the books of one entity. balances: his accounts. rows: what stands
    against them, by day; with the balances' movements they sum to zero.
    """

    partner: str
    entity: str
    period: str
    currency: str
    balances: list[Balance]
    rows: list[Row]

    @property
    def difference(self) -> int:
        """What his accounts moved by and no row explains: 0."""
        return sum(one.moved for one in self.balances) + sum(row.amount for row in self.rows)


def statement(connection: Connection, partner: str, entity: str, period: str) -> Statement:
    """The statement of a month, `2026-03`; raises Refused for no month or a partner unknown."""
    first, after = _days(period)
    of = {"partner": partner, "entity": entity, "first": first, "after": after}
    balances = connection.execute(QUERIES.balances, of).fetchall()
    if not balances:
        raise Refused(f"the books of {entity} know no partner {partner!r} up to {period}")
    rows = [Row(*row) for row in connection.execute(QUERIES.rows, of).fetchall()]
    return Statement(
        partner=partner,
        entity=entity,
        period=period,
        currency=balances[0][1],
        balances=[Balance(account, opening, moved) for account, _, opening, moved in balances],
        rows=[row for row in rows if not row.account.startswith(ACCOUNTS)],
    )


def _days(period: str) -> tuple[date, date]:
    """First day of a month, and of the next one."""
    try:
        first = date.fromisoformat(f"{period}-01")
    except ValueError:
        raise Refused(f"{period!r} is no month such as 2026-03") from None
    after = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return first, after
