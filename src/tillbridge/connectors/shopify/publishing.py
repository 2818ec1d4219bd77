"""Publishing offers: set what is as believed, read what is not, and say so line by line.

The vendor applies a whole call or nothing of it. One line that is stale or wrong is therefore taken
out and the others are sent again, under a key of their own.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from tillbridge.atoms.errors import NeedsDecision, Refused, RetryLater
from tillbridge.connectors.shopify import inventory
from tillbridge.connectors.shopify.client import PATIENCE, AdminApi
from tillbridge.connectors.shopify.outbound import STEP, item_of, line_of, location_of, sku_of
from tillbridge.contract.offers import Offer, Outcome, Shown

ROUNDS_MAX = 4
_KEYS = uuid.UUID("6b1d3c1e-52a5-4c0e-9a7f-6f1f4d1f7b52")


class Publication:
    """One call of `publish`: what is known so far, by place among the offers."""

    def __init__(self, api: AdminApi, version: str, offers: Sequence[Offer]) -> None:
        self._api = api
        self._version = version
        self._offers = offers
        self._shown: dict[int, Shown] = {}
        self._places: dict[int, tuple[str, str]] = {}

    def run(self) -> list[Shown]:
        """One receipt per offer. Raises RetryLater or Refused when nothing is known of any."""
        open_ = list(range(len(self._offers)))
        try:
            self._find()
            open_ = list(self._places)
            self._read([n for n in open_ if self._offers[n].previous is None])
            for _ in range(ROUNDS_MAX):
                open_ = [n for n in open_ if n not in self._shown]
                if not open_:
                    break
                self._set(open_)
        except RetryLater as later:
            self._put_off(later, [n for n in open_ if n not in self._shown])
        except (Refused, NeedsDecision) as refusal:
            if not self._shown:
                raise
            self._end([n for n in open_ if n not in self._shown], "refused", refusal.words)
        self._end(
            [n for n in range(len(self._offers)) if n not in self._shown],
            "retry",
            "the shop changed these levels while they were set",
        )
        return [self._shown[n] for n in range(len(self._offers))]

    def _find(self) -> None:
        """Item and location of each offer; two of one place cannot go in one call."""
        items: dict[int, str] = {}
        skus: dict[int, str] = {}
        for n, offer in enumerate(self._offers):
            try:
                location_of(offer)
                items[n] = item_of(offer)
                if not items[n]:
                    skus[n] = sku_of(offer)
            except ValueError as problem:
                items.pop(n, None)
                self._end([n], "refused", str(problem))
        found = inventory.items_of(self._api, list(skus.values()))
        for (n, sku), ids in zip(skus.items(), found, strict=True):
            items[n] = ids[0] if len(ids) == 1 else ""
            if len(ids) != 1:
                self._end([n], "refused", f"{len(ids) or 'no'} items of the shop have SKU {sku}")
        for n, item in items.items():
            place = (item, location_of(self._offers[n]))
            if item and place in self._places.values():
                words = f"{self._offers[n].product} has the place of another product"
                self._end([n], "refused", words)
            elif item:
                self._places[n] = place

    def _read(self, numbers: Sequence[int]) -> None:
        """Answer offers with what is there: the first time, or after a stale compare."""
        if not numbers:
            return
        actual = inventory.available(self._api, [self._places[n] for n in numbers])
        for n, pieces in zip(numbers, actual, strict=True):
            offer = self._offers[n]
            if pieces is None:
                words = f"{offer.product} is not stocked at {'/'.join(offer.places)}: activate it"
                self._end([n], "refused", words)
            elif pieces * STEP != offer.previous:
                self._end([n], "conflict", actual=pieces * STEP)

    def _set(self, numbers: Sequence[int]) -> None:
        """One mutation; whatever it complains of is answered, the rest stays open."""
        lines = [line_of(self._offers[n], self._places[n]) for n in numbers]
        troubles = inventory.set_available(self._api, self._version, self._key(numbers), lines)
        if not troubles:
            self._end(numbers, "applied")
            return
        if any(trouble.code == inventory.AT_WORK for trouble in troubles):
            raise RetryLater("the same call is under way", after_seconds=PATIENCE, unknown=True)
        blamed = [trouble for trouble in troubles if trouble.code not in inventory.STALE]
        for trouble in blamed:
            if trouble.line is not None and trouble.line < len(numbers):
                self._end([numbers[trouble.line]], "refused", f"{trouble.code}: {trouble.words}")
            elif len(numbers) == 1:
                self._end(numbers, "refused", f"{trouble.code}: {trouble.words}")
            else:
                self._halve(numbers)
                return
        if len(blamed) < len(troubles):
            self._read([n for n in numbers if n not in self._shown])

    def _halve(self, numbers: Sequence[int]) -> None:
        """A complaint that names no line: find the culprit by halves."""
        middle = len(numbers) // 2
        for part in (numbers[:middle], numbers[middle:]):
            self._set(part)

    def _key(self, numbers: Sequence[int]) -> str:
        """Idempotency key of a call: the same lines give the same key, other lines another."""
        return str(uuid.uuid5(_KEYS, "\n".join(self._offers[n].operation for n in numbers)))

    def _put_off(self, later: RetryLater, numbers: Sequence[int]) -> None:
        if not self._shown:
            raise later
        self._end(
            numbers, "unknown" if later.unknown else "retry", later.words, later.after_seconds
        )

    def _end(
        self,
        numbers: Sequence[int],
        outcome: Outcome,
        words: str = "",
        after_seconds: float | None = None,
        actual: int | None = None,
    ) -> None:
        for n in numbers:
            self._shown[n] = Shown(
                operation=self._offers[n].operation,
                outcome=outcome,
                actual=actual,
                words=words,
                after_seconds=after_seconds,
                reference=self._places[n][0] if n in self._places else "",
            )
