"""What finance decides outside the rules: functional currencies, rates, who owns the ledger."""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.money import exponent, split
from tillbridge.posting.money.chart import BookRefused

FLOWS = ("web", "stores", "policy")
LEDGERS = ("documents", "journals")
# what invoices and credit notes book where the ERP keeps the ledger by its own documents
BY_DOCUMENTS = frozenset({"SaleRecognised", "SaleReversed"})
# central banks publish nothing at weekends and holidays; an older rate is no rate
RATE_DAYS_MAX = 7


class Rates:
    """Exchange rates: units of `to` for one unit of `from`, per day."""

    def __init__(self, rows: Iterable[tuple[str, str, date, Decimal]] = ()) -> None:
        """rows: (from, to, day, rate); the inverse of a rate is never derived."""
        self._days: dict[tuple[str, str], list[tuple[date, Decimal]]] = {}
        for source, target, day, rate in rows:
            self._days.setdefault((source, target), []).append((day, rate))
        for days in self._days.values():
            days.sort()

    def rate(self, source: str, target: str, day: date) -> Decimal | None:
        """The rate of the day, else the latest of the seven days before, else None."""
        days = self._days.get((source, target), [])
        at = bisect_right(days, day, key=lambda row: row[0])
        if at == 0 or (day - days[at - 1][0]).days > RATE_DAYS_MAX:
            return None
        return days[at - 1][1]


def parse_rates(text: str, file: str) -> Rates:
    """Rates of a CSV file with the columns from, to, day (2026-01-31), rate (1.0876).

    Raises BookRefused with file and line.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""))
    rows: list[tuple[str, str, date, Decimal]] = []
    problems: list[str] = []
    for row in reader:
        place = f"{file}:{reader.line_num}"
        try:
            pair = (row["from"], row["to"])
            day, rate = date.fromisoformat(row["day"]), Decimal(row["rate"])
            exponent(pair[0])
            exponent(pair[1])
        except (KeyError, TypeError):
            problems.append(f"{place}: the columns are from, to, day, rate")
        except InvalidOperation:
            problems.append(f"{place}: {row['rate']!r} is no rate")
        except ValueError as problem:
            problems.append(f"{place}: {problem}")
        else:
            if rate.is_finite() and rate > 0:
                rows.append((*pair, day, rate))
            else:
                problems.append(f"{place}: a rate is greater than zero")
    if problems:
        raise BookRefused(problems)
    return Rates(rows)


class Policy:
    """Settings of the money book for one workspace.

    functional: entity -> ISO 4217 currency. ledgers: (entity, flow) -> `documents` (the ERP books
    by its own documents) or `journals` (the hub sends its entries); documents where not said,
    of what is worked out by policy (costs, breakage, reserves) journals.
    telling: entities whose ERP gets as journals what no document of its own books.
    """

    def __init__(
        self,
        functional: Mapping[str, str],
        ledgers: Mapping[tuple[str, str], str] | None = None,
        rates: Rates | None = None,
        telling: Iterable[str] = (),
    ) -> None:
        self._functional = dict(functional)
        self._telling = frozenset(telling)
        self._ledgers = dict(ledgers or {})
        self._rates = rates or Rates()
        for (entity, flow), ledger in self._ledgers.items():
            if flow not in FLOWS or ledger not in LEDGERS:
                raise ValueError(f"gl of {entity}: {flow} = {ledger!r} is not known")

    def functional_of(self, entity: str) -> str:
        """Functional currency of an entity; raises NeedsDecision("entity_unknown")."""
        try:
            return self._functional[entity]
        except KeyError:
            raise NeedsDecision(
                "entity_unknown",
                f"entity {entity!r} has no functional currency in the settings",
                owner="finance",
            ) from None

    def is_foreign(self, fact: object, currency: str) -> bool:
        """Whether a fact is in another currency than that of an entity that plays a part in it."""
        parts = getattr(fact, "entities", None)
        return parts is not None and any(
            self._functional.get(entity, currency) != currency
            for entity in (parts.selling, parts.fulfilling, parts.tender, parts.liability)
            if entity
        )

    def ledger_of(self, entity: str, flow: str, fact: str) -> str:
        """How an entry of a fact reaches the ERP: `documents` (it books one of its own),
        `journals` (the hub sends it) or `hub` (not at all). No document tells what is worked out by
        policy.
        """
        ledger = self._ledgers.get((entity, flow), "journals" if flow == "policy" else "documents")
        if ledger == "journals" or fact in BY_DOCUMENTS:
            return ledger
        return "journals" if entity in self._telling else "hub"

    def converted(self, amounts: Sequence[int], source: str, target: str, day: date) -> list[int]:
        """Signed amounts that sum to zero, in another currency, still summing to zero.

        The debits are converted once as a whole and split by largest remainder, and so are the
        credits: no cent is lost and no line is plugged. Raises NeedsDecision("rate_missing").
        """
        rate = self._rates.rate(source, target, day)
        if rate is None:
            raise NeedsDecision(
                "rate_missing",
                f"no rate {source} to {target} for {day.isoformat()}"
                f" or the {RATE_DAYS_MAX} days before; add the row {source},{target},"
                f"{day.isoformat()},RATE to rates.csv of the workspace and start the hub again",
                owner="finance",
                remedy="tillbridge cases replay --reason rate_missing",
                currency=source,
                amount=sum(a for a in amounts if a > 0),
            )
        debits = [max(amount, 0) for amount in amounts]
        credits_ = [max(-amount, 0) for amount in amounts]
        factor = Fraction(rate) * Fraction(10) ** (exponent(target) - exponent(source))
        whole = _rounded(sum(debits) * factor)
        return [
            debit - credit
            for debit, credit in zip(split(whole, debits), split(whole, credits_), strict=True)
        ]


def _rounded(value: Fraction) -> int:
    """Nearest integer, half away from zero (the value is never negative here)."""
    return int(value + Fraction(1, 2))
