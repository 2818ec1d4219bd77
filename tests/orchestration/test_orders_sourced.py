"""An order whose place fails is sourced anew: what did not fail stays, what was not found goes."""

from __future__ import annotations

from typing import Any

from tests.orchestration.trade import KEY, Model, about, changed, line, order, parcel, placed
from tillbridge.canonical.stock import (
    MoveStock,
    PickFailed,
    ReserveStock,
    SourcingAsked,
    StockLine,
    StockReserved,
    StockShort,
)
from tillbridge.orchestration.orders.status import status_of
from tillbridge.orchestration.policies import ChannelPolicy, Policies

TWO = (line("a", quantity=2000, product="p"), line("b", product="q"))


def failed(name: str, place: str, reason: str = "no_pick", at: int = 9, **lines: int) -> PickFailed:
    told = tuple(StockLine(one, "", much) for one, much in lines.items())
    return PickFailed(failure=name, location=place, reason=reason, lines=told, **about(at))


def reserved(version: int, *lines: StockLine, **words: Any) -> StockReserved:
    full = {**about(8), "id": f"{KEY}/{version}/reserved", "location": "", **words}
    return StockReserved(version=version, lines=lines, **full)


def _asked(model: Model) -> list[ReserveStock]:
    return [body for body in model.emitted if isinstance(body, ReserveStock)]


def _moves(model: Model) -> list[MoveStock]:
    return [body for body in model.emitted if isinstance(body, MoveStock)]


def _standing(model: Model, **places: str) -> Model:
    """The order's lines stand where told."""
    products = {"a": ("p", 2000), "b": ("q", 1000)}
    version = model.state.hold_version
    lines = [StockLine(name, *products[name], place) for name, place in places.items()]
    return model.tell([reserved(version, *lines)])


def test_a_place_that_refuses_is_not_asked_again_and_nothing_is_written_off() -> None:
    model = _standing(Model().tell([placed(order(TWO))]), a="wh", b="wh")
    model.tell([failed("f1", "wh", "rejected")])
    last = _asked(model)[-1]
    assert (last.version, last.locations, last.barred) == (2, ("store",), ("wh",))
    assert [one.location for one in last.lines] == ["", ""]
    assert _moves(model) == []


def test_what_was_not_found_is_no_longer_there_for_anybody() -> None:
    model = _standing(Model().tell([placed(order(TWO))]), a="wh", b="wh")
    model.tell([failed("f1", "wh")])
    (move,) = _moves(model)
    assert (move.id, move.kind, move.cause) == (f"{KEY}/move/1", "adjustment", "no_pick")
    assert move.lines == (StockLine("a", "p", -2000, "wh"), StockLine("b", "q", -1000, "wh"))
    places = [type(body).__name__ for body in model.emitted]
    assert places.index("MoveStock") > [*places[::-1]].index("ReserveStock")


def test_lines_that_were_found_stay_where_they_are_picked() -> None:
    model = _standing(Model().tell([placed(order(TWO))]), a="wh", b="wh")
    model.tell([failed("f1", "wh", a=500)])
    assert [one.location for one in _asked(model)[-1].lines] == ["", "wh"]
    assert _moves(model)[0].lines == (StockLine("a", "p", -500, "wh"),)


def test_a_failure_told_again_or_of_a_place_where_nothing_stands_moves_nothing_more() -> None:
    model = _standing(Model().tell([placed(order(TWO))]), a="wh", b="wh")
    model.tell([failed("f1", "wh"), failed("f1", "wh", at=10)])
    assert len(_asked(model)) == 2
    model.tell([failed("f2", "elsewhere")])
    assert len(_moves(model)) == 1
    assert _asked(model)[-1].barred == ("elsewhere", "wh")


def test_a_failure_told_before_its_order_keeps_the_place_out_from_the_start() -> None:
    model = Model().tell([failed("f1", "wh"), placed(order(TWO))])
    (asked,) = _asked(model)
    assert asked.locations == ("store",)


