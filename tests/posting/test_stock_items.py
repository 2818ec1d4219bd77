"""Items: units and packs convert exactly, bundles are their components, the newest version wins."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import Connection

from tests.posting import stock_facts
from tests.posting.money_facts import rung
from tests.posting.stock_facts import described, levels
from tests.posting.test_stock_book import move, reserve
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.registry import Body
from tillbridge.canonical.stock import StockLine, StockReserved
from tillbridge.durable.rooms import DONE, Outcome
from tillbridge.durable.session import connect
from tillbridge.posting.stock.items import Item, Items, expand
from tillbridge.posting.stock.room import StockBook

CRATE = {"p": Item("p", "1", unit="EA", step=1000, packs={"CS": 12_000, "HUR": 500})}
SET = {
    "set": Item("set", "1", unit="EA", step=1000, components={"cup": 4000, "jug": 1000}),
    "gift": Item("gift", "1", unit="EA", step=1000, components={"set": 1000, "cup": 2000}),
    "tea": Item("tea", "1", unit="EA", step=1000, components={"leaf": 125}),
}


def take(connection: Connection, *waves: Sequence[Body]) -> list[Outcome]:
    return stock_facts.take(connection, *waves, book=StockBook())


def reason(outcome: Outcome) -> str:
    return outcome.decision.reason if outcome.decision else ""


def test_a_pack_is_so_many_of_the_base_unit() -> None:
    told = [StockLine("1", "p", 3000, "wh", unit="CS"), StockLine("2", "p", 2000, "wh", unit="EA")]
    assert expand(told, CRATE) == (
        StockLine("1", "p", 36_000, "wh"),
        StockLine("2", "p", 2000, "wh"),
    )
    assert expand([StockLine("1", "p", -2000, unit="HUR")], CRATE)[0].quantity == -1000


@pytest.mark.parametrize(
    ("quantity", "unit", "why"),
    [
        (1000, "PAL", "unit_unknown"),
        (500, "EA", "quantity_fraction"),
        (500, "", "quantity_fraction"),
        (1000, "HUR", "quantity_fraction"),
        (1, "HUR", "quantity_fraction"),
    ],
)
def test_an_unknown_unit_or_a_fraction_is_refused(quantity: int, unit: str, why: str) -> None:
    with pytest.raises(NeedsDecision) as told:
        expand([StockLine("1", "p", quantity, unit=unit)], CRATE)
    assert told.value.reason == why


def test_nothing_is_forbidden_to_an_item_never_described() -> None:
    assert expand([StockLine("1", "x", 7, unit="PAL")], {}) == (StockLine("1", "x", 7),)


def test_a_bundle_is_its_components_however_deep_and_summed_per_line() -> None:
    assert expand([StockLine("1", "gift", 2000, "wh")], SET) == (
        StockLine("1", "cup", 12_000, "wh"),
        StockLine("1", "jug", 2000, "wh"),
    )
    with pytest.raises(NeedsDecision, match="divided"):
        expand([StockLine("1", "tea", 4, "wh")], {"tea": Item("tea", components={"leaf": 125})})


_LINES = st.lists(
    st.builds(
        StockLine,
        st.sampled_from("12"),
        st.sampled_from(["p", "set", "gift", "x"]),
        st.integers(-5, 5).map(lambda pieces: pieces * 1000),
        st.sampled_from(["wh", "store"]),
    ),
    max_size=6,
)


def chain(levels: int, each: int = 1) -> dict[str, Item]:
    """Bundles in bundles; each holds the next one under so many names."""
    items: dict[str, Item] = {}
    for level in range(levels):
        parts = {f"{level + 1}{name}": 1000 for name in "abcdefgh"[:each]}
        items |= {
            f"{level}{name}": Item(f"{level}", components=parts) for name in "abcdefgh"[:each]
        }
    return items


@pytest.mark.parametrize("items", [chain(9), chain(2_000), chain(4, each=8)])
def test_a_bundle_with_too_much_in_it_is_refused_at_once(items: dict[str, Item]) -> None:
    with pytest.raises(NeedsDecision, match="more than 8 levels, 1000 things") as found:
        expand([StockLine("1", "0a", 1000)], items)
    assert found.value.reason == "bundle_too_large"


def test_a_bundle_of_eight_levels_is_opened() -> None:
    assert expand([StockLine("1", "0a", 2000)], chain(8)) == (StockLine("1", "8a", 2000),)


@given(_LINES)
def test_expanding_twice_changes_nothing_and_no_piece_is_lost(lines: list[StockLine]) -> None:
    items = {**CRATE, **SET}
    once = expand(lines, items)
    assert expand(once, items) == once
    each = {"p": 1, "x": 1, "set": 5, "gift": 7}
    assert sum(li.quantity for li in once) == sum(li.quantity * each[li.product] for li in lines)


def test_the_newest_description_wins_whole(connection: Connection) -> None:
    old, new = described("p", "1", packs={"CS": 6000}, title="Old"), described("p", "2", unit="KGM")
    take(connection, [new, old], [new])
    items = Items(connection)
    items.load(["p"])
    assert items["p"] == Item("p", "2", unit="KGM", step=1000)
    (same,) = take(connection, [described("p", "2", unit="LTR")])
    assert [notice.reason for notice in same.notices] == ["item_conflict"]
    take(connection, [described("p", "3", packs={"CS": 6000}, components={"q": 1000})])
    take(connection, [described("p", "4", packs={"CS": 8000})])
    items = Items(connection)
    items.load(["p"])
    assert (items["p"].packs, items["p"].components) == ({"CS": 8000}, {})


@pytest.mark.parametrize(
    "told",
    [
        described("p", unit=""),
        described("p", step=0),
        described("p", packs={"EA": 1000}),
        described("p", packs={"CS": 0}),
        described("p", components={"p": 1000}),
        described("p", components={"q": -1000}),
    ],
)
def test_a_senseless_description_is_a_case(connection: Connection, told: Body) -> None:
    (outcome,) = take(connection, [told])
    assert reason(outcome) == "item_refused"
    assert connection.execute("select count(*) from item").fetchone() == (0,)


def test_a_bundle_never_holds_itself(connection: Connection) -> None:
    told = [described("a", components={"b": 1000}), described("b", components={"c": 1000})]
    assert take(connection, told) == [DONE, DONE]
    (outcome,) = take(connection, [described("c", components={"a": 1000})])
    assert reason(outcome) == "item_refused"


def test_what_is_in_stock_changes_neither_unit_nor_kind(connection: Connection) -> None:
    take(connection, [described("p"), move("m1", 3000)])
    bundle, weighed = described("p", "2", components={"q": 1}), described("p", "3", unit="KGM")
    (first,) = take(connection, [bundle])
    (second,) = take(connection, [weighed])
    assert [reason(first), reason(second)] == ["item_in_stock", "item_in_stock"]
    # pieces that were moved a moment ago, in the same transaction, count too
    outcomes = take(connection, [move("m2", 1000, "new"), described("new", components={"q": 1})])
    assert reason(outcomes[1]) == "item_in_stock"
    take(connection, [move("m3", -3000)])
    assert take(connection, [described("p", "4", unit="KGM")]) == [DONE]


def test_bundles_are_reserved_sold_and_moved_as_their_components(connection: Connection) -> None:
    take(connection, [described("set", components={"cup": 4000, "jug": 1000})])
    take(connection, [move("m1", 8000, "cup"), move("m2", 2000, "jug")])
    (first,) = take(connection, [reserve("a", 1, set=2000)])
    (answer,) = first.emits
    assert isinstance(answer, StockReserved)
    assert {(li.line, li.product, li.quantity) for li in answer.lines} == {
        ("set", "cup", 8000),
        ("set", "jug", 2000),
    }
    (second,) = take(connection, [reserve("b", 1, cup=1000)])
    assert not isinstance(second.emits[0], StockReserved)
    take(connection, [reserve("a", 2), move("m3", -1000, "set")])
    line = {"kind": "goods", "direction": "sale", "list": 1, "product": "set", "quantity": 1000}
    take(connection, [rung(lines=[line])])
    assert levels(connection) == {
        ("wh", "cup", "sellable"): 4000,
        ("wh", "jug", "sellable"): 1000,
        ("9", "cup", "sellable"): -4000,
        ("9", "jug", "sellable"): -1000,
    }


def test_what_came_before_a_description_goes_by_the_old_one(connection: Connection) -> None:
    told = described("p", packs={"CS": 12_000})
    before, after = move("m1", 500), move("m2", 500)
    outcomes = take(connection, [before, told, after, reserve("m2", 1, p=1000)])
    assert [reason(outcome) for outcome in outcomes] == ["", "", "quantity_fraction", ""]
    assert outcomes[3].follows
    assert levels(connection) == {("wh", "p", "sellable"): 500}


def test_a_description_holds_for_a_bundle_that_is_read_only_after_it(
    connection: Connection,
) -> None:
    inner = described("inner", components={"p": 1000})
    outer = described("outer", components={"inner": 1000})
    take(connection, [described("p"), inner, outer])
    again = described("inner", "2", components={"p": 3000})
    take(connection, [again, move("m", -1000, "outer"), move("n", -1000, "inner")])
    assert levels(connection)["wh", "p", "sellable"] == -6000


def test_a_description_waits_for_whoever_decides_by_the_old_one(
    connection: Connection, database_url: str
) -> None:
    reader = Items(connection)
    reader.load(["p"])
    done = threading.Event()

    def describe() -> None:
        with connect(database_url) as mine:
            take(mine, [described("p")])
        done.set()

    writer = threading.Thread(target=describe)
    writer.start()
    assert not done.wait(0.3)
    connection.commit()
    assert done.wait(10)
    writer.join()
