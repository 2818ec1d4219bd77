"""Hub ledger = ERP ledger, per account and month; a difference opens to the documents behind it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from tillbridge.contract.ledgers import RECEIVABLE, LedgerLine
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.ledger.accounts import folded

QUERIES = load("tillbridge.reconciliation.ledger", "ledger.sql")
# where the money book keeps what the ERP's invoices say is owed
DEPOSITS = "customer-deposits"


class AccountTie(msgspec.Struct, frozen=True):
    """One account: minor units of the entity's currency, debit positive.

    hub: what reaches the ERP by a journal or by its own documents. alone: what the workspace says
    it is not told (`payments = "hub"`): shown beside, and compared with nothing.
    """

    account: str
    hub: int
    erp: int
    alone: int = 0

    @property
    def difference(self) -> int:
        """The ERP's less ours."""
        return self.erp - self.hub


class Loose(msgspec.Struct, frozen=True):
    """A document that does not tie: where it stands, its debits there, and why.

    where: `hub` (only here), `erp` (only there), `both` (otherwise there, or there twice).
    """

    where: str
    operation: str
    key: str
    amount: int
    why: str


class TieOut(msgspec.Struct, frozen=True):
    """A month of an entity against its ERP."""

    entity: str
    currency: str
    accounts: tuple[AccountTie, ...]
    loose: tuple[Loose, ...]

    @property
    def agrees(self) -> bool:
        """Whether every account agrees and no document is loose."""
        return not self.loose and all(one.hub == one.erp for one in self.accounts)


class Booked(msgspec.Struct):
    """What the ERP posted for one operation: per account of ours, by which moves, and by which
    moves it was paid there.
    """

    accounts: dict[str, int]
    moves: set[str]
    paid_by: set[str]

    @property
    def twice(self) -> set[str]:
        """Its moves where one is too many."""
        many = (moves for moves in (self.moves, self.paid_by) if len(moves) > 1)
        return set().union(*many)

    @property
    def debits(self) -> int:
        """Sum of what it debits."""
        return sum(amount for amount in self.accounts.values() if amount > 0)


def by_operation(
    lines: Iterable[LedgerLine], currency: str, *, paid_there: bool = False
) -> dict[str, Booked]:
    """Lines of the entity's currency by the operation they were made for, a strange move by its
    own name; another currency is another entity's books in the same company over there.

    paid_there: the ERP clears what buyers owe, so what is owed still is an account of its own;
    else it stands for the deposits that it uses up here.
    """
    found: dict[str, Booked] = {}
    for line in lines:
        if line.currency == currency:
            name = line.operation or f"move {line.move}"
            one = found.setdefault(name, Booked({}, set(), set()))
            account = DEPOSITS if line.account == RECEIVABLE and not paid_there else line.account
            one.accounts[account] = one.accounts.get(account, 0) + line.amount
            (one.paid_by if line.clears else one.moves).add(line.move)
    return found


def tie_out(
    connection: Connection,
    entity: str,
    currency: str,
    days: tuple[date, date],
    theirs: dict[str, Booked],
) -> TieOut:
    """Compare the books of some days with what the ERP told of them; reads in sets."""
    values = {"entity": entity, "first": days[0].isoformat(), "last": days[1].isoformat()}
    rows = connection.execute(QUERIES.balances, values).fetchall()
    hub = {account: told for account, told, _ in rows}
    alone = {account: amount for account, _, amount in rows}
    erp: dict[str, int] = {}
    for one in theirs.values():
        for account, amount in one.accounts.items():
            erp[account] = erp.get(account, 0) + amount
    ours, there = folded(hub, erp)
    beside, _ = folded(alone, erp)
    accounts = tuple(
        AccountTie(name, ours.get(name, 0), there.get(name, 0), beside.get(name, 0))
        for name in sorted(ours.keys() | there.keys() | beside.keys())
    )
    loose = [*_journals(connection, values, theirs), *_papers(connection, values, theirs)]
    loose += _strange(connection, theirs, {one.operation for one in loose})
    return TieOut(entity, currency, accounts, tuple(loose))


def _journals(
    connection: Connection, values: dict[str, str], theirs: dict[str, Booked]
) -> list[Loose]:
    sums: dict[str, dict[str, int]] = {}
    keys: dict[str, str] = {}
    for operation, account, amount, key in connection.execute(QUERIES.journals, values).fetchall():
        sums.setdefault(operation, {})[account] = amount
        keys.setdefault(operation, key)
    found = []
    for operation, accounts in sorted(sums.items()):
        ours = {account: amount for account, amount in accounts.items() if amount}
        debits = sum(amount for amount in ours.values() if amount > 0)
        if not operation:
            why = "entries that no journal has taken yet"
            found.append(Loose("hub", "", keys[operation], debits, why))
        elif operation not in theirs and ours:
            found.append(Loose("hub", operation, keys[operation], debits, "not in the ERP"))
        elif operation in theirs and not _same(ours, theirs[operation]):
            told = theirs[operation].debits
            why = f"the journal is {debits} here and {told} there, minor units"
            found.append(Loose("both", operation, keys[operation], told - debits, why))
    return found


def _same(ours: dict[str, int], there: Booked) -> bool:
    mine, others = folded(ours, there.accounts)
    return mine == others


def _papers(
    connection: Connection, values: dict[str, str], theirs: dict[str, Booked]
) -> list[Loose]:
    rows = connection.execute(QUERIES.papers, values).fetchall()
    found = []
    for operation, key, kind, state, total in rows:
        there = theirs.get(operation)
        if there is None and total:
            why = f"the {kind} is {state} here and not in the ERP's ledger"
            found.append(Loose("hub", operation, key, total, why))
        elif there is not None and there.debits != total:
            why = f"the {kind} is {total} here and {there.debits} there, minor units"
            found.append(Loose("both", operation, key, there.debits - total, why))
    return found


def _strange(connection: Connection, theirs: dict[str, Booked], told: set[str]) -> list[Loose]:
    """What the ERP holds that the hub never asked for, or twice."""
    rows = connection.execute(QUERIES.states, (list(theirs),)).fetchall()
    known = {operation: (state, key) for operation, state, key in rows}
    found = []
    for operation, one in sorted(theirs.items()):
        state, key = known.get(operation, ("", ""))
        if operation not in known:
            found.append(Loose("erp", operation, "", one.debits, "the hub knows nothing of it"))
        elif one.twice and operation not in told:
            why = f"there {len(one.twice)} times: {', '.join(sorted(one.twice))}"
            found.append(Loose("both", operation, key, one.debits, why))
        elif state != "accepted":
            why = f"there, and {state} here: it is not known to have come"
            found.append(Loose("both", operation, key, one.debits, why))
    return found
