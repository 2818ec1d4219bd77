"""Two persons for a change: one proposes, another approves, and then it is applied at once.

The database holds it up on its own: author and approver differ, a key that the author made does
not count as the approver's, a proposal is never edited, and the tables that matter refuse the
change outside of a transaction that holds its approval. Whoever approves needs the very right that
the change itself takes.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from tillbridge.atoms.errors import Refused
from tillbridge.durable import audit
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.triage import policy
from tillbridge.triage.changes import KINDS, Hand
from tillbridge.triage.rights import Who, require

QUERIES = load(
    "tillbridge.triage", "approvals.sql", "propose", "list", "lock", "decide", "for_this"
)


class Wish(msgspec.Struct, frozen=True):
    """A change somebody wants. entity: the legal entity it stays within, "" for more than one.
    size: minor units at stake or number of keys, where a person may do some of it alone.
    """

    action: str
    subject: str
    change: dict[str, Any]
    reason: str
    entity: str = ""
    size: int | None = None


class Approval(msgspec.Struct, frozen=True):
    """A proposal and what became of it. change: what is applied; before: what it was based on."""

    id: int
    action: str
    subject: str
    entity: str
    author: str
    reason: str
    made_at: datetime
    state: str
    approver: str
    decided_at: datetime | None
    note: str
    hash: str
    change: Any
    before: Any


def needed(connection: Connection, action: str, size: int | None = None) -> bool:
    """Whether a change of this action (and size) takes a second person in this hub."""
    found = policy.read(connection)
    if not found.second_person:
        return False
    match action:
        case "cases.give_up":
            return size is not None and abs(size) > found.alone_amount
        case "cases.replay":
            return size is not None and size > found.alone_keys
        case "operators.grant" | "approvals.policy":
            return policy.several_admins(connection)
        case _:
            return True


def carry_out(connection: Connection, who: Who, wish: Wish, now: datetime) -> int | None:
    """Apply a change, or propose it when it takes a second person: the proposal's number then.

    The caller commits. Raises Refused when the operator may not, or gives no reason for a proposal.
    """
    kind = KINDS[wish.action]
    require(who, kind.right)
    if wish.entity:
        who.within(wish.entity)
    if not needed(connection, wish.action, wish.size):
        kind.apply(connection, wish.change, Hand(who.name, wish.reason, now))
        return None
    if not wish.reason:
        raise Refused("a second person has to approve this; say why with --reason")
    return propose(connection, who, wish)


def propose(connection: Connection, who: Who, wish: Wish) -> int:
    """Put a change before a second person; gives the proposal's number. The caller commits.

    For a program that may ask for what only people may allow; others go through `carry_out`.
    """
    kind = KINDS[wish.action]
    change = msgspec.json.encode(wish.change, order="sorted")
    row = connection.execute(
        QUERIES.propose,
        {
            "action": wish.action,
            "subject": wish.subject,
            "entity": wish.entity,
            "change": change,
            "before": msgspec.json.encode(kind.ground(connection, wish.change), order="sorted"),
            "author": who.name,
            "reason": wish.reason,
        },
    ).fetchone()
    number = int(row[0]) if row else 0
    after = {
        "action": wish.action,
        "subject": wish.subject,
        "hash": hashlib.sha256(change).hexdigest(),
    }
    audit.record(
        connection, who.name, "approvals.propose", str(number), after=after, reason=wish.reason
    )
    return number


def approvals(connection: Connection, state: str = "proposed") -> list[Approval]:
    """Proposals in a state, "" for all, oldest first."""
    rows = connection.execute(QUERIES.list, {"state": state, "id": 0}).fetchall()
    return [_read(row) for row in rows]


def approval(connection: Connection, number: int) -> Approval:
    """One proposal; raises Refused when there is none of that number."""
    row = connection.execute(QUERIES.list, {"state": "", "id": number}).fetchone()
    if row is None:
        raise Refused(f"there is no proposal {number}")
    return _read(row)


def approve(connection: Connection, who: Who, number: int, now: datetime, note: str = "") -> str:
    """Approve and apply; gives `applied`, or `void` when the ground changed since. Caller commits.

    Raises Refused for the author, for who lacks the right, and for what is decided already.
    """
    found = _open(connection, number)
    kind = KINDS[found.action]
    require(who, kind.right)
    who.within(found.entity)
    if who.name == found.author:
        raise Refused(f"{who.name} proposed it; another person has to approve it", code="forbidden")
    if kind.ground(connection, found.change) != found.before:
        _decide(connection, who, found, "void", "what it was proposed upon has changed since")
        return "void"
    _decide(connection, who, found, "applied", note)
    connection.execute(QUERIES.for_this, (str(number),))
    reason = f"{found.reason} (proposal {number}, approved by {who.name})"
    kind.apply(connection, found.change, Hand(found.author, reason, now))
    return "applied"


def reject(connection: Connection, who: Who, number: int, note: str) -> str:
    """Say no; the author's own no takes the proposal back. Gives the new state. Caller commits.

    Raises Refused as `approve` does, but for the author.
    """
    found = _open(connection, number)
    require(who, KINDS[found.action].right)
    if who.name != found.author:
        who.within(found.entity)
    state = "void" if who.name == found.author else "rejected"
    _decide(connection, who, found, state, note)
    return state


def _open(connection: Connection, number: int) -> Approval:
    """The proposal, locked: of two who decide at once the second finds it decided."""
    row = connection.execute(QUERIES.lock, (number,)).fetchone()
    if row is not None and row[0] != "proposed":
        raise Refused(f"proposal {number} is {row[0]} already")
    return approval(connection, number)


def _decide(connection: Connection, who: Who, found: Approval, state: str, note: str) -> None:
    approver = who.name if state in ("applied", "rejected") else ""
    key = who.key if approver else ""
    connection.execute(QUERIES.decide, (state, approver, key, note, found.id))
    audit.record(
        connection,
        who.name,
        f"approvals.{state}",
        str(found.id),
        after={"action": found.action, "subject": found.subject, "hash": found.hash},
        reason=note,
    )


def _read(row: tuple[Any, ...]) -> Approval:
    values = [*row[:-2], *(msgspec.json.decode(part) for part in row[-2:])]
    return Approval(*values)
