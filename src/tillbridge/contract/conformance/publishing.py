"""Checks of publishing against a live far side: compare-and-set, whatever happens in between.

The far side (a simulator, a test shop) is handed over by the tests as a `PublishingTarget`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, cast

import msgspec

from tillbridge.atoms.errors import RetryLater
from tillbridge.contract.conformance.delivering import CALLS_MAX, FaultyTransport
from tillbridge.contract.conformance.samples import Suite
from tillbridge.contract.offers import Offer, Shown
from tillbridge.contract.promises import Connection, PublishesAvailability
from tillbridge.contract.transport import Transport


class PublishingTarget(Protocol):
    """A live far side. `tests/connectors/<name>/publishing_target.py` has a context manager
    `publishing_target()` that gives one.
    """

    @property
    def connection(self) -> Connection:
        """The connection to publish through."""

    @property
    def secrets(self) -> Mapping[str, str]:
        """Its live secrets."""

    @property
    def transport(self) -> Transport:
        """The way to the far side."""

    def offers(self, count: int) -> Sequence[Offer]:
        """Fresh operations of products that show something; `previous` says what."""

    def refused(self) -> Offer:
        """A fresh operation that the far side refuses for good, with words."""

    def shows(self, offer: Offer) -> int:
        """What the far side itself shows of the offer's product, thousandths."""

    def sells(self, offer: Offer) -> None:
        """The far side sells one unit of it by itself."""


def shows_what_it_was_told(suite: Suite, target: PublishingTarget) -> list[str]:
    """Applied once; the same operation again changes nothing, not even after a sale over there."""
    (offer,) = target.offers(1)
    problems = []
    first = _publish(suite, target, [offer])[0]
    if first.outcome != "applied" or target.shows(offer) != offer.quantity:
        return [f"a good offer ended as {first}, the far side shows {target.shows(offer)}"]
    again = _publish(suite, target, [offer])[0]
    settled = again.outcome == "applied" or again.actual == offer.quantity
    if not settled or target.shows(offer) != offer.quantity:
        problems.append(f"the same operation again ended as {again}")
    target.sells(offer)
    left = target.shows(offer)
    _publish(suite, target, [offer])
    if target.shows(offer) != left:
        problems.append("the same operation again put back what had been sold")
    return problems


def overwrites_nothing_it_did_not_know(suite: Suite, target: PublishingTarget) -> list[str]:
    """What changed over there meanwhile is a conflict that tells it; reading changes nothing."""
    problems = []
    (offer,) = target.offers(1)
    target.sells(offer)
    there = target.shows(offer)
    for label, one in (
        ("sold meanwhile", offer),
        ("not known", msgspec.structs.replace(offer, operation="first", previous=None)),
    ):
        shown = _publish(suite, target, [one])[0]
        if (shown.outcome, shown.actual) != ("conflict", there):
            problems.append(f"{label}: ended as {shown}, the far side shows {there}")
        if target.shows(offer) != there:
            problems.append(f"{label}: the far side was changed to {target.shows(offer)}")
    return problems


def publishes_batches(suite: Suite, target: PublishingTarget) -> list[str]:
    """One receipt per offer in order; a refused and a stale one do not sink the others."""
    good = list(target.offers(4))
    batch = [good[0], target.refused(), *good[1:]]
    target.sells(good[2])
    there = target.shows(good[2])
    size = max(1, cast("PublishesAvailability", suite.connector).offers_max)
    shown: list[Shown] = []
    for start in range(0, len(batch), size):
        shown += _publish(suite, target, batch[start : start + size])
    problems = []
    if [one.operation for one in shown] != [offer.operation for offer in batch]:
        problems.append("receipts are not one per offer in order")
    outcomes = [one.outcome for one in shown]
    if outcomes != ["applied", "refused", "applied", "conflict", "applied"]:
        problems.append(f"outcomes {outcomes}")
    if any(len(one.words) < 8 for one in shown if one.outcome == "refused"):
        problems.append("a refusal without words")
    for offer in good:
        wanted = there if offer is good[2] else offer.quantity
        if target.shows(offer) != wanted:
            problems.append(f"{offer.operation}: shows {target.shows(offer)}, not {wanted}")
    return problems


def settles_after_a_fault_at_every_call(suite: Suite, target: PublishingTarget) -> list[str]:
    """An answer lost, 429 or 503 at any call is told as it is; the same offer again settles it."""
    problems = []
    for fault in ("lost", "429", "503"):
        for at in range(CALLS_MAX):
            (offer,) = target.offers(1)
            faulty = FaultyTransport(target.transport, at, fault)
            first = _publish(suite, target, [offer], faulty)[0]
            if faulty.count <= at:
                break
            place = f"{fault} at call {at + 1}"
            there = target.shows(offer) == offer.quantity
            if first.outcome == "refused" or (there and first.outcome == "retry"):
                problems.append(f"{place}: ended as {first}, applied: {there}")
            again = _publish(suite, target, [offer])[0]
            settled = again.outcome == "applied" or again.actual == offer.quantity
            if not settled or target.shows(offer) != offer.quantity:
                problems.append(f"{place}: then {again}, shows {target.shows(offer)}")
    return problems


def _publish(
    suite: Suite,
    target: PublishingTarget,
    offers: Sequence[Offer],
    transport: Transport | None = None,
) -> list[Shown]:
    """The receipts; RetryLater becomes `retry` or `unknown` for each."""
    connector = cast("PublishesAvailability", suite.connector)
    try:
        return connector.publish(
            offers, target.connection, target.secrets, transport or target.transport
        )
    except RetryLater as later:
        ended = Shown(operation="", outcome="unknown" if later.unknown else "retry")
        return [msgspec.structs.replace(ended, operation=offer.operation) for offer in offers]
