"""Who may do what: roles against actions, one table, deny by default.

An operator has roles, and may be kept to some legal entities. What no role is given, nobody may
do. The command line and the HTTP interface ask `require` before anything is shown or changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tillbridge.atoms.errors import Refused

ROLES = ("viewer", "operator", "accountant", "integrator", "admin")
CLIENT = "client"
"""The role of a program that asks over HTTP: no action is given to it, its keys carry scopes."""
SCOPES: Mapping[str, str] = {
    "availability:read": "ask what can be sold",
    "reservations:write": "hold stock, confirm and release what it holds",
    "checkout:validate": "have a basket looked at before it is paid",
    "orders:write": "hand orders in and ask how they stand",
    "payments:write": "tell what happened to the payments of orders",
    "returns:write": "ask what of any sale may come back, and authorise it",
    "fulfilments:write": "tell what stores and warehouses do with orders",
}
"""What a key of a client can be good for."""
_ALL = frozenset(ROLES)
_WORK = _ALL - {"viewer"}


class Action(msgspec.Struct, frozen=True):
    """Something that can be allowed. changes: it alters something and is written to the audit.
    whole: not for operators who are kept to some entities, because it does not stop at one.
    """

    words: str
    roles: frozenset[str]
    changes: bool = False
    whole: bool = False


def _action(words: str, *roles: str, changes: bool = False, whole: bool = False) -> Action:
    return Action(words, frozenset(roles) | {"admin"}, changes, whole)


ACTIONS: Mapping[str, Action] = {
    "look": Action("see figures, cases, books, stock and stories", _ALL),
    "look.raw": Action("see bodies as they came, which name buyers", _WORK),
    "look.audit": _action("see what people did", "accountant", whole=True),
    "cards.read": _action(
        "see what is on a gift card or credit whose whole id one has", "operator", "accountant"
    ),
    "people.read": _action("find a person, export what is known", "operator", whole=True),
    "cases.decide": Action("try cases again, give them up", _WORK, changes=True),
    "names.set": _action(
        "give names of ours", "operator", "accountant", "integrator", changes=True
    ),
    "data.take_in": _action("take files in, compare with a source", "operator", "integrator"),
    "flow.pause": _action("pause and resume", "operator", "integrator", changes=True, whole=True),
    "hub.run": _action("run the hub's roles", "operator", "integrator", whole=True),
    "periods.close": _action("close, lock and unlock months", "accountant", changes=True),
    "periods.admit": _action("let late facts into soft-closed months", "accountant", changes=True),
    "rules.activate": _action("put posting rules in force", "accountant", changes=True, whole=True),
    "stock.tell": _action(
        "describe items, correct, move, transfer and buy stock, source orders",
        "operator",
        "integrator",
        changes=True,
    ),
    "supply.decide": _action(
        "run replenishment, accept and reject what it proposes",
        "operator",
        "integrator",
        changes=True,
    ),
    "stock.rules": _action(
        "put rules of availability and of replenishment in force",
        "operator",
        "integrator",
        changes=True,
        whole=True,
    ),
    "returns.decide": _action(
        "allow returns and refunds above the limits of the policy",
        "operator",
        "accountant",
        changes=True,
    ),
    "settlement.decide": _action(
        "say what a difference of a payout is", "accountant", changes=True
    ),
    "items.write_off": _action("write small open items off", "accountant", changes=True),
    "costs.tell": _action("say what goods cost", "accountant", changes=True),
    "secrets.set": _action("replace secrets", "integrator", changes=True, whole=True),
    "database.save": _action("back up", "operator", "integrator", changes=True, whole=True),
    "database.open": _action("restore, open a database shell", changes=True, whole=True),
    "people.erase": _action("erase a person, hold one back", changes=True, whole=True),
    "operators.manage": _action("add and revoke operators", changes=True, whole=True),
    "keys.own": Action("make and revoke keys of one's own", _ALL, changes=True),
    "approvals.decide": Action("decide on what others propose", _WORK, changes=True),
    "approvals.policy": _action("say what needs two persons", changes=True, whole=True),
}
"""Action -> what it is and who has it. docs/security.md shows the same table; a test compares."""


class Who(msgspec.Struct, frozen=True):
    """An operator at work. entities: legal entities seen and changed, () for all of them. key:
    prefix of the key that came with the call, "" on the command line of the operator's own account.
    channel: of a client, "" for a person; scopes, rate (requests per second, 0 = the hub's own):
    of the client's key.
    """

    name: str
    roles: tuple[str, ...]
    entities: tuple[str, ...] = ()
    key: str = ""
    channel: str = ""
    scopes: tuple[str, ...] = ()
    rate: int = 0

    def may(self, action: str) -> bool:
        """Whether a role of this operator is given the action."""
        found = ACTIONS.get(action)
        if found is None or (found.whole and self.entities):
            return False
        return not found.roles.isdisjoint(self.roles)

    def sees(self, entity: str) -> bool:
        """Whether a legal entity is in this operator's reach."""
        return not self.entities or entity in self.entities

    def within(self, entity: str) -> str:
        """The entity, when it is in reach; raises Refused."""
        if not self.sees(entity):
            reach = ", ".join(self.entities)
            raise Refused(
                f"{self.name} works for {reach}, not for {entity or 'all'}", code="forbidden"
            )
        return entity


def require(who: Who, action: str) -> None:
    """Nothing when the operator may; raises Refused with words that say who may."""
    if who.may(action):
        return
    found = ACTIONS.get(action)
    if found is None:
        raise Refused(f"there is no action {action!r}, so nobody may do it", code="forbidden")
    if found.whole and who.entities and not found.roles.isdisjoint(who.roles):
        why = f"it is not bound to one legal entity, and {who.name} is"
    else:
        allowed = ", ".join(role for role in ROLES if role in found.roles)
        why = f"{who.name} is {', '.join(who.roles)}; it takes one of: {allowed}"
    raise Refused(f"{who.name} may not {found.words}: {why}", code="forbidden")


class Reach(msgspec.Struct, frozen=True):
    """What belongs to the entities of an operator. everything: no limit; the rest is empty then."""

    everything: bool
    entities: tuple[str, ...] = ()
    connections: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()

    def values(self) -> dict[str, Any]:
        """Parameters of queries that keep to a reach."""
        return {
            "everything": self.everything,
            "entities": list(self.entities),
            "connections": list(self.connections),
            "locations": list(self.locations),
        }


EVERYTHING = Reach(everything=True)
