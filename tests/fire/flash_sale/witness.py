"""What the load processes saw: every request by itself, every cart with what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

Fate = Literal["held", "sold out", "failed"]


class Asked(msgspec.Struct, frozen=True, array_like=True):
    """A request. due: when it should have left, seconds from the begin; ms: from then until the
    answer. status: 0 = none came.
    """

    route: str
    due: float
    ms: float
    status: int


class Cart(msgspec.Struct, array_like=True):
    """A buyer. asked, answered: seconds from the begin. reservation: its id. until: when it ends by
    itself. confirmed, released: the hub said so. order: its number once it was handed in; ordered:
    when that should have been; taken: the hub acknowledged it.
    """

    product: str
    asked: float
    answered: float
    fate: Fate
    reservation: str = ""
    until: float = 0.0
    confirmed: bool = False
    released: bool = False
    order: str = ""
    ordered: float = 0.0
    taken: bool = False


class Fault(msgspec.Struct, frozen=True, array_like=True):
    """An answer nobody should get."""

    route: str
    due: float
    status: int
    words: str


class Witness(msgspec.Struct):
    """Everything of one load process; `sum` puts several together."""

    asked: list[Asked] = []
    carts: list[Cart] = []
    faults: list[Fault] = []
    late_ms: float = 0.0
    """How far the process itself was behind its schedule at worst."""

    def add(self, other: Witness) -> None:
        """Another process's."""
        self.asked += other.asked
        self.carts += other.carts
        self.faults += other.faults
        self.late_ms = max(self.late_ms, other.late_ms)


def read(paths: list[Path]) -> Witness:
    """The witnesses of several processes as one."""
    whole = Witness()
    for path in paths:
        whole.add(msgspec.json.decode(path.read_bytes(), type=Witness))
    return whole
