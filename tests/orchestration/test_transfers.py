"""Transfers: held until they leave, in parts, in any order of telling, and let go when over."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.fact import Entities, Fact
from tillbridge.canonical.registry import Body
from tillbridge.canonical.stock import (
    ReserveStock,
    SourcingAsked,
    StockLine,
    StockReserved,
    StockShort,
    TransferDispatched,
    TransferReceived,
)
from tillbridge.canonical.supply import TransferCancelled, TransferOrdered
from tillbridge.orchestration.transfers.decide import decide
from tillbridge.orchestration.transfers.state import TransferState, status_of

KEY = "transfer/T1"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WAY: dict[str, Any] = {"transfer": "T1", "origin": "wh", "destination": "store"}
HERE = 20_000
"""What the origin has on its shelf before anything left."""


def about(name: str, minutes: int = 0) -> dict[str, Any]:
    at = NOON + timedelta(minutes=minutes)
    return {
        "key": KEY,
        "id": f"{KEY}/{name}",
        "source": "feed",
        "mapping": "feed/1",
        "occurred_at": at,
        "business_date": at.date(),
        "entities": Entities(selling="us"),
    }


def goods(pieces: int) -> tuple[StockLine, ...]:
    return (StockLine("1", "p", pieces * 1000),) if pieces else ()


def ordered(pieces: int, version: str = "1", **words: Any) -> TransferOrdered:
    told: dict[str, Any] = {**WAY, "version": version, "lines": goods(pieces), **words}
    return TransferOrdered(**about(f"ordered@{version}"), **told)


def cancelled(name: str = "1", minutes: int = 9) -> TransferCancelled:
    return TransferCancelled(
        **about(f"cancel/{name}", minutes), transfer="T1", reason=f"no need {name}"
    )


def sent(pieces: int, name: str = "s1", **words: Any) -> TransferDispatched:
    return TransferDispatched(**about(name), **{**WAY, "lines": goods(pieces), **words})


def received(pieces: int, name: str = "r1", **words: Any) -> TransferReceived:
    return TransferReceived(**about(name), **{**WAY, "lines": goods(pieces), **words})


class Model:
    """The machine, and a stock book that answers it: one product, what left taken off."""

    def __init__(self, here: int = HERE) -> None:
        self.state = TransferState(KEY)
        self.asked: list[ReserveStock] = []
        self.notices: list[str] = []
        self.settled: list[str] = []
        self.shelf, self.left, self.held, self.turn = here, 0, 0, 0
        self._seen: set[str] = set()

    def tell(self, *facts: Fact) -> Model:
        for fact in facts:
            answers = self._book(fact)
            self._decide(fact)
            for one in answers:
                self._decide(one)
        return self

    def _decide(self, body: Body) -> None:
        state = self.state.copied()
        decision = decide(state, body)
        self.state = msgspec.json.decode(msgspec.json.encode(state), type=TransferState)
        self.notices += [notice.reason for notice in decision.notices]
        self.settled += decision.settles
        for ask in decision.emits:
            assert isinstance(ask, ReserveStock)
            self.asked.append(ask)
            self._decide(self._answer(ask))

    def _answer(self, ask: ReserveStock) -> Body:
        self.turn = 0
        wanted = max(sum(line.quantity for line in ask.lines) - self.left, 0)
        self.held = wanted if wanted <= self.shelf else 0
        if wanted > self.shelf:
            return short(ask.version, wanted, self.shelf)
        return self._told(ask.version)

    def _told(self, version: int) -> StockReserved:
        lines = (StockLine("1", "p", self.held, "wh"),) if self.held else ()
        name = f"hold/{version}/{self.turn}/reserved"
        told: dict[str, Any] = {
            "version": version,
            "location": "wh",
            "lines": lines,
            "turn": self.turn,
        }
        return StockReserved(**about(name), **told)

    def _book(self, fact: Fact) -> list[Body]:
        if not isinstance(fact, TransferDispatched) or fact.id in self._seen:
            return []
        self._seen.add(fact.id)
        much = sum(line.quantity for line in fact.lines)
        self.left += much
        self.shelf -= much
        before, self.held = self.held, max(self.held - much, 0)
        if self.held == before:
            return []
        self.turn += 1
        return [self._told(self.asked[-1].version)]

    def end(self) -> tuple[object, ...]:
        """What must not depend on the order of arrival."""
        state = self.state
        return (
            status_of(state),
            state.order,
            state.cancelled,
            state.sent,
            state.received,
            state.wanted,
            state.hold,
            state.standing,
            state.noticed,
            self.held,
        )


def short(version: int, wanted: int, free: int, turn: int = 0) -> StockShort:
    told: dict[str, Any] = {
        "version": version,
        "product": "p",
        "wanted": wanted,
        "free": free,
        "turn": turn,
    }
    return StockShort(**about(f"hold/{version}/{turn}/short"), **told)


def test_a_transfer_is_held_at_its_origin_until_it_leaves() -> None:
    model = Model().tell(ordered(10))
    (ask,) = model.asked
    assert (ask.kind, ask.locations, ask.lines[0].location) == ("transfer", ("wh",), "wh")
    assert (status_of(model.state), model.held) == ("held", 10_000)
    model.tell(sent(6))
    assert (status_of(model.state), model.held) == ("part-sent", 4000)
    model.tell(sent(4, "s2"))
    assert (status_of(model.state), model.held) == ("sent", 0)
    model.tell(received(3, complete=False))
    assert status_of(model.state) == "part-received"
    model.tell(received(7, "r2"))
    assert status_of(model.state) == "received"


def test_what_its_destination_waits_for_no_more_is_let_go() -> None:
    model = Model().tell(ordered(10), sent(6), received(5))
    assert (status_of(model.state), model.held) == ("received", 0)
    assert model.asked[-1].lines == ()


def test_an_origin_that_sends_no_more_holds_no_more() -> None:
    model = Model().tell(ordered(10), sent(6, complete=True))
    assert (status_of(model.state), model.held) == ("sent", 0)


@pytest.mark.parametrize("left", [0, 4])
def test_a_cancelled_transfer_lets_the_rest_go(left: int) -> None:
    model = Model().tell(ordered(10), *([sent(left)] if left else []), cancelled())
    assert model.held == 0
    assert status_of(model.state) == ("sent" if left else "cancelled")
    model.tell(received(left))
    assert status_of(model.state) == "received"


def test_the_newest_telling_counts_and_the_first_cancellation() -> None:
    model = Model().tell(ordered(4, "2"), ordered(10, "1"))
    assert model.held == 4000
    model.tell(cancelled("late", 9), cancelled("early", 1))
    assert model.state.cancelled is not None
    assert model.state.cancelled.reason == "no need early"


def test_another_origin_is_asked_instead() -> None:
    model = Model().tell(ordered(4), ordered(4, "2", origin="hub"))
    assert model.asked[-1].locations == ("hub",)


def test_what_cannot_be_held_is_a_notice_until_goods_come() -> None:
    model = Model(here=5000).tell(ordered(10))
    assert (model.notices, status_of(model.state)) == (["transfer_not_held"], "short")
    again = SourcingAsked(**about("again/1/0"), version=1, turn=0)
    model.shelf = 10_000
    model.tell(again, again)
    assert (len(model.asked), model.held, model.settled) == (2, 10_000, ["transfer_not_held"])


def test_a_part_that_leaves_unheld_leaves_less_to_be_held() -> None:
    model = Model(here=10_000).tell(ordered(12), sent(4))
    assert (len(model.asked), model.state.hold) == (2, "short")


def test_goods_without_an_order_are_known_and_hold_nothing() -> None:
    model = Model().tell(sent(3))
    assert (status_of(model.state), model.asked) == ("sent", [])
    assert status_of(model.tell(received(3)).state) == "received"


def test_ends_that_differ_are_a_notice_until_they_agree() -> None:
    model = Model().tell(ordered(3), sent(3, destination="other"))
    assert model.notices == ["transfer_ends_differ"]
    model.tell(ordered(3, "2", destination="other"))
    assert model.settled == ["transfer_ends_differ"]


def test_goods_told_again_with_other_content_are_a_case() -> None:
    model = Model().tell(ordered(9), sent(3))
    assert model.tell(sent(3)).state.sent.keys() == {f"{KEY}/s1"}
    with pytest.raises(NeedsDecision, match="other content"):
        model.tell(sent(4))


_lots = st.integers(0, 6)


@st.composite
def stories(draw: st.DrawFn) -> list[Fact]:
    """Everything that may be told of one transfer."""
    facts: list[Fact] = [
        ordered(draw(_lots), str(version)) for version in range(draw(st.integers(0, 2)))
    ]
    facts += [
        sent(draw(_lots), f"s{n}", complete=draw(st.booleans()) and n == 1)
        for n in range(draw(st.integers(0, 3)))
    ]
    facts += [
        received(draw(_lots), f"r{n}", complete=draw(st.booleans()))
        for n in range(draw(st.integers(0, 2)))
    ]
    facts += [cancelled(str(n), n) for n in range(draw(st.integers(0, 2)))]
    return facts


@settings(max_examples=300, deadline=None, derandomize=True)
@given(told=stories(), data=st.data())
def test_any_order_of_arrival_and_any_duplication_ends_the_same(
    told: list[Fact], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(told), max_size=4)) if told else []
    shuffled: Iterable[Fact] = data.draw(st.permutations([*told, *again]))
    model = Model().tell(*shuffled)
    assert model.end() == Model().tell(*told).end()
    order = model.state.order
    wanted = sum(line.quantity for line in order.lines) if order else 0
    assert model.held <= max(wanted - model.left, 0)
    if model.state.over:
        assert model.held == 0
