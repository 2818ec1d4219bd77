"""The questions over HTTP: no answer without a key, none beyond what the operator may see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from psycopg import Connection

from tests.app.api.caller import Caller
from tests.app.api.conftest import Opens
from tillbridge.app.api.dispatch import Api
from tillbridge.app.api.keys import WRONG_MOST
from tillbridge.app.api.table import ROUTES
from tillbridge.app.settings import load_workspace
from tillbridge.app.workspace import write
from tillbridge.atoms.clock import SystemClock
from tillbridge.atoms.ids import SeededIds
from tillbridge.triage import operators
from tillbridge.triage.operators import Grant


@pytest.fixture
def keys(connection: Connection) -> dict[str, str]:
    """Ann is the admin, Tor a viewer of the Canadian entity."""
    operators.of_account(connection, "ann", "ann")
    operators.put(connection, Grant("tor", ["viewer"], ["ca"]), "ann", "")
    now = SystemClock().now()
    made = {
        name: operators.make_key(
            connection, name, name, operators.KeyTerms(5), now=now, ids=SeededIds(seed)
        )
        for seed, name in enumerate(("ann", "tor"))
    }
    for key in ("order/web/1", "order/web/2"):
        connection.execute(
            "insert into exception_case (reason, owner, room, key, fingerprint, words)"
            " values ('r', 'finance', 'x', %s, %s, 'w')",
            (key, key),
        )
    connection.commit()
    return made


@pytest.fixture
def caller(tmp_path: Path, database_url: str, opens: Opens) -> Caller:
    write(tmp_path / "house", SeededIds(1))
    settings = load_workspace(tmp_path / "house").settings
    return Caller(Api(opens(database_url, settings)))


def test_every_question_takes_a_key(caller: Caller, keys: dict[str, str]) -> None:
    for n, path in enumerate(route.path for route in ROUTES if route.scope == "look"):
        wrong = (f"tb_00000000_{0:040}", keys["ann"][:-1])[n % 2]  # too many are kept waiting
        for key in ("", wrong):
            status, body, headers = caller.ask(path, key)
            assert (status, body["status"], headers[b"www-authenticate"]) == (401, 401, b"Bearer")
            assert headers[b"content-type"] == b"application/problem+json"
    two = [(b"authorization", f"Bearer {keys['ann']}".encode())] * 2
    assert caller.ask("/v1/status", headers=two)[0] == 401
    basic = [(b"authorization", f"Basic {keys['ann']}".encode())]
    assert caller.ask("/v1/status", headers=basic)[0] == 401


def test_an_operator_is_told_what_he_may_see(caller: Caller, keys: dict[str, str]) -> None:
    status, body, _ = caller.ask("/v1/status", keys["ann"])
    assert (status, body["open_cases"]) == (200, {"r": 2})
    status, body, _ = caller.ask("/v1/cases?owner=finance&limit=1", keys["ann"])
    assert (status, [case["key"] for case in body["cases"]]) == (200, ["order/web/1"])
    assert caller.ask("/v1/cases?owner=stores", keys["ann"])[1] == {"cases": []}
    assert caller.ask("/v1/cases", keys["tor"])[1] == {"cases": []}
    assert caller.ask("/v1/cases?limit=x", keys["ann"])[0] == 400
    assert caller.ask("/v1/cases?owner=%00", keys["ann"])[0] == 400
    assert caller.ask("/v1/verify/last", keys["ann"])[0] == 404


def test_cases_of_others_do_not_crowd_out_ones_own(
    caller: Caller, keys: dict[str, str], connection: Connection
) -> None:
    connection.execute(
        "insert into exception_case (reason, owner, room, key, fingerprint, words)"
        " select 'r', 'finance', 'x', 'order/web/' || n, 'f' || n, 'w'"
        " from generate_series(1, 1100) n"
    )
    connection.execute(
        "insert into exception_case (reason, owner, room, key, fingerprint, words, details)"
        " values ('r', 'finance', 'x', 'order/x/1', 'last', 'w', '{\"entity\": \"ca\"}')"
    )
    connection.commit()
    found = caller.ask("/v1/cases", keys["tor"])[1]["cases"]
    assert [case["key"] for case in found] == ["order/x/1"]


def test_a_revoked_and_an_expired_key_are_refused_from_the_next_call_on(
    caller: Caller, keys: dict[str, str], connection: Connection
) -> None:
    assert caller.ask("/v1/status", keys["tor"])[0] == 200
    operators.revoke(connection, "tor", "ann", "left")
    connection.commit()
    assert caller.ask("/v1/status", keys["tor"])[0] == 401
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    old = operators.make_key(
        connection, "ann", "ann", operators.KeyTerms(1), now=long_ago, ids=SeededIds(7)
    )
    connection.commit()
    assert caller.ask("/v1/status", old)[0] == 401
    assert long_ago + timedelta(days=1) < SystemClock().now()


def test_other_addresses_and_methods_are_refused(caller: Caller, keys: dict[str, str]) -> None:
    assert caller.ask("/v1/entries", keys["ann"])[0] == 404
    assert caller.ask("/v1/status", keys["ann"], method="POST")[0] == 405


def test_who_guesses_is_put_off_and_others_are_not(caller: Caller, keys: dict[str, str]) -> None:
    assert caller.ask("/v1/status", keys["ann"])[0] == 200
    told = [caller.ask("/v1/status", f"tb_00000000_{n:040x}")[0] for n in range(WRONG_MOST + 5)]
    assert told == [401] * WRONG_MOST + [429] * 5
    assert caller.ask("/v1/status", keys["ann"])[0] == 200  # was right a moment ago
    assert caller.ask("/v1/status", keys["tor"])[0] == 429
    assert caller.ask("/v1/status", keys["tor"], client=("192.0.2.2", 4))[0] == 200
