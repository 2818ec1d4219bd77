"""The publishing checks find a channel's connector that overwrites, forgets or claims too much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from tillbridge.contract.conformance import Suite, publishing
from tillbridge.contract.offers import Offer, Shown
from tillbridge.contract.promises import Connection, PublishesAvailability
from tillbridge.contract.signed import promises_of
from tillbridge.contract.transport import Request, Response, Transport


class Config(msgspec.Struct):
    """Nothing to set."""


class Channel:
    """A far side and its connector in one; sloppy: what it does wrong."""

    name = "channel"
    config: type[msgspec.Struct] = Config
    offers_max = 2
    offer_step = 1000

    def __init__(self, sloppy: str = "") -> None:
        self.sloppy = sloppy
        self.levels: dict[str, int] = {}
        self.connection = Connection(name="c", entity="us", channel="c", currency="USD")
        self.secrets: Mapping[str, str] = {}
        self.transport = self

    def send(self, request: Request) -> Response:
        return Response(status=200, headers={}, body=b"{}")

    def publish(
        self,
        offers: Sequence[Offer],
        connection: Connection,
        secrets: Mapping[str, str],
        transport: Transport,
    ) -> list[Shown]:
        shown = [self._one(offer, transport) for offer in offers]
        return shown[::-1] if self.sloppy == "disorder" else shown

    def _one(self, offer: Offer, transport: Transport) -> Shown:
        if offer.product not in self.levels:
            words = "" if self.sloppy == "silent" else "no such product"
            return Shown(operation=offer.operation, outcome="refused", words=words)
        actual = self.levels[offer.product]
        if actual != offer.previous and self.sloppy != "blind":
            told = None if self.sloppy == "mute" else actual
            return Shown(operation=offer.operation, outcome="conflict", actual=told)
        response = transport.send(Request(method="POST", url="", headers={}, body=b""))
        if response.status != 200:
            outcome = "refused" if self.sloppy == "hasty" else "retry"
            return Shown(operation=offer.operation, outcome=outcome, words="busy")  # type: ignore[arg-type]
        self.levels[offer.product] = offer.quantity
        return Shown(operation=offer.operation, outcome="applied")

    def offers(self, count: int) -> Sequence[Offer]:
        return [self._fresh(stocked=True) for _ in range(count)]

    def refused(self) -> Offer:
        return self._fresh(stocked=False)

    def shows(self, offer: Offer) -> int:
        return self.levels[offer.product]

    def sells(self, offer: Offer) -> None:
        self.levels[offer.product] -= 1000

    def _fresh(self, *, stocked: bool) -> Offer:
        number = str(len(self.levels) + 1) if stocked else "none"
        if stocked:
            self.levels[number] = 9000
        return Offer(
            operation=number,
            product=number,
            location="L",
            products=(number,),
            places=("L",),
            quantity=5000,
            previous=9000,
        )


CHECKS = (
    publishing.shows_what_it_was_told,
    publishing.overwrites_nothing_it_did_not_know,
    publishing.publishes_batches,
    publishing.settles_after_a_fault_at_every_call,
)


def problems(sloppy: str, folder: Path) -> list[str]:
    channel = Channel(sloppy)
    suite = Suite(channel, folder)
    return [problem for check in CHECKS for problem in check(suite, channel)]


def test_who_has_the_methods_signs_the_promise() -> None:
    assert isinstance(Channel(), PublishesAvailability)
    assert promises_of(Channel()) == ("PublishesAvailability",)


def test_an_honest_channel_passes(tmp_path: Path) -> None:
    assert problems("", tmp_path) == []


@pytest.mark.parametrize(
    ("sloppy", "words"),
    [
        ("blind", "put back what had been sold"),
        ("blind", "the far side was changed"),
        ("mute", "sold meanwhile: ended as"),
        ("silent", "without words"),
        ("disorder", "in order"),
        ("hasty", "429 at call 1: ended as"),
    ],
)
def test_a_sloppy_one_is_told_what_it_did(sloppy: str, words: str, tmp_path: Path) -> None:
    assert any(words in problem for problem in problems(sloppy, tmp_path))
