"""Random arrivals, decisions, replays, records given up and crashes of several runners: each record
once and in order per room and key, nothing left.
"""

from __future__ import annotations

import itertools

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg import Connection

from tests.app.toy_flow import append, make_ready, moved, noted, parked, runner, seen
from tillbridge.app.flow import MONEY, ORCHESTRATION, STOCK
from tillbridge.app.runner import FlowRunner, Pace
from tillbridge.atoms.ids import lane_of
from tillbridge.canonical.registry import decode
from tillbridge.durable.log import ALL_LANES
from tillbridge.durable.session import connect
from tillbridge.triage.cases import list_cases, replay, resolve

_examples = itertools.count()
ROOMS = (ORCHESTRATION, MONEY, STOCK)
WORDS = st.sampled_from(
    ["", "", "", *(f"{verb} {room}" for verb in ("ask", "null") for room in ROOMS)]
)
ARRIVE = st.tuples(st.just("arrive"), st.sampled_from("abc"), WORDS)
RUNNERS = 3
RUNNER = st.integers(0, RUNNERS - 1)
STEPS = st.one_of(
    ARRIVE,
    ARRIVE,
    st.tuples(st.just("decide"), st.sampled_from("abc"), st.just("")),
    st.tuples(st.just("ready"), st.just(""), st.just("")),
    st.tuples(st.just("replay"), st.just(""), st.just("")),
    st.tuples(st.just("give up"), st.just(""), st.just("")),
    st.tuples(st.just("busy"), st.sampled_from("abc"), RUNNER),
    st.tuples(st.just("run"), st.just(""), RUNNER),
    st.tuples(st.just("run"), st.just(""), RUNNER),
    st.tuples(st.just("crash"), st.sampled_from(ROOMS), RUNNER),
)


class Crash(BaseException):
    """The process died."""


class History:
    """One example: what was told, what was given up, and runners that may be made to crash."""

    def __init__(self, url: str, batch: int, *, fuse: bool) -> None:
        self.name = next(_examples)
        self.told: dict[str, list[str]] = {key: [] for key in "abc"}
        self.given_up: set[tuple[str, str]] = set()  # (room, fact)
        self.crash_in = ""
        self.url = url
        self.connection = connect(url)
        thirds = [tuple(lane for lane in ALL_LANES if lane % 3 != n) for n in range(RUNNERS)]
        self.paces = [Pace(batch_max=batch, fuse=fuse, lanes=lanes) for lanes in thirds]
        self.paces[0] = Pace(batch_max=batch, fuse=fuse)
        self.lines = [connect(url) for _ in range(RUNNERS)]
        self.flows: list[FlowRunner] = [self.started(n) for n in range(RUNNERS)]

    def started(self, number: int) -> FlowRunner:
        """A runner as after the start of its process."""
        return runner(self.lines[number], self.paces[number], on_flush=self._flushed)

    def close(self) -> None:
        for line in (self.connection, *self.lines):
            line.close()

    def _flushed(self, room: str, _: Connection) -> None:
        if room == self.crash_in:
            self.crash_in = ""
            raise Crash

    def full(self, key: str) -> str:
        return f"{self.name}/{key}"

    def arrive(self, key: str, word: str) -> None:
        full = self.full(key)
        name = f"{full}/{len(self.told[key])}"
        self.told[key].append(name)
        append(self.connection, moved(full, name, word), noted(f"{full}/beside", f"{name}/beside"))

    def decide(self, key: str) -> None:
        rows = "insert into told select unnest(%b::text[]) on conflict do nothing"
        self.connection.execute(rows, (self.told[key][:1],))
        self.connection.commit()

    def replay(self) -> None:
        """Every open case as a person tries it again."""
        replay(self.connection, [case.id for case in list_cases(self.connection)], "pat")
        self.connection.commit()

    def give_up(self) -> None:
        """The first open case, with the record it is about."""
        for case in list_cases(self.connection)[:1]:
            row = self.connection.execute(
                "select p.room, p.type, p.version, p.body from parked p"
                " join parked_key k using (room, key) where k.case_id = %b order by p.n limit 1",
                (case.id,),
            ).fetchone()
            assert row is not None
            self.given_up.add((row[0], decode(row[1], row[2], row[3]).id))
            resolve(self.connection, case.id, "pat", "")
        self.connection.commit()

    def run(self, number: int) -> None:
        """One transaction; a crash loses the connection and everything in memory."""
        try:
            self.flows[number].run_once()
        except Crash:
            self.lines[number].close()
            self.lines[number] = connect(self.url)
            self.flows[number] = self.started(number)

    def busy(self, key: str, number: int) -> None:
        """A runner comes by while another worker holds the key's lane."""
        lane = lane_of(self.full(key))
        self.connection.execute("select from cursor where lane = %b for update", (lane,))
        self.run(number)
        self.connection.rollback()

    def expected(self, room: str, key: str) -> list[str]:
        """What a room handles of a key in the end."""
        gates = {room, ORCHESTRATION} if room == MONEY else {room}
        return [
            name
            for name in self.told[key]
            if not any((gate, name) in self.given_up for gate in gates)
        ]

    def in_order(self) -> None:
        """Whatever a room has handled of a key is the beginning of what it has to handle."""
        for key in self.told:
            for room in ROOMS:
                handled = seen(self.connection, room, self.full(key))
                assert handled == self.expected(room, key)[: len(handled)]

    def done(self) -> None:
        """After every decision all rooms have handled everything once."""
        for _ in range(40):
            make_ready(self.connection, *(name for told in self.told.values() for name in told))
            if not sum(flow.drain() for flow in self.flows):
                break
        for key, told in self.told.items():
            for room in ROOMS:
                assert seen(self.connection, room, self.full(key)) == self.expected(room, key)
            beside = seen(self.connection, ORCHESTRATION, f"{self.full(key)}/beside")
            assert beside == [f"{name}/beside" for name in told]
        assert parked(self.connection) == []
        assert list_cases(self.connection) == []
        self.connection.rollback()


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(STEPS, min_size=30, max_size=50), st.sampled_from([1, 3, 500]), st.booleans())
def test_whatever_parks_resolves_and_crashes_each_record_is_handled_once_in_order(
    database_url: str, steps: list[tuple[str, str, str | int]], batch: int, fuse: bool
) -> None:
    history = History(database_url, batch, fuse=fuse)
    try:
        for step in steps:
            _take(history, *step)
        history.crash_in = ""
        history.done()
    finally:
        history.close()


def _take(history: History, step: str, what: str, word: str | int) -> None:
    match step, word:
        case "arrive", str():
            history.arrive(what, word)
        case "decide", _:
            history.decide(what)
        case "ready", _:
            make_ready(history.connection)
        case "replay", _:
            history.replay()
        case "give up", _:
            history.give_up()
        case "busy", int():
            history.busy(what, word)
        case "crash", int():
            history.crash_in = what
            history.run(word)
        case _, int():
            history.run(word)
        case _:
            raise AssertionError(step)
    history.in_order()
