"""One reservation over several locations: the fewest, then the most preferred, lines kept whole."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from tillbridge.canonical.stock import StockLine
from tillbridge.posting.stock.reserve import Answer, Place, answer

PLACES = ("wh", "a", "b", "c", "d")


def _ask(
    stock: dict[Place, int],
    *lines: StockLine,
    most: int = 2,
    places: tuple[str, ...] = PLACES,
    held: tuple[StockLine, ...] = (),
    full: tuple[str, ...] = (),
) -> Answer:
    return answer(lines, places, held, lambda place: stock.get(place, 0), most, full)


def _line(quantity: int, name: str = "1", product: str = "p", location: str = "") -> StockLine:
    return StockLine(name, product, quantity, location)


def _where(found: Answer) -> list[tuple[str, str, str, int]]:
    return [(one.line, one.product, one.location, one.quantity) for one in found.lines]


def test_one_place_that_serves_all_goes_before_two_preferred_ones() -> None:
    stock = {("wh", "p"): 1, ("a", "q"): 1, ("d", "p"): 1, ("d", "q"): 1}
    found = _ask(stock, _line(1), _line(1, "2", "q"))
    assert (found.held, found.location) == (True, "d")


def test_lines_are_spread_only_as_far_as_the_channel_lets_them() -> None:
    stock = {("wh", "p"): 1, ("a", "q"): 1, ("b", "r"): 1}
    lines = (_line(1), _line(1, "2", "q"), _line(1, "3", "r"))
    short = _ask(stock, *lines, most=2)
    assert (short.held, short.product, short.wanted, short.free) == (False, "q", 1, 0)
    found = _ask(stock, *lines, most=3)
    assert (found.held, found.location) == (True, "")
    assert [line.location for line in found.lines] == ["wh", "a", "b"]


def test_among_pairs_the_one_with_the_most_preferred_place_is_taken() -> None:
    stock = {("wh", "p"): 1, ("d", "q"): 1, ("a", "p"): 1, ("b", "q"): 1}
    found = _ask(stock, _line(1), _line(1, "2", "q"))
    assert [line.location for line in found.lines] == ["wh", "b"]


def test_a_line_stays_whole_where_a_place_of_the_set_takes_it() -> None:
    stock = {("wh", "p"): 3, ("a", "p"): 4}
    found = _ask(stock, _line(2), _line(4, "2"))
    assert _where(found) == [("1", "p", "wh", 2), ("2", "p", "a", 4)]


def test_a_line_no_place_can_serve_is_broken_over_several() -> None:
    stock = {("wh", "p"): 3, ("a", "p"): 2}
    assert _where(_ask(stock, _line(5))) == [("1", "p", "wh", 3), ("1", "p", "a", 2)]
    assert not _ask(stock, _line(5), most=1).held


def test_the_products_of_a_bundle_stand_together_where_they_can() -> None:
    stock = {("wh", "p"): 1, ("wh", "r"): 9, ("a", "p"): 1, ("a", "q"): 1}
    found = _ask(stock, _line(1, "set"), _line(1, "set", "q"), _line(2, "2", "r"))
    assert _where(found) == [("set", "p", "a", 1), ("set", "q", "a", 1), ("2", "r", "wh", 2)]


def test_a_place_with_its_hands_full_is_asked_last_and_not_left_out() -> None:
    stock = {("wh", "p"): 1, ("a", "p"): 1}
    assert _ask(stock, _line(1), full=("wh",)).location == "a"
    assert _ask(stock, _line(2), full=("wh",)).held
    assert _ask(stock, _line(1), full=("wh", "a")).location == "wh"


def test_a_place_with_its_hands_full_keeps_what_it_holds() -> None:
    held = (_line(1, location="wh"),)
    found = _ask({("wh", "p"): 1, ("a", "p"): 9}, _line(2), held=held, full=("wh",))
    assert found.location == "wh"


def test_a_line_that_names_its_place_stays_and_the_others_go_elsewhere() -> None:
    held = (_line(1, "1", "p", "wh"), _line(1, "2", "q", "wh"))
    stock = {("a", "p"): 5, ("a", "q"): 5}
    wanted = (_line(1, "1", "p", "wh"), _line(1, "2", "q"))
    found = answer(wanted, ("a",), held, lambda place: stock.get(place, 0), 2, (), ("wh",))
    assert _where(found) == [("1", "p", "wh", 1), ("2", "q", "a", 1)]


def test_what_stood_at_a_barred_place_leaves_it_although_it_did_not_grow() -> None:
    held = (_line(1, "1", "p", "wh"),)
    found = answer((_line(1),), ("a",), held, lambda _: 5, 1, (), ("wh",))
    assert found.location == "a"
    assert not answer((_line(1),), (), held, lambda _: 5, 1, (), ("wh",)).held


def test_a_spread_line_that_shrinks_stands_where_it_stood() -> None:
    held = (_line(3, "1", "p", "wh"), _line(2, "1", "p", "a"))
    found = _ask({}, _line(4), held=held)
    assert _where(found) == [("1", "p", "wh", 3), ("1", "p", "a", 1)]


_stock = st.dictionaries(
    st.tuples(st.sampled_from(PLACES), st.sampled_from("pqr")), st.integers(0, 3), max_size=15
)
_wanted = st.lists(
    st.builds(_line, st.integers(1, 4), st.sampled_from("123"), st.sampled_from("pqr")),
    min_size=1,
    max_size=3,
    unique_by=lambda one: one.line,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(stock=_stock, lines=_wanted, most=st.integers(1, 4))
def test_every_demand_that_some_set_of_places_can_serve_is_served_by_the_first_such_set(
    stock: dict[Place, int], lines: list[StockLine], most: int
) -> None:
    demand: dict[str, int] = {}
    for one in lines:
        demand[one.product] = demand.get(one.product, 0) + one.quantity

    def serves(places: tuple[str, ...]) -> bool:
        return all(
            sum(stock.get((place, product), 0) for place in places) >= wanted
            for product, wanted in demand.items()
        )

    wanted_set = next(
        (
            places
            for size in range(1, most + 1)
            for places in combinations(PLACES, size)
            if serves(places)
        ),
        None,
    )
    found = _ask(stock, *lines, most=most)
    assert found.held == (wanted_set is not None)
    if wanted_set is None:
        assert found.free < found.wanted
        return
    assert {one.location for one in found.lines} <= set(wanted_set)
    taken: dict[Place, int] = {}
    for one in found.lines:
        place = (one.location, one.product)
        taken[place] = taken.get(place, 0) + one.quantity
    assert all(0 < much <= stock[place] for place, much in taken.items())
    for one in lines:
        assert sum(x.quantity for x in found.lines if x.line == one.line) == one.quantity


def test_two_wishes_of_one_line_do_not_share_a_held_piece() -> None:
    held = (StockLine("1", "p", 2, "wh"), StockLine("1", "p", 1, "store"))
    free = {("wh", "p"): 0, ("store", "p"): 0}
    lines = [StockLine("1", "p", 1), StockLine("1", "p", 2, "wh")]
    found = answer(lines, ("wh", "store"), held, lambda place: free[place], 2)
    assert {(one.location, one.quantity) for one in found.lines} == {("wh", 2), ("store", 1)}
    more = answer([*lines, StockLine("1", "p", 1)], ("wh", "store"), held, lambda _: 0, 2)
    assert not more.held
