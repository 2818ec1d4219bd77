"""Random arrivals, decisions, replays and crashes: each record once, in order, nothing left."""

from __future__ import annotations

import itertools

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.app.toy_flow import append, make_ready, moved, noted, parked, runner, seen
from tillbridge.app.flow import MONEY, ORCHESTRATION, STOCK
from tillbridge.app.runner import FlowRunner, Pace
from tillbridge.triage.cases import list_cases

_examples = itertools.count()
ROOMS = (ORCHESTRATION, MONEY, STOCK)
WORDS = st.sampled_from(
    ["", "", "", *(f"{verb} {room}" for verb in ("ask", "null") for room in ROOMS)]
)
ARRIVE = st.tuples(st.just("arrive"), st.sampled_from("abc"), WORDS)
STEPS = st.one_of(
    ARRIVE,
    ARRIVE,
    st.tuples(st.just("decide"), st.sampled_from("abc"), st.just("")),
    st.tuples(st.just("ready"), st.just(""), st.just("")),
    st.tuples(st.just("run"), st.just(""), st.just("")),
    st.tuples(st.just("crash"), st.sampled_from(ROOMS), st.just("")),
)


class Crash(BaseException):
    """The process died."""


class History:
    """One example: what was told, and a runner that may be made to crash."""

    def __init__(self, connection: Connection, batch: int, *, fuse: bool) -> None:
        self.connection = connection
        self.name = next(_examples)
        self.told: dict[str, list[str]] = {key: [] for key in "abc"}
        self.crash_in = ""
        self.flow: FlowRunner = runner(
            connection, Pace(batch_max=batch, fuse=fuse), on_flush=self._flushed
        )

    def _flushed(self, room: str, _: Connection) -> None:
        if room == self.crash_in:
            self.crash_in = ""
            raise Crash

    def arrive(self, key: str, word: str) -> None:
        full = f"{self.name}/{key}"
        name = f"{full}/{len(self.told[key])}"
        self.told[key].append(name)
        append(self.connection, moved(full, name, word), noted(f"{full}/beside", f"{name}/beside"))

    def decide(self, key: str) -> None:
        rows = "insert into told select unnest(%b::text[]) on conflict do nothing"
        self.connection.execute(rows, (self.told[key][:1],))
        self.connection.commit()

    def run(self) -> None:
        try:
            self.flow.run_once()
        except Crash:
            self.connection.rollback()

    def in_order(self) -> None:
        """Whatever a room has handled of a key is the beginning of what was told of it."""
        for key, told in self.told.items():
            for room in ROOMS:
                handled = seen(self.connection, room, f"{self.name}/{key}")
                assert handled == told[: len(handled)]

    def done(self) -> None:
        """After every decision all rooms have handled everything once."""
        for _ in range(40):
            make_ready(self.connection, *(name for told in self.told.values() for name in told))
            if not self.flow.drain():
                break
        for key, told in self.told.items():
            for room in ROOMS:
                assert seen(self.connection, room, f"{self.name}/{key}") == told
            beside = seen(self.connection, ORCHESTRATION, f"{self.name}/{key}/beside")
            assert beside == [f"{name}/beside" for name in told]
        assert parked(self.connection) == []
        assert list_cases(self.connection) == []
        self.connection.rollback()


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(STEPS, min_size=6, max_size=16), st.sampled_from([1, 3, 500]), st.booleans())
def test_whatever_parks_resolves_and_crashes_each_record_is_handled_once_in_order(
    connection: Connection, steps: list[tuple[str, str, str]], batch: int, fuse: bool
) -> None:
    history = History(connection, batch, fuse=fuse)
    for step, what, word in steps:
        if step == "arrive":
            history.arrive(what, word)
        elif step == "decide":
            history.decide(what)
        elif step == "ready":
            make_ready(connection)
        elif step == "crash":
            history.crash_in = what
            history.run()
            history.in_order()
        else:
            history.run()
            history.in_order()
    history.crash_in = ""
    history.done()
