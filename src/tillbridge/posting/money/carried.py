"""Open items in other currencies: at what functional amount each one stands. Pure.

A line that clears an open item takes the amount it is carried at, not that of today's rate; what
remains is a realised difference of the rates and goes to an account of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tillbridge.posting.money.entry import Entry

FX_DIFFERENCE = "fx-difference"
# entity, account, item, currency
Place = tuple[str, str, str, str]


def items_of(fact: object) -> set[str]:
    """Names of the open items a fact may touch."""
    found: set[str] = {getattr(fact, "order", "")}
    if account := getattr(fact, "account", ""):
        found.add(f"payout/{account}/{getattr(fact, 'payout', '')}")
    for rows in ("claims", "tenders", "lines"):
        for row in getattr(fact, rows, ()):
            if dispute := getattr(row, "dispute", ""):
                found.add(f"dispute/{dispute}")
            if card := getattr(row, "card", ""):
                found.add(f"card/{card}")
    return found - {""}


class OpenItems:
    """What stands on open items, functional and transaction amounts, minor units."""

    def __init__(self) -> None:
        self._open: dict[Place, tuple[int, int]] = {}

    def put(self, place: Place, functional: int, txn: int) -> None:
        """Add what a line says."""
        before = self._open.get(place, (0, 0))
        self._open[place] = (before[0] + functional, before[1] + txn)

    def take(self, entries: Iterable[Entry]) -> None:
        """Add the lines of new entries."""
        for entry in entries:
            for line in entry.lines:
                if line.item and line.txn_currency != entry.currency:
                    place = (entry.entity, line.account, line.item, line.txn_currency)
                    self.put(place, line.amount, line.txn_amount)

    def cleared(
        self,
        entity: str,
        currency: str,
        left: Sequence[tuple[tuple[str, str], int]],
        at_rate: list[int],
    ) -> tuple[list[int], int]:
        """Functional amounts of an entry's lines, and what then remains to make it balance.

        left: (account, item) and transaction amount of each line. at_rate: the same at today's
        rate. A line that takes more than is open takes the rest at today's rate.
        """
        amounts = []
        for ((account, item), txn), converted in zip(left, at_rate, strict=True):
            functional, open_ = self._open.get((entity, account, item, currency), (0, 0))
            if not item or not open_ or (open_ > 0) == (txn > 0):
                amounts.append(converted)
            elif abs(txn) <= abs(open_):
                amounts.append(-_part(functional, abs(txn), abs(open_)))
            else:
                beyond = abs(txn) - abs(open_)
                amounts.append(-functional + _part(converted, beyond, abs(txn)))
        return amounts, -sum(amounts)


def _part(amount: int, part: int, whole: int) -> int:
    """`part` of `whole` of an amount, half away from zero; the last part takes what is left."""
    size = (2 * abs(amount) * part + whole) // (2 * whole)
    return size if amount >= 0 else -size
