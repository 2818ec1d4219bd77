"""A listing against what the hub holds: missing, behind, waiting, differing, and the sums."""

from __future__ import annotations

from tillbridge.contract.promises import Listed
from tillbridge.reconciliation.sweeps.compare import Held, Sums, Tally, compare


def listed(number: int, version: str = "2", amount: int = 1000, refunded: int = 0) -> Listed:
    return Listed(
        key=f"order/web/{number}",
        topic="reread/order",
        reference=str(number),
        version=version,
        currency="USD",
        amount=amount,
        refunded=refunded,
    )


def tallied(
    *objects: Listed, held: dict[int, Held] | None = None, received: tuple[int, ...] = ()
) -> Tally:
    tally = Tally()
    compare(
        tally,
        objects,
        {f"order/web/{number}": one for number, one in (held or {}).items()},
        {f"order/web/{number}" for number in received},
    )
    return tally


SAME = Held("2", "USD", 1000, 0)


def test_what_is_the_same_on_both_sides_asks_for_nothing() -> None:
    tally = tallied(listed(1), held={1: SAME})
    assert (tally.source_count, tally.hub_count, tally.waiting) == (1, 1, 0)
    assert (tally.missing, tally.behind, tally.differences) == ([], [], [])
    assert tally.sums == {"USD": Sums(1000, 0, 1000, 0)}


def test_what_nobody_told_is_missing_unless_it_came_and_waits() -> None:
    tally = tallied(listed(1), listed(2), received=(2,))
    assert [one.reference for one in tally.missing] == ["1"]
    assert (tally.source_count, tally.hub_count, tally.waiting) == (2, 0, 1)


def test_an_older_version_is_behind_and_a_newer_one_is_none_of_the_sweeps_business() -> None:
    old, new = Held("1", "USD", 1000, 0), Held("3", "USD", 900, 0)
    tally = tallied(listed(1), listed(2), listed(3), held={1: old, 2: new, 3: old}, received=(3,))
    assert [one.reference for one in tally.behind] == ["1"]
    assert tally.differences == []
    assert tally.waiting == 1


def test_the_same_version_with_other_amounts_is_told_with_both_figures() -> None:
    tally = tallied(listed(1, refunded=250), held={1: SAME})
    (found,) = tally.differences
    assert found.at_stake == 250
    assert found.words == (
        "the source says 10.00 USD and 2.50 USD given back;"
        " the hub holds 10.00 USD and 0.00 USD given back"
    )
    assert tally.sums["USD"] == Sums(1000, 250, 1000, 0)


def test_what_is_listed_twice_counts_once_and_currencies_are_never_added() -> None:
    other = Held("2", "CAD", 1300, 0)
    tally = tallied(listed(1), listed(1), listed(2), held={1: SAME, 2: other})
    assert tally.source_count == 2
    assert tally.sums == {"USD": Sums(2000, 0, 1000, 0), "CAD": Sums(0, 0, 1300, 0)}
    assert [one.held for one in tally.differences] == [other]


def test_each_tally_begins_empty() -> None:
    tallied(listed(1))
    assert Tally().missing == []
    assert Tally().keys == set()
