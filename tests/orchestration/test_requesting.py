"""Places are asked for what stands there, and called off; whatever comes in whatever order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.orchestration.trade import (
    KEY,
    NOON,
    Model,
    about,
    capture,
    changed,
    line,
    order,
    placed,
    version,
)
from tillbridge.canonical.documents import (
    CALL_OFF,
    CANCELLED,
    REJECTED,
    REQUEST,
    TOO_LATE,
    DocumentAccepted,
    DocumentRefused,
    InvoiceDocument,
    SubmitDocument,
)
from tillbridge.canonical.fact import Fact
from tillbridge.canonical.orders import Order, OrderCancelled
from tillbridge.canonical.shipments import (
    FulfilmentTold,
    GoodsCollected,
    GoodsDelivered,
    GoodsPacked,
    GoodsPicked,
    GoodsShipped,
    PickupReady,
    ShippedLine,
)
from tillbridge.canonical.stock import (
    MoveStock,
    PickFailed,
    ReserveStock,
    StockLine,
    StockReserved,
    StockShort,
)
from tillbridge.orchestration.orders.decide import decide
from tillbridge.orchestration.orders.requested import asked_for, left, still_open
from tillbridge.orchestration.orders.stock import wanted
from tillbridge.orchestration.policies import ChannelPolicy, Policies
from tillbridge.posting.stock.reserve import answer

RUN_BY = {"wh": "wms", "store": "pos", "mill": "miller"}
WEB = ChannelPolicy(
    channel="web", entity="us", fulfil_from=("wh", "store"), split_most=2, suppliers=("mill",)
)
POLICIES = Policies(
    channels={"web": WEB}, run_by=RUN_BY, suppliers={"mill": frozenset({"sku-m", "sku-a"})}
)
HOUSE = msgspec.structs.replace(
    POLICIES, channels={"web": msgspec.structs.replace(WEB, suppliers=())}
)
Shelves = dict[tuple[str, str], int]


class Places(Model):
    """The order, a stock book that reserves as the real one does, and what is sent out."""

    def __init__(self, shelves: Shelves | None = None, policies: Policies = HOUSE) -> None:
        super().__init__(policies)
        self.shelves = {("wh", "sku-a"): 9, ("store", "sku-a"): 9} if shelves is None else shelves
        self.held: tuple[StockLine, ...] = ()
        self.sent: list[SubmitDocument] = []

    def tell(self, facts: Any) -> Places:
        """Fold facts; the stock book answers at once."""
        for fact in facts:
            state = self.state.copied()
            decision = decide(state, fact, self._policies)
            self.state = state
            self.notices += [notice.reason for notice in decision.notices]
            self.settled += decision.settles
            for body in decision.emits:
                self._book(body)
                if isinstance(body, SubmitDocument) and body.connection:
                    self.sent.append(body)
                if isinstance(body, ReserveStock):
                    self.tell([self._reserved(body)])
        return self

    def _free(self, place: tuple[str, str]) -> int:
        held = sum(1 for one in self.held if (one.location, one.product) == place)
        held = sum(o.quantity for o in self.held if (o.location, o.product) == place) if held else 0
        return self.shelves.get(place, 0) * 1000 - held

    def _reserved(self, body: ReserveStock) -> StockReserved | StockShort:
        free = self._free
        found = answer(
            body.lines, body.locations, self.held, free, body.split_most, barred=body.barred
        )
        told = {**about(8), "id": body.id + "/reserved", "version": body.version}
        if not found.held:
            self.held = ()
            return StockShort(product=found.product, wanted=found.wanted, free=found.free, **told)
        self.held = found.lines
        return StockReserved(location=found.location, lines=found.lines, **told)

    # -- what is asked ------------------------------------------------------------------------

    def asks(self) -> list[tuple[str, str, dict[str, int]]]:
        """What went out: kind (ask, off), place, whole pieces by line."""
        rows = []
        for one in self.sent:
            body = one.fulfilment_request or one.fulfilment_cancel
            assert body is not None
            kind = "ask" if one.kind == REQUEST else "off"
            rows.append((kind, body.location, {li.line: li.quantity // 1000 for li in body.lines}))
        return rows

    def answers(self, number: int, said: str = "") -> Places:
        """What those who got the n-th document say to it."""
        return self.tell([answered(self.sent[number], said)])

    def open(self) -> dict[str, dict[str, int]]:
        """Thousandths by line and place that may still leave because they were asked for."""
        found = still_open(self.state)
        rows = {key: {p: q for p, q in at.items() if q} for key, at in found.items()}
        return {key: at for key, at in rows.items() if at}


def answered(command: SubmitDocument, said: str = "") -> DocumentAccepted:
    """A document was taken."""
    return DocumentAccepted(
        operation=command.id,
        kind=command.kind,
        remote_id="r",
        number="N",
        destination=command.connection,
        answer=said,
        **{**about(50), "id": f"{command.id}/accepted"},
    )


def told(pieces: int = 2, at: int = 0, **words: Any) -> Order:
    return order([line("a", quantity=pieces * 1000)], at=at, **words)


def paid(model: Places, pieces: int = 2) -> Places:
    """An order that is paid."""
    return model.tell([placed(told(pieces)), capture(pieces * 1100)])


def step(kind: type[FulfilmentTold], name: str, place: str) -> FulfilmentTold:
    """What those who run a place tell of two pieces of the line."""
    full = {**about(30), "source": RUN_BY[place], "version": version(30)}
    return kind(shipment=name, location=place, lines=(ShippedLine("a", 2000),), **full)


def cancelled(pieces: int = 2, at: int = 20) -> OrderCancelled:
    return OrderCancelled(order=told(pieces, at, cancelled_at=NOON), **about(at))


def sent(name: str, place: str, pieces: int = 1, at: int = 30, **words: Any) -> GoodsShipped:
    """A parcel as those who run the place tell it."""
    full = {
        **about(at),
        "source": RUN_BY[place],
        "version": version(at),
        "state": "shipped",
        "lines": (ShippedLine("a", pieces * 1000),),
        **words,
    }
    return GoodsShipped(shipment=name, location=place, **full)


def test_a_place_is_asked_once_for_what_stands_there() -> None:
    model = paid(Places())
    assert model.asks() == [("ask", "wh", {"a": 2})]
    (one,) = model.sent
    assert (one.connection, one.id) == ("wms", f"{KEY}/fulfilment_request/1")
    model.answers(0).tell([changed(told(2, at=4), 4)])
    assert len(model.sent) == 1


def test_nobody_is_asked_before_the_order_is_paid_where_that_is_its_point() -> None:
    model = Places().tell([placed(told())])
    assert model.asks() == []
    model.tell([capture(2200)])
    assert len(model.asks()) == 1


def test_an_order_over_two_places_asks_each_for_its_part() -> None:
    model = paid(Places({("wh", "sku-a"): 2, ("store", "sku-a"): 2}), 3)
    assert model.asks() == [("ask", "store", {"a": 1}), ("ask", "wh", {"a": 2})]


def test_more_of_a_line_is_a_further_request() -> None:
    model = paid(Places()).tell([changed(told(3, at=4), 4), capture(1100, 5)])
    assert model.asks() == [("ask", "wh", {"a": 2}), ("ask", "wh", {"a": 1})]


def test_goods_stay_reserved_until_their_calling_off_is_confirmed() -> None:
    model = paid(Places()).tell([cancelled()])
    assert model.asks()[1:] == [("off", "wh", {"a": 2})]
    assert model.state.wanted == {"a": 2000}
    model.answers(1, CANCELLED)
    assert (model.state.wanted, model.held, model.notices) == ({}, (), [])


def test_less_of_a_line_is_asked_for_anew_once_the_whole_is_called_off() -> None:
    model = paid(Places()).tell([changed(told(1, at=4), 4)])
    assert model.asks()[1:] == [("off", "wh", {"a": 2})]
    model.answers(1, CANCELLED)
    assert model.asks()[2:] == [("ask", "wh", {"a": 1})]
    assert model.state.wanted == {"a": 1000}


def test_of_several_requests_only_the_newest_that_are_too_much_are_called_off() -> None:
    model = paid(Places()).tell([changed(told(3, at=4), 4), capture(1100, 5)])
    model.tell([changed(told(2, at=6), 6)])
    assert model.asks()[2:] == [("off", "wh", {"a": 1})]
    model.answers(2, CANCELLED)
    assert model.open() == {"a": {"wh": 2000}}


def test_too_late_is_a_fact_and_a_person_sees_to_the_return() -> None:
    model = paid(Places()).tell([cancelled()]).answers(1, TOO_LATE)
    assert model.notices == ["called_off_too_late"]
    assert model.state.wanted == {"a": 2000}
    model.tell([sent("s1", "wh", 2)])
    assert (model.state.wanted, model.open()) == ({}, {})
    assert sum(li.quantity for one in _moves(model) for li in one.lines) == -2000
    assert model.settled == []


def test_a_place_that_will_not_has_failed_and_another_is_asked() -> None:
    model = paid(Places()).answers(0, REJECTED)
    assert model.asks()[1:] == [("ask", "store", {"a": 2})]
    assert [(one.location, one.reason) for one in model.state.failures.values()] == [
        ("wh", "rejected")
    ]
    assert _moves(model) == []


def test_what_is_not_found_is_asked_elsewhere_only_when_the_first_place_let_go() -> None:
    model = paid(Places())
    model.tell([PickFailed(failure="f", location="wh", reason="no_pick", **about(9))])
    assert model.asks()[1:] == [("off", "wh", {"a": 2})]
    model.answers(1, CANCELLED)
    assert model.asks()[2:] == [("ask", "store", {"a": 2})]


def test_goods_that_turn_up_elsewhere_after_all_are_called_off() -> None:
    model = paid(Places()).tell([sent("s1", "store", 2)])
    assert model.asks()[1:] == [("off", "wh", {"a": 2})]


def test_a_refused_document_waits_for_a_person_and_is_not_asked_twice() -> None:
    model = paid(Places())
    refused = DocumentRefused(
        operation=model.sent[0].id, kind=REQUEST, destination="wms", words="?", **about(50)
    )
    model.tell([refused, changed(told(2, at=4), 4)])
    assert len(model.sent) == 1
    assert model.state.requests[model.sent[0].id].state == "refused"


def test_a_line_that_was_taken_out_leaves_the_book_when_it_was_too_late() -> None:
    both = order([line("a"), line("b", product="sku-b")])
    shelves = {("wh", "sku-a"): 5, ("wh", "sku-b"): 5}
    model = Places(shelves).tell([placed(both), capture(both.total)])
    model.tell([changed(order([line("a")], at=4), 4)])
    assert model.asks()[1:] == [("off", "wh", {"a": 1, "b": 1})]
    model.answers(1, TOO_LATE)
    gone = (ShippedLine("a", 1000), ShippedLine("b", 1000))
    model.tell([sent("s1", "wh", lines=gone)])
    out = {(li.line, li.product): li.quantity for one in _moves(model) for li in one.lines}
    assert out == {("a", "sku-a"): -1000, ("b", "sku-b"): -1000}
    assert (model.state.wanted, model.held) == ({}, ())
    assert model.notices == ["called_off_too_late"]


def test_the_channel_that_tells_the_same_parcel_again_does_not_count_twice() -> None:
    shop = sent("F1", "wh", 2, 31, source="web")
    for facts in ([sent("s1", "wh", 2), shop], [shop, sent("s1", "wh", 2)]):
        model = paid(Places(), 3).tell(facts)
        assert model.state.wanted == {"a": 1000}
        assert model.state.recognised["a"].quantity == 2000
        assert sum(li.quantity for one in _moves(model) for li in one.lines) == -2000
        assert set(model.state.parcels or ()) == {"F1", "s1"}


def test_what_only_the_channel_tells_counts() -> None:
    model = paid(Places(), 3).tell([sent("F1", "wh", 2, 31, source="web"), sent("s1", "wh")])
    assert model.state.recognised["a"].quantity == 2000
    model.tell([sent("F1", "wh", 2, 32, source="web", state="cancelled")])
    assert model.state.recognised["a"].quantity == 1000


def test_a_place_nobody_runs_is_asked_nothing() -> None:
    model = paid(Places(policies=Policies(channels={"web": WEB})))
    assert model.sent == []


# -- suppliers ------------------------------------------------------------------------------------


def test_a_supplier_sends_what_is_his_and_our_stock_does_not_move() -> None:
    model = paid(Places(policies=POLICIES))
    assert model.asks() == [("ask", "mill", {"a": 2})]
    assert [one for one in model.emitted if isinstance(one, ReserveStock)] == []
    model.tell([sent("s1", "mill", 2)])
    assert (model.state.recognised["a"].quantity, _moves(model)) == (2000, [])
    (invoice,) = [
        one.invoice for one in model.emitted if isinstance(one, SubmitDocument) and one.invoice
    ]
    assert isinstance(invoice, InvoiceDocument)
    assert not invoice.moves_goods


def test_what_a_supplier_will_not_send_our_own_shelves_do() -> None:
    model = paid(Places(policies=POLICIES)).answers(0, REJECTED)
    assert model.asks()[1:] == [("ask", "wh", {"a": 2})]


def test_an_order_of_both_is_asked_for_in_both_houses() -> None:
    mixed = order([line("a", product="sku-z"), line("m")])
    model = Places({("wh", "sku-z"): 1}, POLICIES).tell([placed(mixed), capture(mixed.total)])
    assert model.asks() == [("ask", "mill", {"m": 1}), ("ask", "wh", {"a": 1})]
    assert model.state.wanted == {"a": 1000}


# -- every stage of an order's life --------------------------------------------------------------


def _moves(model: Places) -> list[MoveStock]:
    return [one for one in model.emitted if isinstance(one, MoveStock)]


STAGES = (
    "unpaid", "asked", "accepted", "picked", "packed", "ready", "part-shipped", "shipped",
    "collected", "delivered",
)  # fmt: skip
AT_WORK = {"picked": GoodsPicked, "packed": GoodsPacked, "ready": PickupReady}
GONE = {"part-shipped": 1, "shipped": 2, "collected": 2, "delivered": 2}


@pytest.mark.parametrize("said", [CANCELLED, TOO_LATE])
@pytest.mark.parametrize("stage", STAGES)
def test_a_cancellation_at_every_stage_ends_defined(stage: str, said: str) -> None:
    place = "store" if stage in ("ready", "collected") else "wh"
    where: dict[str, Any] = {"collect_at": place} if place == "store" else {}
    model = Places().tell([placed(told(**where))])
    if stage != "unpaid":
        model.tell([capture(2200)])
    if stage not in ("unpaid", "asked"):
        model.answers(0)
    gone = GONE.get(stage, 0)
    if stage in AT_WORK:
        model.tell([step(AT_WORK[stage], "s1", place)])
    elif gone:
        kinds = {"collected": GoodsCollected, "delivered": GoodsDelivered}
        parcel = step(kinds[stage], "s1", place) if stage in kinds else sent("s1", place, gone)
        model.tell([parcel])
    gone_order = told(2, 20, cancelled_at=NOON, **where)
    model.tell([OrderCancelled(order=gone_order, **about(20))])
    offs = [n for n, (kind, *_) in enumerate(model.asks()) if kind == "off"]
    assert len(offs) == (0 if stage == "unpaid" or gone == 2 else 1)
    for number in offs:
        model.answers(number, said)
    if offs and said == TOO_LATE:
        assert model.state.wanted == {"a": 2000 - gone * 1000}
        model.tell([sent("s2", place, 2 - gone, 40)])
        gone = 2
    assert (model.state.wanted, model.held, model.open()) == ({}, (), {})
    assert -sum(li.quantity for one in _moves(model) for li in one.lines) == gone * 1000
    assert ("called_off_too_late" in model.notices) == (bool(offs) and said == TOO_LATE)


# -- any order of arrival ------------------------------------------------------------------------


class Warehouse:
    """Who runs a place: does what it is asked in the order it is asked, and tells it."""

    def __init__(self, late: Sequence[bool], rejects: Sequence[bool]) -> None:
        self._late, self._rejects = list(late), list(rejects)
        self.asked: dict[str, tuple[str, dict[str, int]]] = {}
        self._parcels = 0

    def take(self, command: SubmitDocument) -> tuple[str, GoodsShipped | None]:
        """What it says to a document, and the parcel it sends because it was too late."""
        ask = command.fulfilment_request
        if ask is not None:
            if self._rejects and self._rejects.pop(0):
                return REJECTED, None
            self.asked[command.id] = (ask.location, {li.line: li.quantity for li in ask.lines})
            return "", None
        off = command.fulfilment_cancel
        assert off is not None
        if off.request not in self.asked:
            return CANCELLED, None
        if self._late and self._late.pop(0):
            return TOO_LATE, self.ship(off.request)
        del self.asked[off.request]
        return CANCELLED, None

    def ship(self, name: str) -> GoodsShipped | None:
        """Send all a request asks for."""
        place, lines = self.asked.pop(name, ("", {}))
        if not place:
            return None
        self._parcels += 1
        return sent(
            f"s{self._parcels}",
            place,
            lines=tuple(ShippedLine(one, much) for one, much in lines.items()),
        )


@settings(deadline=None)
@given(st.data())
def test_any_order_and_doubling_of_answers_edits_and_parcels_ends_the_same(
    data: st.DataObject,
) -> None:
    """What is asked for and what left is never more than ordered and once asked; at the end
    everything wanted left once, and nothing else is asked for or held.
    """
    pieces = data.draw(st.integers(1, 3))
    versions = data.draw(st.lists(st.integers(0, 3), max_size=3))
    facts: list[Fact] = [placed(told(pieces)), capture(5000)]
    for n, much in enumerate(versions):
        facts.append(changed(told(much, 10 + n), 10 + n) if much else cancelled(pieces, 10 + n))
    last = versions[-1] if versions else pieces
    here, there = data.draw(st.sampled_from(((9, 9), (2, 1), (1, 2))))
    model = Places({("wh", "sku-a"): here, ("store", "sku-a"): there})
    refusing = st.lists(st.booleans(), max_size=1 if here == there else 0)
    house = Warehouse(data.draw(st.lists(st.booleans(), max_size=4)), data.draw(refusing))
    waiting: list[Fact] = data.draw(st.permutations(facts))
    done = 0
    for _ in range(80):
        choices = ["tell"] * bool(waiting) + ["take"] * (done < len(model.sent))
        choices += ["ship"] * bool(house.asked and not waiting and done == len(model.sent))
        if not choices:
            break
        step = data.draw(st.sampled_from(choices))
        if step == "tell":
            fact = waiting.pop(data.draw(st.integers(0, len(waiting) - 1)))
            model.tell([fact] * data.draw(st.integers(1, 2)))
        elif step == "take":
            said, parcel = house.take(model.sent[done])
            waiting.append(answered(model.sent[done], said))
            waiting += [parcel] if parcel else []
            done += 1
        else:
            parcel = house.ship(data.draw(st.sampled_from(sorted(house.asked))))
            waiting += [parcel] if parcel else []
        _never_too_much(model)
    want = wanted(model.state, model.state.order) if model.state.order else {}
    gone = sum(left(model.state).values())
    assert want == {}
    assert gone >= last * 1000 if last else gone >= 0
    assert model.open() == {}
    assert (model.held, model.state.wanted) == ((), {})
    assert -sum(li.quantity for one in _moves(model) for li in one.lines) == gone
    late = [one for one in model.state.requests.values() if one.end == TOO_LATE]
    assert gone == last * 1000 or late or not model.state.requests


def _never_too_much(model: Places) -> None:
    """Of what nobody called off, and of what left, there is never more than the order wants."""
    state = model.state
    if state.order is None:
        return
    stands = {
        key: sum(
            li.quantity
            for one in state.requests.values()
            if one.stands
            for name, li in one.lines.items()
            if name == key
        )
        for key in asked_for(state, live=True)
    }
    gone = dict.fromkeys(stands, 0)
    for (_, key), much in left(state).items():
        gone[key] = gone.get(key, 0) + much
    want = wanted(state, state.order)
    for key, places in still_open(state).items():
        assert min(sum(places.values()), stands[key]) <= max(want.get(key, 0), 0)


def test_dates_of_papers_are_those_of_what_set_them_off() -> None:
    model = paid(Places()).tell([cancelled()])
    ask, off = model.sent
    assert ask.fulfilment_request is not None
    assert off.fulfilment_cancel is not None
    assert ask.fulfilment_request.request_date == date(2026, 3, 2)
    assert (off.kind, off.fulfilment_cancel.request) == (CALL_OFF, ask.id)
