"""The matrix of roles and actions, cell by cell; what is not in it nobody may do."""

from __future__ import annotations

import re

import pytest

from tests.tidy.tree import ROOT
from tillbridge.atoms.errors import Refused
from tillbridge.triage.rights import ACTIONS, ROLES, Who, require

# role by role what it may do; `admin` may do all of it
MATRIX = {
    "viewer": "look keys.own",
    "operator": (
        "look look.raw cards.read people.read cases.decide names.set data.take_in flow.pause"
        " hub.run database.save keys.own approvals.decide stock.rules stock.tell supply.decide"
        " returns.decide"
    ),
    "accountant": (
        "look look.raw look.audit cards.read cases.decide names.set periods.close periods.admit"
        " costs.tell items.write_off"
        " rules.activate keys.own approvals.decide returns.decide settlement.decide"
    ),
    "integrator": (
        "look look.raw cases.decide names.set data.take_in flow.pause hub.run secrets.set"
        " database.save keys.own approvals.decide stock.rules stock.tell supply.decide"
    ),
    "admin": " ".join(ACTIONS),
}
CELLS = [(role, action) for role in ROLES for action in ACTIONS]


@pytest.mark.parametrize(("role", "action"), CELLS, ids=lambda word: word)
def test_a_role_may_what_the_matrix_gives_it_and_no_more(role: str, action: str) -> None:
    given = action in MATRIX[role].split()
    everywhere, here = Who("ann", (role,)), Who("ann", (role,), ("us",))
    assert everywhere.may(action) == given
    assert here.may(action) == (given and not ACTIONS[action].whole)
    for who in (everywhere, here):
        if who.may(action):
            require(who, action)
        else:
            with pytest.raises(Refused, match="ann may not"):
                require(who, action)


def test_an_action_nobody_knows_and_a_role_nobody_knows_are_refused() -> None:
    assert not Who("ann", ("admin",)).may("of `cases forget`")
    with pytest.raises(Refused, match="nobody may do it"):
        require(Who("ann", ("admin",)), "of `cases forget`")
    assert not Who("ann", ("owner",)).may("look")
    assert not Who("ann", ()).may("look")


def test_an_operator_of_one_entity_does_not_reach_another() -> None:
    who = Who("ann", ("accountant",), ("us",))
    assert who.within("us") == "us"
    for entity in ("ca", ""):
        with pytest.raises(Refused, match="ann works for us"):
            who.within(entity)
    assert Who("ann", ("accountant",)).within("ca") == "ca"


def test_the_matrix_in_the_documents_is_the_one_in_force() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z]+\.?[a-z_]*)` \|[^|]*\|(.*)\|$", page, re.MULTILINE)
    told = {
        action: {role for role, cell in zip(ROLES, cells.split("|"), strict=True) if "x" in cell}
        for action, cells in rows
    }
    assert told == {name: set(action.roles) for name, action in ACTIONS.items()}
