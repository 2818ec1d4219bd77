"""Which markers a batch leaves in the log, so that a replay finds every effect in its place.

A fused record and an outside answer have their effects where they stand. Told apart are only the
others: what was taken from the log by a room whose state depends on the order, what parked, and
what went through after it had been parked. A batch of deliveries that all goes well leaves none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tillbridge.app.flow import MONEY, ORCHESTRATION, STOCK
from tillbridge.app.work import Visit, Work
from tillbridge.canonical.markers import ParkedReplayed, RecordParked, RecordsTaken
from tillbridge.durable.log import marker_record
from tillbridge.durable.parking import Replay
from tillbridge.durable.rooms import Record

IN_ORDER = frozenset({ORCHESTRATION, MONEY, STOCK})
"""Rooms whose state depends on what came before; translating and enqueueing do not."""
TAKEN_KEY = "flow/taken"


def first_marks(visits: Sequence[Visit], replayed: Iterable[Replay]) -> dict[int, Record]:
    """Markers that stand in front of what a pass emits, in the order of its visits.

    By the identity of the record that a replay took from its queue; those of the log under 0.
    """
    through = {id(replay) for replay in replayed}
    marks = {
        id(visit.record): marker_record(
            ParkedReplayed(key=visit.record.key, id="", room=visit.replay.room)
        )
        for visit in visits
        if visit.replay is not None and id(visit.replay) in through
    }
    taken = tuple(
        visit.record.id
        for visit in visits
        if visit.replay is None
        and visit.record.id is not None
        and any(route.room in IN_ORDER for route in visit.routes)
    )
    if taken:
        marks[0] = marker_record(RecordsTaken(key=TAKEN_KEY, id="", records=taken))
    return marks


def last_marks(work: Work) -> list[Record]:
    """A marker for each record that parked; they stand behind everything the batch emits."""
    if not work.parkings:
        return []
    rows = {id(record): row for row, record in enumerate(work.fused)}
    places = {whose: rows[id(mark)] for whose, mark in work.marks.items() if whose}
    first = len(work.fused)
    marks = []
    for row, parking in enumerate(work.parkings, first):
        record = parking.record
        place = places.get(id(record), rows.get(id(record)))
        body = RecordParked(
            key=record.key,
            id="",
            room=parking.room,
            record=0 if place is not None else record.id or 0,
            back=0 if place is None else row - place,
        )
        marks.append(marker_record(body))
    return marks
