"""A client's key is remembered for seconds; a revoked one is refused soon, people's at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from psycopg import Connection

from tests.app.api.caller import client_key
from tests.app.api.conftest import Opens
from tillbridge.app.api.keys import FRESH_SECONDS, STALE_SECONDS, Keys
from tillbridge.atoms.clock import FixedClock, SystemClock
from tillbridge.atoms.ids import SystemIds
from tillbridge.triage import operators
from tillbridge.triage.operators import KeyTerms
from tillbridge.triage.rights import Who


class Stepping(FixedClock):
    """Stands still until it is told to move."""

    def step(self, seconds: float) -> None:
        self._elapsed += seconds


def _clock() -> Stepping:
    return Stepping(SystemClock().now())


def test_a_busy_client_waits_for_no_look_up_and_a_revoked_key_is_refused_soon(
    connection: Connection, database_url: str, opens: Opens
) -> None:
    key = client_key(connection, "availability:read")
    clock = _clock()
    keys = Keys(opens(database_url).sessions, clock)

    async def day() -> list[Who | None]:
        assert keys.believed(key) is None
        first = await keys.look_up(key, "x")
        operators.revoke_key(connection, key[3:11], "ann", "lost")
        connection.commit()
        told = [first, keys.believed(key)]
        clock.step(FRESH_SECONDS)
        told.append(keys.believed(key))  # and it is looked up beside
        assert len(asyncio.all_tasks()) == 2
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
        return [*told, keys.believed(key)]

    told = asyncio.run(day())
    who = Who("shop", ("client",), key=key[3:11], channel="web", scopes=("availability:read",))
    assert told == [who, who, who, None]


def test_a_key_that_cannot_be_looked_up_is_not_believed_for_long(
    connection: Connection, database_url: str, opens: Opens
) -> None:
    key = client_key(connection, "availability:read")
    clock = _clock()
    keys = Keys(opens(database_url).sessions, clock)
    asyncio.run(keys.look_up(key, "x"))
    clock.step(STALE_SECONDS)
    assert keys.believed(key) is None


def test_keys_of_people_are_looked_up_every_time(
    connection: Connection, database_url: str, opens: Opens
) -> None:
    operators.of_account(connection, "ann", "ann")
    now = SystemClock().now()
    key = operators.make_key(connection, "ann", "ann", KeyTerms(5), now=now, ids=SystemIds())
    connection.commit()
    keys = Keys(opens(database_url).sessions, _clock())
    assert asyncio.run(keys.look_up(key, "x")) is not None
    assert keys.believed(key) is None
    long_ago = Keys(opens(database_url).sessions, Stepping(datetime(2200, 1, 1, tzinfo=UTC)))
    assert asyncio.run(long_ago.look_up(key, "x")) is None
