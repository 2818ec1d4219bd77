"""Deciding one reservation after the other, without a database."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tillbridge.canonical.stock import StockLine
from tillbridge.posting.stock.reserve import Answer, Place, answer

WH = ("wh",)


def _line(quantity: int, name: str = "1", product: str = "p") -> StockLine:
    return StockLine(name, product, quantity)


class Shelf:
    """On hand and held, as the room keeps them."""

    def __init__(self, on_hand: dict[Place, int]) -> None:
        self.on_hand = on_hand
        self.holds: dict[str, tuple[StockLine, ...]] = {}

    def free(self, place: Place) -> int:
        return self.on_hand.get(place, 0) - self.reserved(place)

    def reserved(self, place: Place) -> int:
        held = (one for lines in self.holds.values() for one in lines)
        return sum(one.quantity for one in held if (one.location, one.product) == place)

    def ask(self, key: str, lines: list[StockLine], places: tuple[str, ...] = WH) -> Answer:
        found = answer(lines, places, self.holds.get(key, ()), self.free)
        self.holds[key] = found.lines
        return found


def test_what_fits_is_sold_although_an_earlier_ask_did_not_fit() -> None:
    shelf = Shelf({("wh", "p"): 20})
    asked = [shelf.ask(key, [_line(n)]) for key, n in (("a", 30), ("b", 5), ("c", 5))]
    assert [found.held for found in asked] == [False, True, True]
    assert shelf.reserved(("wh", "p")) == 10
    assert (asked[0].product, asked[0].wanted, asked[0].free) == ("p", 30, 20)


def test_all_lines_are_held_or_none() -> None:
    shelf = Shelf({("wh", "p"): 5, ("wh", "q"): 1})
    found = shelf.ask("a", [_line(5), _line(2, "2", "q")])
    assert (found.held, found.product, found.wanted, found.free) == (False, "q", 2, 1)
    assert shelf.holds["a"] == ()


def test_two_lines_of_one_product_are_summed() -> None:
    shelf = Shelf({("wh", "p"): 5})
    assert not shelf.ask("a", [_line(3), _line(3, "2")]).held
    assert shelf.ask("b", [_line(3), _line(2, "2")]).held


def test_the_first_place_that_can_serve_everything_is_taken() -> None:
    shelf = Shelf({("wh", "p"): 5, ("store", "p"): 5, ("store", "q"): 1})
    found = shelf.ask("a", [_line(5), _line(1, "2", "q")], ("wh", "store"))
    assert (found.held, found.location) == (True, "store")
    assert {one.location for one in found.lines} == {"store"}


def test_a_demand_that_shrinks_stands_where_it_stood_even_if_the_place_became_short() -> None:
    shelf = Shelf({("wh", "p"): 5})
    shelf.ask("a", [_line(5)])
    shelf.on_hand[("wh", "p")] = 1
    assert shelf.ask("a", [_line(4)], ("store", "wh")).lines == (StockLine("1", "p", 4, "wh"),)


def test_a_demand_that_grows_counts_what_it_holds_itself() -> None:
    shelf = Shelf({("wh", "p"): 5})
    shelf.ask("a", [_line(3)])
    assert shelf.ask("a", [_line(5)]).held
    grown = shelf.ask("a", [_line(6)])
    assert (grown.held, grown.free) == (False, 5)
    assert shelf.holds["a"] == ()


def test_nothing_wanted_lets_everything_go() -> None:
    shelf = Shelf({("wh", "p"): 5})
    shelf.ask("a", [_line(5)])
    assert shelf.ask("a", []) == Answer(held=True)
    assert shelf.free(("wh", "p")) == 5


def test_a_channel_that_ships_from_nowhere_is_short_of_its_first_product() -> None:
    assert not Shelf({}).ask("a", [_line(1)], ()).held


_lines = st.lists(
    st.builds(
        StockLine,
        line=st.sampled_from("123"),
        product=st.sampled_from("pq"),
        quantity=st.integers(1, 6),
    ),
    max_size=3,
    unique_by=lambda one: one.line,
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    asks=st.lists(st.tuples(st.sampled_from("abcd"), _lines), max_size=20),
    stock=st.tuples(st.integers(0, 10), st.integers(0, 10), st.integers(0, 10)),
)
def test_nothing_is_promised_beyond_what_is_on_hand(
    asks: list[tuple[str, list[StockLine]]], stock: tuple[int, int, int]
) -> None:
    shelf = Shelf({("wh", "p"): stock[0], ("wh", "q"): stock[1], ("store", "p"): stock[2]})
    for key, lines in asks:
        before = dict(shelf.holds)
        found = shelf.ask(key, list(lines), ("wh", "store"))
        for place, on_hand in shelf.on_hand.items():
            assert 0 <= shelf.reserved(place) <= on_hand
        if found.held:
            wanted = sorted((one.line, one.product, one.quantity) for one in lines)
            assert sorted((o.line, o.product, o.quantity) for o in found.lines) == wanted
        else:  # honest: no place could have served it all, what the key held given back
            shelf.holds = {name: held for name, held in before.items() if name != key}
            for where in ("wh", "store"):
                need: dict[str, int] = {}
                for one in lines:
                    need[one.product] = need.get(one.product, 0) + one.quantity
                assert any(shelf.free((where, p)) < quantity for p, quantity in need.items())
            shelf.holds[key] = ()
