"""Operators: people and programs by name, their roles, and the keys they come in with.

A key is `tb_PREFIX_SECRET` with 160 random bits, shown once. Kept are its prefix and the SHA-256
of the whole (a slow hash protects words a person would choose; nobody guesses 160 bits). A key
expires, and a revoked one is refused from the next call on. A program is an operator with the role
`client` alone, bound to one sales channel; its keys carry scopes.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime, timedelta

import msgspec

from tillbridge.atoms.errors import Refused
from tillbridge.atoms.ids import Ids
from tillbridge.durable import audit
from tillbridge.durable.queries import load
from tillbridge.durable.rooms import Connection
from tillbridge.triage.rights import CLIENT, ROLES, SCOPES, Who

QUERIES = load("tillbridge.triage", "operators.sql")
KEY_DAYS = 90
KEY_DAYS_MAX = 366
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_KEY = re.compile(r"tb_([0-9a-f]{8})_[0-9a-f]{40}")


class Operator(msgspec.Struct, frozen=True):
    """An operator in a list. entities: [] for all of them. keys: live ones."""

    name: str
    os_user: str
    roles: list[str]
    entities: list[str]
    made_at: datetime
    made_by: str
    revoked_at: datetime | None
    keys: int
    channel: str


class Key(msgspec.Struct, frozen=True):
    """A key in a list; never the key itself. scopes, rate: of a client's key."""

    prefix: str
    operator: str
    made_at: datetime
    made_by: str
    expires_at: datetime
    revoked_at: datetime | None
    scopes: list[str]
    rate: int


class KeyTerms(msgspec.Struct, frozen=True):
    """What a key is worth. days: how long. scopes: what a client's key is good for. rate: requests
    per second it may send, 0 = what the hub gives every key.
    """

    days: int
    scopes: tuple[str, ...] = ()
    rate: int = 0


class Grant(msgspec.Struct, frozen=True):
    """What an operator is given. os_user: the account of the machine that is this person. channel:
    the sales channel a client speaks for.
    """

    name: str
    roles: list[str]
    entities: list[str] = []
    os_user: str = ""
    channel: str = ""


def of_account(connection: Connection, os_user: str, owner: str) -> Who:
    """The operator an account of the machine is; raises Refused when it is none.

    Without any live admin the owner of the workspace becomes the first one: a new database, one of
    before there were operators, or one whose last admin is gone. The caller commits.
    """
    found = connection.execute(QUERIES.by_os_user, (os_user,)).fetchone()
    if found is None and os_user == owner and _first(connection, owner):
        found = connection.execute(QUERIES.by_os_user, (os_user,)).fetchone()
    if found is None:
        raise Refused(
            f"{os_user} is no operator of this hub; an admin makes one with: "
            f"tillbridge operators add {os_user} --role ROLE (or set TILLBRIDGE_OPERATOR_KEY)",
            code="unknown_operator",
        )
    name, roles, entities = found
    return Who(name, tuple(roles), tuple(entities))


def _first(connection: Connection, owner: str) -> bool:
    connection.execute(QUERIES.lock)
    row = connection.execute(QUERIES.has_admin).fetchone()
    if row and row[0]:
        return False
    grant = Grant(name=re.sub(r"[^A-Za-z0-9._-]", "_", owner)[:63], roles=["admin"], os_user=owner)
    _put(connection, grant, audit.HUB, "owner of the workspace, and there was no admin")
    return True


def of_key(connection: Connection, key: str, now: datetime) -> Who | None:
    """The operator a key belongs to; None for an unknown, expired or revoked one."""
    parts = _KEY.fullmatch(key)
    if parts is None:
        return None
    row = connection.execute(QUERIES.by_key, (parts[1], now)).fetchone()
    if row is None or not hmac.compare_digest(bytes(row[3]), _hash(key)):
        return None
    return Who(
        row[0],
        tuple(row[1]),
        tuple(row[2]),
        key=parts[1],
        channel=row[4],
        scopes=tuple(row[5]),
        rate=row[6],
    )


def check(grant: Grant, known_entities: set[str], known_channels: set[str]) -> Grant:
    """A grant in its one written form; raises Refused when it cannot be given."""
    if not _NAME.fullmatch(grant.name):
        raise Refused(f"{grant.name!r} is no name of an operator (letters, digits, dot, dash)")
    if CLIENT in grant.roles:
        return _checked_client(grant, known_channels)
    if grant.channel:
        raise Refused("only a client is bound to a channel (--role client)")
    wrong = sorted(set(grant.roles) - set(ROLES))
    if wrong or not grant.roles:
        raise Refused(
            f"no role {', '.join(wrong) or 'given'} (there are {', '.join((*ROLES, CLIENT))})"
        )
    foreign = sorted(set(grant.entities) - known_entities)
    if foreign:
        raise Refused(f"the workspace has no entity {', '.join(foreign)}")
    roles = [role for role in ROLES if role in grant.roles]
    return Grant(grant.name, roles, sorted(set(grant.entities)), grant.os_user)