def test_what_shipped_or_was_cancelled_is_not_sourced_anew() -> None:
    model = Model().tell([placed(order(TWO)), parcel("p1", {"a": 2, "b": 1})])
    asked = len(_asked(model))
    model.tell([failed("f1", "wh")])
    assert len(_asked(model)) == asked


def test_an_edit_after_a_failure_asks_only_the_places_left() -> None:
    model = Model().tell([placed(order(TWO)), failed("f1", "wh")])
    more = order([line("a", quantity=3000, product="p")], at=12)
    model.tell([changed(more, 12)])
    assert (_asked(model)[-1].locations, _asked(model)[-1].barred) == (("store",), ("wh",))


def test_an_older_answer_of_the_same_request_changes_nothing() -> None:
    model = Model().tell([placed(order(TWO))])
    here = (StockLine("a", "p", 2000, "store"), StockLine("b", "q", 1000, "store"))
    model.tell([reserved(1, *here, turn=2)])
    short = StockShort(version=1, product="p", wanted=1, free=0, turn=1, **about(8))
    model.tell([reserved(1, turn=1), short])
    assert (model.state.hold, model.state.standing) == ("held", here)


def test_an_order_with_promised_goods_is_backordered() -> None:
    model = Model().tell([placed(order(TWO))])
    model.tell([reserved(1, promised=(StockLine("a", "p", 2000, "wh"),), turn=1)])
    assert status_of(model.state) == "backordered"


def test_the_channels_terms_go_into_the_request() -> None:
    policy = ChannelPolicy(
        channel="web",
        entity="us",
        fulfil_from=("wh",),
        split_most=3,
        backorder=True,
        preorder=("q", "z"),
    )
    model = Model(Policies(channels={"web": policy})).tell([placed(order(TWO))])
    (asked,) = _asked(model)
    assert (asked.channel, asked.split_most, asked.backorder) == ("web", 3, True)
    assert asked.preorder == ("q",)


def test_a_line_told_without_a_quantity_fails_as_a_whole() -> None:
    model = _standing(Model().tell([placed(order(TWO))]), a="wh", b="wh")
    model.tell([failed("f1", "wh", a=0)])
    assert _moves(model)[0].lines == (StockLine("a", "p", -2000, "wh"),)


def test_an_order_in_packs_reserves_and_moves_packs() -> None:
    packs = (line("a", quantity=2000, product="p", unit="CS"), line("b", product="q"))
    model = Model().tell([placed(order(packs))])
    assert [one.unit for one in _asked(model)[0].lines] == ["CS", ""]
    model.tell([parcel("p1", {"a": 1, "b": 1})])
    moved = {one.line: (one.quantity, one.unit) for move in _moves(model) for one in move.lines}
    assert moved == {"a": (-1000, "CS"), "b": (-1000, "")}
    assert _asked(model)[-1].lines == (StockLine("a", "p", 1000, unit="CS"),)


def test_what_was_missed_of_a_pack_is_told_in_packs_and_written_off_in_pieces() -> None:
    packs = (line("a", quantity=2000, product="p", unit="CS"),)
    model = Model().tell([placed(order(packs))])
    model.tell([reserved(1, StockLine("a", "p", 24_000, "wh"))])
    model.tell([failed("f1", "wh", a=1000)])
    assert _moves(model)[0].lines == (StockLine("a", "p", -12_000, "wh"),)


def test_goods_that_came_are_asked_for_once_and_only_after_the_answer_they_are_for() -> None:
    model = Model().tell([placed(order(TWO))])
    short = StockShort(version=1, product="p", wanted=2, free=0, **about(8))
    came = SourcingAsked(version=1, **about(9))
    model.tell([came])
    assert len(_asked(model)) == 1
    model.tell([short, came, came])
    assert [one.version for one in _asked(model)] == [1, 2]
    model.tell([SourcingAsked(**about(10))])
    assert _asked(model)[-1].version == 3
