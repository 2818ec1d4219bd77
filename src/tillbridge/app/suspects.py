"""What a flow process was carrying when it died: a record that kills it twice is taken aside.

A nameless file, opened by the parent and handed to each process it starts, names the records of the
batch under way. A process that finds names in it follows one that died among them. It takes records
one at a time until those have passed; one that kills a process twice when it is alone is no
accident (a library that crashes on it, memory without end) and becomes the case `kills_worker`,
and the others go on. Nothing of it touches the database or outlives the parent.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.durable.rooms import Record

DEATHS_MOST = 2
PATIENCE = 1_000
"""Records taken one at a time in search of one that killed; another process may have had it."""
KILLER = NeedsDecision(
    "kills_worker",
    "a flow process died each time it carried this record alone",
    owner="integration",
)


class _Kept(msgspec.Struct):
    """The file: names under way, and how often each was alone when its process died."""

    carrying: list[str] = []
    deaths: dict[str, int] = {}


class Suspects:
    """The memory of one flow process in an open file; reads what a dead predecessor left there."""

    def __init__(self, file: int) -> None:
        """file: descriptor of a file of its own."""
        self._file = file
        self._kept = _Kept()
        with contextlib.suppress(msgspec.MsgspecError):  # empty, or cut off by a death in writing
            size = os.fstat(file).st_size
            self._kept = msgspec.json.decode(os.pread(file, size, 0), type=_Kept)
        left = self._kept.carrying
        if len(left) == 1:
            self._kept.deaths[left[0]] = self._kept.deaths.get(left[0], 0) + 1
        self._single = PATIENCE if self._kept.deaths else len(left)
        self._kept.carrying = []
        self._write()

    @property
    def single(self) -> bool:
        """Whether records are taken one at a time, to find the one that kills."""
        return self._single > 0

    def killer(self, record: Record) -> bool:
        """Whether the record has killed often enough to be taken aside."""
        return self.single and self._kept.deaths.get(_name(record), 0) >= DEATHS_MOST

    def carry(self, records: Iterable[Record]) -> None:
        """These are about to be carried."""
        self._kept.carrying = [_name(record) for record in records]
        self._write()

    def passed(self) -> None:
        """What was carried is committed, or was rolled back by a process that lives."""
        if not self._kept.carrying:
            return
        found = [name for name in self._kept.carrying if self._kept.deaths.pop(name, None)]
        self._single = 0 if found and not self._kept.deaths else max(self._single - 1, 0)
        if not self._single:
            self._kept.deaths.clear()
        self._kept.carrying = []
        self._write()

    def _write(self) -> None:
        with contextlib.suppress(OSError):  # a full disk must not stop the flow
            words = msgspec.json.encode(self._kept)
            os.ftruncate(self._file, os.pwrite(self._file, words, 0))


def _name(record: Record) -> str:
    return f"{record.key} {record.id}"