def _checked_client(grant: Grant, known_channels: set[str]) -> Grant:
    if set(grant.roles) != {CLIENT} or grant.entities or grant.os_user:
        raise Refused("a client is a program: no other role, no entity and no account")
    if grant.channel not in known_channels:
        raise Refused(f"a client speaks for one channel; the workspace has no {grant.channel!r}")
    return Grant(grant.name, [CLIENT], channel=grant.channel)


def put(connection: Connection, grant: Grant, by: str, reason: str) -> None:
    """Add an operator or change what one is given; the caller commits."""
    connection.execute(QUERIES.lock)
    _put(connection, grant, by, reason)


def state_of(connection: Connection, name: str) -> dict[str, object] | None:
    """What an operator is given now; None when there is none of that name."""
    row = connection.execute(QUERIES.one, (name,)).fetchone()
    if row is None:
        return None
    found = {"os_user": row[1], "roles": row[2], "entities": row[3], "live": row[4] is None}
    return {**found, "channel": row[5]} if row[5] else found


def _put(connection: Connection, grant: Grant, by: str, reason: str) -> None:
    before = state_of(connection, grant.name)
    _keep_a_way_in(connection, grant)
    values = {**msgspec.structs.asdict(grant), "by": by}
    connection.execute(QUERIES.put, values)
    audit.record(
        connection,
        by,
        "operators.grant",
        grant.name,
        before=before,
        after=state_of(connection, grant.name),
        reason=reason,
    )


def _keep_a_way_in(connection: Connection, grant: Grant) -> None:
    """Raises Refused when the only admin would give away the account he comes in with."""
    values = {"name": grant.name, "os_user": grant.os_user}
    row = connection.execute(QUERIES.only_way_in, values).fetchone()
    if row and row[0] and "admin" in grant.roles:
        raise Refused(
            f"{grant.name} is the only admin and has no key: with another account nobody could "
            "come in; make a key first (tillbridge keys make), or another admin"
        )


def revoke(connection: Connection, name: str, by: str, reason: str) -> None:
    """Take everything from an operator, keys too; the caller commits. Raises Refused for the last
    admin and for one who is not there.
    """
    connection.execute(QUERIES.lock)
    before = state_of(connection, name)
    if connection.execute(QUERIES.revoke, (name,)).rowcount == 0:
        raise Refused(f"there is no operator {name!r}")
    row = connection.execute(QUERIES.has_admin).fetchone()
    if not (row and row[0]):
        raise Refused(f"{name} is the last admin; make another one first")
    keys = connection.execute(QUERIES.revoke_keys, (name,)).rowcount
    audit.record(
        connection, by, "operators.revoke", name, before=before, after={"keys": keys}, reason=reason
    )


def make_key(
    connection: Connection,
    name: str,
    by: str,
    terms: KeyTerms,
    *,
    now: datetime,
    ids: Ids,
    key: str = "",
) -> str:
    """A new key of an operator; the only time it is seen. The caller commits.

    key: prefix of the key `by` came with. Who made that one counts as the maker of this one too,
    so that nobody turns a key he made for another into one that speaks for a second person.
    """
    state = state_of(connection, name)
    if state is None or not state["live"]:
        raise Refused(f"there is no operator {name!r}")
    _check_terms(terms, client="channel" in state)
    prefix = ids.random_hex(4)
    made = f"tb_{prefix}_{ids.random_hex(20)}"
    after = {"prefix": prefix, "until": now + timedelta(days=terms.days)}
    if terms.scopes:
        after |= {"scopes": sorted(set(terms.scopes)), "rate": terms.rate}
    values = {"operator": name, "hash": _hash(made), "by": by, "with": key}
    given = {"scopes": [], "rate": terms.rate, **after}
    connection.execute(QUERIES.add_key, values | given)
    audit.record(connection, by, "keys.make", name, after=after)
    return made


def _check_terms(terms: KeyTerms, *, client: bool) -> None:
    if not 0 < terms.days <= KEY_DAYS_MAX:
        raise Refused(f"a key lasts 1 to {KEY_DAYS_MAX} days")
    wrong = sorted(set(terms.scopes) - set(SCOPES))
    if wrong or (client and not terms.scopes):
        raise Refused(f"no scope {', '.join(wrong) or 'given'} (there are {', '.join(SCOPES)})")
    if not client and (terms.scopes or terms.rate):
        raise Refused("scopes and a rate belong to keys of clients; people have roles")
    if terms.rate < 0:
        raise Refused("a rate is a number of requests per second")


def revoke_key(connection: Connection, prefix: str, by: str, reason: str) -> str:
    """Make a key worthless; gives whose it was. The caller commits."""
    row = connection.execute(QUERIES.revoke_key, (prefix,)).fetchone()
    if row is None:
        raise Refused(f"there is no live key {prefix!r}")
    audit.record(
        connection, by, "keys.revoke", str(row[0]), after={"prefix": prefix}, reason=reason
    )
    return str(row[0])


def operators(connection: Connection) -> list[Operator]:
    """All operators, revoked ones too."""
    return [Operator(*row) for row in connection.execute(QUERIES.list).fetchall()]


def keys(connection: Connection, name: str = "") -> list[Key]:
    """Keys of an operator, or all of them, without their secrets."""
    return [
        Key(*row) for row in connection.execute(QUERIES.list_keys, {"operator": name}).fetchall()
    ]


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
