"""What movements are worth depends on no order, and what all came back is worth nothing."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tillbridge.reconciliation.costs.goods import kind_of
from tillbridge.reconciliation.costs.worth import CostList, Listed, Piece, nearest, value_of, worths

DAY = date(2026, 1, 1)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def piece(number: int, kind: str, quantity: int, day: int = 0, **words: bool) -> Piece:
    at = NOON + timedelta(days=day)
    return Piece(number, kind, quantity, at.date(), at, **words)


def costs(*rows: tuple[int, int]) -> CostList:
    """(day, unit cost)."""
    return CostList(Listed(DAY + timedelta(days=day), cost) for day, cost in rows)


_QUANTITIES = st.lists(st.integers(1, 9_999), min_size=1, max_size=5)
_LISTS = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 10**7)), max_size=3)


@given(_QUANTITIES, st.integers(1, 10**7), _LISTS, st.randoms())
def test_a_sale_and_its_whole_return_give_zero_in_any_parts_and_any_order(
    sold: list[int], first: int, later: list[tuple[int, int]], chance: random.Random
) -> None:
    out = [piece(n, "sold", -quantity, chance.randrange(30)) for n, quantity in enumerate(sold)]
    left, back = sum(sold), list[Piece]()
    while left:
        part = chance.randint(max(1, left // 4), left)
        back.append(piece(100 + len(back), "returned", part, chance.randrange(60)))
        left -= part
    pieces = [*out, *back]
    listed = costs((0, first), *dict(later).items())
    found = worths(pieces, listed)
    assert sum(worth.amount for worth in found.values() if worth) == 0
    chance.shuffle(pieces)
    assert worths(pieces, listed) == found
    # what stands on the shelf is worth what the list said on the day it came
    for one in back:
        worth = found[one.movement]
        at_list = listed.on(one.day)
        assert worth is not None
        assert at_list is not None
        assert worth.worth == value_of(one.quantity, at_list.unit_cost)


def test_what_comes_back_has_the_cost_it_left_for() -> None:
    listed = costs((0, 1_000_000), (10, 1_200_000))
    found = worths([piece(1, "sold", -2000, 1), piece(2, "returned", 1000, 20)], listed)
    assert found[1] is not None
    assert found[2] is not None
    assert (found[1].amount, found[1].worth) == (-2000, -2000)
    assert (found[2].amount, found[2].worth) == (1000, 1200)


def test_more_than_left_comes_in_at_the_list() -> None:
    found = worths([piece(1, "sold", -1000), piece(2, "returned", 3000)], costs((0, 500_000)))
    assert found[2] is not None
    assert found[2].amount == 1500


def test_a_missing_cost_is_never_nothing() -> None:
    found = worths([piece(1, "sold", -1000), piece(2, "returned", 1000, 9)], costs((5, 1)))
    assert found == {1: None, 2: None}
    assert worths([piece(1, "received", 1000)], costs()) == {1: None}


def test_what_is_damaged_or_voided_is_worth_nothing() -> None:
    listed = costs((0, 1_000_000))
    found = worths([piece(1, "sold", -1000), piece(2, "returned", 1000, damaged=True)], listed)
    assert found[2] is not None
    assert (found[2].amount, found[2].worth) == (1000, 0)
    (worth,) = worths([piece(1, "sold", -1000, voided=True)], listed).values()
    assert worth is not None
    assert (worth.amount, worth.worth) == (0, 0)


def test_halves_go_away_from_zero_on_both_sides() -> None:
    assert [nearest(n, 2) for n in (1, -1, 3, -3, 4)] == [1, -1, 2, -2, 2]


def test_why_value_came_or_went() -> None:
    assert kind_of("sale", "", -1, abroad=False) == "sold"
    assert kind_of("sale", "", 1, abroad=False) == "returned"
    assert kind_of("adjustment", "write_off", -1, abroad=False) == "written_off"
    assert kind_of("adjustment", "no_pick", -1, abroad=False) == "shrinkage"
    assert kind_of("transfer_out", "", -1, abroad=True) == "transferred"
    assert kind_of("transfer_out", "", -1, abroad=False) == "moved"
    assert kind_of("receipt", "po-1", 1, abroad=False) == "received"
