"""The seeded bugs fit the source, and the hunt tells a bug from none."""

from __future__ import annotations

import pytest

from tests.fire.mutants.bug import Bug, one, stale
from tests.fire.mutants.bugs import BUGS
from tests.fire.mutants.hunt import ROOT, hunt

MONEY_TEST = "atoms/test_money.py::test_a_split_loses_no_cent_and_is_fair"


def test_there_are_enough_bugs_and_each_is_another() -> None:
    assert len(BUGS) >= 25
    assert len({bug.name for bug in BUGS}) == len(BUGS)
    assert len({bug.edits for bug in BUGS}) == len(BUGS)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name.replace(" ", "_"))
def test_a_seeded_bug_fits_the_source_and_names_living_tests(bug: Bug) -> None:
    assert not stale(bug, ROOT)


def test_a_bug_that_no_longer_fits_is_told() -> None:
    lost = one("lost", "atoms/money.py", "no such text", "", "atoms/test_money.py::test_gone")
    assert stale(lost, ROOT) == [
        "lost: its text stands 0 times in atoms/money.py",
        "lost: there is no test atoms/test_money.py::test_gone",
    ]


def test_the_hunt_catches_a_bug_and_lets_a_harmless_change_survive(server_url: str) -> None:
    lossy = next(bug for bug in BUGS if bug.name == "a split that loses the last cent")
    place = "atoms/money.py"
    harmless = one("harmless", place, "Splits lose no cent.", "Splits keep all.", MONEY_TEST)
    broken = one("broken", place, "def split(", "def splitting(", MONEY_TEST)
    found = [catch.outcome for catch in hunt([lossy, harmless, broken], server_url)]
    assert found == ["caught", "survived", "error"]
