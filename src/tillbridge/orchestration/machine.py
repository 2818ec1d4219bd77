"""State machines that keep one state per key: read as a set, folded one by one, written as a set.

transfers = Machine("transfer", TransferState, decide, ROW, "transfer_state")
running = Running(transfers, connection)
running.load(keys)
outcome = running.handle(key, body)
running.flush()
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, LiteralString, Protocol, Self, TypeVar

import msgspec

from tillbridge.canonical.registry import Body
from tillbridge.durable.rooms import DONE, Connection, Outcome
from tillbridge.orchestration.decision import Decision


class State(Protocol):
    """What a machine keeps of a key. revision: counts what changed it."""

    revision: int

    def copied(self) -> Self:
        """A copy whose tables may be changed without touching this one."""


S = TypeVar("S", bound=State)


class Machine(msgspec.Struct, Generic[S], frozen=True):
    """A kind of key with states of its own.

    prefix: first part of its keys. empty: the state of a key nothing is known of. decide: folds a
    body into a state and gives what follows. row: what is stored of a state beside its key,
    revision and body. read: query of (keys) -> key, body. save: query of columns of key, revision,
    what row gives, body.
    """

    prefix: str
    state: type[S]
    empty: Callable[[str], S]
    decide: Callable[[S, Body], Decision]
    row: Callable[[S], Sequence[object]]
    read: LiteralString
    save: LiteralString


class Running(Generic[S]):
    """The states of one machine in one transaction."""

    def __init__(self, machine: Machine[S], connection: Connection) -> None:
        """Nothing is read before somebody asks."""
        self._machine = machine
        self._connection = connection
        self._decoder: msgspec.json.Decoder[S] = msgspec.json.Decoder(machine.state)
        self._states: dict[str, S] = {}
        self._asked: set[str] = set()
        self._changed: set[str] = set()

    def load(self, keys: Iterable[str]) -> None:
        """Read the states of keys not seen before."""
        fresh = sorted(set(keys) - self._asked)
        if fresh:
            self._asked.update(fresh)
            rows = self._connection.execute(self._machine.read, (fresh,), binary=True)
            self._states.update((key, self._decoder.decode(body)) for key, body in rows)

    def handle(self, key: str, body: Body) -> Outcome:
        """Fold one fact of a loaded key; its state is replaced only when the decision stands."""
        known = self._states.get(key)
        state = self._machine.empty(key) if known is None else known.copied()
        revision = state.revision
        decision = self._machine.decide(state, body)
        if state.revision == revision:
            return DONE
        self._states[key] = state
        self._changed.add(key)
        return Outcome(
            emits=tuple(decision.emits),
            notices=tuple(decision.notices),
            settles=tuple(decision.settles),
        )

    def flush(self) -> None:
        """Write what changed as one set, by key."""
        rows: list[tuple[Any, ...]] = []
        for key in sorted(self._changed):
            state = self._states[key]
            stored = msgspec.json.encode(state)
            rows.append((key, state.revision, *self._machine.row(state), stored))
        if rows:
            columns = [list(column) for column in zip(*rows, strict=True)]
            self._connection.execute(self._machine.save, columns, binary=True)
        self._changed.clear()
