"""Records on their way through the rooms, and what a pass of them leaves to be written."""

from __future__ import annotations

import msgspec

from tillbridge.app.flow import Route
from tillbridge.durable import parking
from tillbridge.durable.rooms import Record

Pair = tuple[str, str]  # (room, key)


class Visit(msgspec.Struct, gc=False):
    """A record on its way: the rooms it still has to see. replay is set for a parked one."""

    record: Record
    routes: tuple[Route, ...]
    replay: parking.Replay | None = None


class Work(msgspec.Struct, gc=False):
    """What the waves of one pass left to be written. marks: see `marking.first_marks`; they stand
    in `fused` already.
    """

    fused: list[Record] = msgspec.field(default_factory=list)
    waiting: list[Record] = msgspec.field(default_factory=list)
    parkings: list[parking.Parking] = msgspec.field(default_factory=list)
    notices: list[parking.CaseOpened] = msgspec.field(default_factory=list)
    settled: list[parking.Settled] = msgspec.field(default_factory=list)
    replayed: list[parking.Replay] = msgspec.field(default_factory=list)
    again: list[parking.CaseOpened] = msgspec.field(default_factory=list)
    marks: dict[int, Record] = msgspec.field(default_factory=dict)
    marked: int = 0

    def stuck(self) -> set[Pair]:
        """What this work parks, or leaves parked for another decision."""
        parked = {(one.room, one.record.key) for one in self.parkings}
        return parked | {(case.room, case.record.key) for case in self.again}

    def add(self, other: Work) -> None:
        """Append another pass's work."""
        self.fused += other.fused
        self.waiting += other.waiting
        self.parkings += other.parkings
        self.notices += other.notices
        self.settled += other.settled
        self.replayed += other.replayed
        self.again += other.again
        self.marks |= other.marks
        self.marked += other.marked
