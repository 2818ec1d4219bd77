"""Operators: the first one, roles, and keys that expire and are revoked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from psycopg import Connection, errors

from tillbridge.atoms.clock import SystemClock
from tillbridge.atoms.errors import Refused
from tillbridge.atoms.ids import SeededIds, SystemIds
from tillbridge.durable import audit
from tillbridge.triage.operators import (
    Grant,
    KeyTerms,
    check,
    keys,
    make_key,
    of_account,
    of_key,
    operators,
    put,
    revoke,
    revoke_key,
)
from tillbridge.triage.rights import ACTIONS, Who

NOW = datetime(2026, 3, 3, tzinfo=UTC)


def test_the_owner_of_the_workspace_is_the_first_admin_and_nobody_else(
    connection: Connection,
) -> None:
    with pytest.raises(Refused, match=r"eve is no operator .* tillbridge operators add eve"):
        of_account(connection, "eve", "ann")
    assert of_account(connection, "ann", "ann") == Who("ann", ("admin",))
    assert of_account(connection, "ann", "ann").may("operators.manage")
    (act,) = audit.acts(connection)
    assert (act.actor, act.action, act.subject) == ("hub", "operators.grant", "ann")
    put(connection, Grant("bob", ["viewer"], ["us"], "bob"), "ann", "new")
    assert of_account(connection, "bob", "ann") == Who("bob", ("viewer",), ("us",))
    connection.commit()
    with pytest.raises(Refused, match="last admin"):
        revoke(connection, "ann", "ann", "")
    connection.rollback()
    with pytest.raises(Refused):  # a first admin is made once: the owner may be another meanwhile
        of_account(connection, "root", "root")


def test_a_revoked_operator_is_out_at_once_with_all_keys(connection: Connection) -> None:
    of_account(connection, "ann", "ann")
    put(connection, Grant("bob", ["admin"], [], "bob"), "ann", "second admin")
    key = make_key(connection, "bob", "ann", KeyTerms(7), now=NOW, ids=SystemIds())
    assert of_key(connection, key, NOW) == Who("bob", ("admin",), key=key[3:11])
    revoke(connection, "bob", "ann", "left")
    assert of_key(connection, key, NOW) is None
    with pytest.raises(Refused):
        of_account(connection, "bob", "ann")
    with pytest.raises(Refused, match="there is no operator 'bob'"):
        make_key(connection, "bob", "ann", KeyTerms(7), now=NOW, ids=SystemIds())
    assert [one.revoked_at is not None for one in operators(connection)] == [False, True]


def test_a_key_is_kept_as_a_hash_lasts_its_days_and_is_revoked(connection: Connection) -> None:
    of_account(connection, "ann", "ann")
    key = make_key(connection, "ann", "ann", KeyTerms(7), now=NOW, ids=SeededIds(3))
    assert len(key.split("_")[2]) * 4 >= 128
    (kept,) = connection.execute("select row_to_json(k)::text from operator_key k").fetchall()
    assert key.split("_")[2] not in str(kept)
    assert key.split("_")[2] not in str(audit.acts(connection))
    assert of_key(connection, key, NOW + timedelta(days=6, hours=23)) is not None
    assert of_key(connection, key, NOW + timedelta(days=7)) is None
    (shown,) = keys(connection)
    assert revoke_key(connection, shown.prefix, "ann", "lost") == "ann"
    assert of_key(connection, key, NOW) is None
    with pytest.raises(Refused, match="no live key"):
        revoke_key(connection, shown.prefix, "ann", "again")


def test_what_only_looks_like_a_key_opens_nothing(connection: Connection) -> None:
    of_account(connection, "ann", "ann")
    key = make_key(connection, "ann", "ann", KeyTerms(7), now=NOW, ids=SeededIds(3))
    wrong = [key[:-1] + ("0" if key[-1] != "0" else "1"), key[:-1], key + "0", key.upper(), ""]
    wrong += [key + "\n", "tb_" + "0" * 8 + key[11:], "' or true --"]
    for index in range(len(key)):
        other = "f" if key[index] != "f" else "e"
        wrong.append(key[:index] + other + key[index + 1 :])
    assert [one for one in wrong if of_key(connection, one, NOW)] == []
    with pytest.raises(Refused, match="1 to 366 days"):
        make_key(connection, "ann", "ann", KeyTerms(367), now=NOW, ids=SeededIds(4))


def test_the_only_admin_does_not_give_away_his_account_without_a_key(
    connection: Connection,
) -> None:
    of_account(connection, "ann", "ann")
    with pytest.raises(Refused, match="make a key first"):
        put(connection, Grant("ann", ["admin"], [], "other"), "ann", "")
    put(connection, Grant("ann", ["admin", "viewer"], [], "ann"), "ann", "")
    make_key(connection, "ann", "ann", KeyTerms(7), now=SystemClock().now(), ids=SeededIds(3))
    put(connection, Grant("ann", ["admin"], [], "other"), "ann", "")
    assert of_account(connection, "other", "ann").name == "ann"


def test_what_cannot_be_given_is_refused_in_words() -> None:
    assert check(Grant("a", ["admin", "viewer", "viewer"]), set(), set()).roles == [
        "viewer",
        "admin",
    ]
    for grant, words in (
        (Grant("a b", ["viewer"]), "no name of an operator"),
        (Grant("a", ["owner"]), "no role owner"),
        (Grant("a", []), "no role given"),
        (Grant("a", ["viewer"], ["mars"]), "no entity mars"),
    ):
        with pytest.raises(Refused, match=words):
            check(grant, {"us"}, {"web"})


def test_a_program_is_bound_to_a_channel_and_its_keys_carry_scopes(connection: Connection) -> None:
    of_account(connection, "ann", "ann")
    grant = check(Grant("shop", ["client"], channel="web"), {"us"}, {"web"})
    put(connection, grant, "ann", "the shop asks")
    terms = KeyTerms(7, ("reservations:write", "availability:read"), 50)
    key = make_key(connection, "shop", "ann", terms, now=NOW, ids=SeededIds(3))
    who = of_key(connection, key, NOW)
    assert who is not None
    scopes = ("availability:read", "reservations:write")
    assert (who.channel, who.scopes, who.rate) == ("web", scopes, 50)
    assert not any(who.may(action) for action in ACTIONS)
    assert [(k.scopes, k.rate) for k in keys(connection, "shop")] == [(list(scopes), 50)]
    for terms, words in (
        (KeyTerms(7), "no scope given"),
        (KeyTerms(7, ("money:take",)), "no scope money:take"),
        (KeyTerms(7, scopes, -1), "a rate is"),
    ):
        with pytest.raises(Refused, match=words):
            make_key(connection, "shop", "ann", terms, now=NOW, ids=SeededIds(4))
    with pytest.raises(Refused, match="people have roles"):
        make_key(connection, "ann", "ann", KeyTerms(7, scopes), now=NOW, ids=SeededIds(4))


@pytest.mark.parametrize(
    ("grant", "words"),
    [
        (Grant("a", ["client"]), "the workspace has no ''"),
        (Grant("a", ["client"], channel="moon"), "the workspace has no 'moon'"),
        (Grant("a", ["client", "viewer"], channel="web"), "a client is a program"),
        (Grant("a", ["client"], ["us"], channel="web"), "a client is a program"),
        (Grant("a", ["viewer"], channel="web"), "only a client"),
    ],
)
def test_a_program_is_nothing_else(grant: Grant, words: str) -> None:
    with pytest.raises(Refused, match=words):
        check(grant, {"us"}, {"web"})


def test_the_database_keeps_programs_and_people_apart(connection: Connection) -> None:
    for roles, channel in (("client,viewer", "web"), ("client", ""), ("viewer", "web")):
        with pytest.raises(errors.CheckViolation), connection.transaction():
            connection.execute(
                "insert into operator (name, roles, channel, made_by)"
                " values ('x', string_to_array(%s, ','), %s, 'x')",
                (roles, channel),
            )
