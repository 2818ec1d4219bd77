"""Markers: what the log has to tell beside facts and commands, so that it can be replayed.

Nobody takes a marker; it stands in the log at the place where an effect happened that no other
record shows there: a record that was taken later than it was told, one that was parked and went
through later, a name, a month, a journal, a document. Each is written in the very transaction of
the effect. The decision "The log tells every effect" (docs/adr) says why each one is needed.
"""

from __future__ import annotations

import msgspec

from tillbridge.canonical.documents import SubmitDocument
from tillbridge.canonical.fact import Command


class Marker(Command, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happened to the hub itself. id is empty where nothing else names it."""


class RecordsTaken(Marker, frozen=True, kw_only=True, omit_defaults=True):
    """These records of the log had their effects here, in this order, and not where they stand."""

    records: tuple[int, ...]


class RecordParked(Marker, frozen=True, kw_only=True, omit_defaults=True):
    """A record was put behind its key in a room.

    record: its number in the log; 0 when this very transaction made it: then it, or the
    `ParkedReplayed` that took it from another queue, stands `back` numbers before this marker.
    """

    room: str
    record: int = 0
    back: int = 0


class ParkedReplayed(Marker, frozen=True, kw_only=True, omit_defaults=True):
    """The first record behind a parked key went through its room here."""

    room: str


class ParkedGivenUp(Marker, frozen=True, kw_only=True, omit_defaults=True):
    """The first record behind a parked key was given up by hand."""

    room: str


class NameGiven(msgspec.Struct, frozen=True, gc=False):
    """A cross-reference as it reads from here on."""

    connection: str
    table: str
    theirs: str
    ours: str


class NamesChanged(Marker, frozen=True, kw_only=True, omit_defaults=True):
    """Cross-references were given or changed."""

    names: tuple[NameGiven, ...]


class PeriodChanged(Marker, frozen=True, kw_only=True, omit_defaults=True):
    """A month of an entity was closed, locked or opened."""

    entity: str
    period: str
    state: str


class PeriodAdmitted(Marker, frozen=True, kw_only=True, omit_defaults=True):
    """Late facts of a key may be posted in a soft-closed month. admitted: that key."""

    entity: str
    period: str
    admitted: str


class AvailabilityRulesChanged(Marker, frozen=True, kw_only=True, omit_defaults=True):
    """Other availability rules are in force from here on. hash: of their meaning."""

    hash: bytes
    text: str


class JournalSummed(Marker, frozen=True, kw_only=True, omit_defaults=True):
    """Waiting entries were summed up under an operation; document is None when they cancel out."""

    destination: str
    entries: tuple[str, ...]
    document: SubmitDocument | None = None


class DocumentRetried(Marker, frozen=True, kw_only=True, omit_defaults=True):
    """A refused document is owed again. id: its operation."""

    destination: str


class DocumentGivenUp(Marker, frozen=True, kw_only=True, omit_defaults=True):
    """A refused document was given up by hand. id: its operation."""

    destination: str


MARKERS: tuple[type[Marker], ...] = (
    RecordsTaken,
    RecordParked,
    ParkedReplayed,
    ParkedGivenUp,
    NamesChanged,
    PeriodChanged,
    PeriodAdmitted,
    AvailabilityRulesChanged,
    JournalSummed,
    DocumentRetried,
    DocumentGivenUp,
)
NAMES = tuple(marker.__name__ for marker in MARKERS)
