"""Which of our accounts stand for one of the ERP's, so that both can be compared. Pure.

The ERP may keep fewer accounts: a name of ours is looked for there, then its prefixes. Sales are
compared after discounts, as invoices carry them; what is invoiced and unpaid together with the
deposits it was moved from, for an ERP's invoice opens one account for both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_FOLDED = {"discounts": "sales", "receivables": "customer-deposits"}


def folded(
    ours: Mapping[str, int], theirs: Mapping[str, int]
) -> tuple[dict[str, int], dict[str, int]]:
    """Both sides by the accounts that can be compared, without zeros."""
    kept = {account.split("/")[0] for account in theirs} | set(theirs)
    mine = ((_kept(account, kept), amount) for account, amount in ours.items())
    return _summed(mine), _summed(theirs.items())


def _kept(account: str, kept: set[str]) -> str:
    """The account the ERP books ours on: itself, else its longest prefix there."""
    parts = account.split("/")
    for length in range(len(parts), 0, -1):
        name = "/".join(parts[:length])
        if name in kept:
            return name
    return parts[0]


def _summed(rows: Iterable[tuple[str, int]]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for account, amount in rows:
        first = account.split("/")[0]
        name = _FOLDED.get(first, first if first == "sales" else account)
        sums[name] = sums.get(name, 0) + amount
    return {name: amount for name, amount in sums.items() if amount}
