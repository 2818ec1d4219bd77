"""Which fulfilments of several systems are the same goods, told under several ids. Pure.

What one system tells under two ids are two parcels. What two systems tell may be one: the shop
shows as its own fulfilment what the warehouse packed, a store and its plugin in the shop tell the
same bag. Goods count once, by what is certain before what is likely:

1. the id the channel answered when it was told of the parcel, and one tracking number;
2. the channel's telling of what it was just told, before its answer is known;
3. the same lines from one place, where both together are more than there is to send. Where they are
   not, they count once too, and a person is asked: another tracking number makes them two.
What is told beyond what there is to send, by a system that is not alone, does not count, unless it
runs the place: what leaves there is known to it, and to nobody better.

A parcel's handler (warehouse, store) knows better than the channel what became of it.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping

import msgspec

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.orders import Order
from tillbridge.canonical.shipments import ShippedLine
from tillbridge.orchestration.orders.state import (
    FULFILMENT,
    GONE,
    OrderState,
    Shipment,
    unshipped_cancelled,
)

DEAD = ("cancelled", "failed", "expired")
TOLD_TWICE = "fulfilment_told_twice"
CHANNEL = ""
"""The road by which the order's own channel tells."""
Parcels = Mapping[str, Shipment]
Quantities = dict[str, int]  # line -> thousandths
_NO_LIMIT = sys.maxsize


class Known(msgspec.Struct, frozen=True):
    """What is known besides the tellings. key: of the order. remotes: fulfilment -> id the channel
    answered for it. awaited: fulfilments the channel was told of and has not answered. room: line
    -> thousandths there are to send, a line that is missing has no limit. run_by: place -> who runs
    it, and tells all that leaves it.
    """

    key: str
    remotes: Mapping[str, str] = {}
    awaited: Collection[str] = ()
    room: Mapping[str, int] = {}
    run_by: Mapping[str, str] = {}

    def runs(self, road: str, place: str) -> bool:
        """Whether a system tells of the place it runs."""
        return road != CHANNEL and self.run_by.get(place) == road


class Joined(msgspec.Struct):
    """What counts. shipments: by the id of who handles them. same: such an id -> all ids of the
    same goods, where there are several. doubts: pairs of ids that count once although both may
    have left.
    """

    shipments: dict[str, Shipment]
    same: dict[str, list[str]]
    doubts: list[tuple[str, str]]


def road_of(name: str, key: str, teller: str = "") -> str:
    """Who tells of a fulfilment: the first part of its id, else the connection that told its lines;
    CHANNEL when that is the one the order came by, or nobody knows.
    """
    first, _, rest = name.partition("/")
    if rest:
        teller = first
    own = key.split("/", 2)[1] if key.count("/") > 1 else CHANNEL
    return CHANNEL if teller == own else teller


def several_tell(parcels: Parcels, key: str) -> bool:
    """Whether more than one system tells of these fulfilments."""
    return len(parcels) > 1 and len(_roads(parcels, key)) > 1


def _roads(parcels: Parcels, key: str) -> set[str]:
    return {road_of(name, key, one.teller) for name, one in parcels.items()}


def rejoin(state: OrderState, known: Known) -> Joined | None:
    """Bring `shipments` up to date with what several systems tell; None where only one does."""
    if state.parcels is None:
        return None
    joined = join(state.parcels, known)
    state.shipments = joined.shipments
    return joined


def room_of(state: OrderState) -> Quantities:
    """What there is to send per line: ordered, less what was refunded as cancelled."""
    if state.order is None:
        return {}
    dropped = unshipped_cancelled(state)
    return {one.line: one.quantity - dropped.get(one.line, 0) for one in state.order.lines}


def join(parcels: Parcels, known: Known) -> Joined:
    """Count goods that several systems tell of once."""
    groups = _Groups(parcels, known.key)
    _certain(groups, known)
    _echoes(groups, known)
    doubts = _likely(groups, known)
    return _counted(groups, known, doubts)


class _Groups:
    """Ids that are one parcel; handlers come before the channel, then by id."""

    def __init__(self, parcels: Parcels, key: str) -> None:
        self.parcels = parcels
        self.road = {name: road_of(name, key, one.teller) for name, one in parcels.items()}
        self.names = sorted(parcels, key=lambda name: (self.road[name] == CHANNEL, name))
        self._group = {name: [name] for name in self.names}

    def of(self, name: str) -> list[str]:
        """All ids of a parcel."""
        return self._group[name]

    def roads(self, name: str) -> set[str]:
        """Who tells of a parcel."""
        return {self.road[one] for one in self._group[name]}

    def join(self, one: str, other: str) -> None:
        """They are the same goods."""
        if self._group[one] is not self._group[other]:
            whole = sorted({*self._group[one], *self._group[other]}, key=self.names.index)
            for name in whole:
                self._group[name] = whole

    def all(self) -> Iterator[list[str]]:
        """Each parcel once."""
        return (group for name, group in self._group.items() if group[0] == name)

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Ids that different systems tell."""
        for place, one in enumerate(self.names):
            for other in self.names[place + 1 :]:
                if self.road[one] != self.road[other]:
                    yield one, other


def _certain(groups: _Groups, known: Known) -> None:
    """The channel's answer, and one tracking number on goods of one line."""
    own = known.key.split("/", 2)[1] if known.remotes else ""
    for name, remote in known.remotes.items():
        for theirs in (remote, f"{own}/{remote}"):
            if name in groups.parcels and theirs in groups.parcels:
                groups.join(name, theirs)
    for one, other in groups.pairs():
        first, second = groups.parcels[one], groups.parcels[other]
        if first.tracking and first.tracking == second.tracking and _share(first, second):
            groups.join(one, other)


def _echoes(groups: _Groups, known: Known) -> None:
    """The channel tells what it was told, and its answer is still under way."""
    for name in groups.names:
        if name not in known.awaited or CHANNEL in groups.roads(name):
            continue
        told = groups.parcels[name]
        for theirs in groups.names:
            echo = groups.parcels[theirs]
            alone = groups.road[theirs] == CHANNEL and len(groups.of(theirs)) == 1
            if alone and _alike(told, echo) and echo.state not in DEAD:
                groups.join(name, theirs)
                break


def _likely(groups: _Groups, known: Known) -> list[tuple[str, str]]:
    """The same lines from one place; gives the pairs of which both may have left, unless one of
    them runs the place.
    """
    doubts = []
    for one, other in groups.pairs():
        first, second = groups.parcels[one], groups.parcels[other]
        if first.state in DEAD or second.state in DEAD:
            continue
        if groups.road[other] in groups.roads(one) or groups.road[one] in groups.roads(other):
            continue
        here = "" in (first.location, second.location) or first.location == second.location
        if not here or not _alike(first, second):
            continue
        sure = any(
            known.runs(groups.road[n], first.location or second.location) for n in (one, other)
        )
        both = first.state in GONE and second.state in GONE
        if both and not sure and _fits(groups, first, known.room):
            doubts.append((one, other))
        groups.join(one, other)
    return doubts


def _fits(groups: _Groups, parcel: Shipment, room: Mapping[str, int]) -> bool:
    """Whether there is as much to send of its lines as all parcels together hold."""
    held: Quantities = {}
    for group in groups.all():
        whole = _merged(group, groups)
        if whole.state not in DEAD:
            for row in whole.lines:
                held[row.line] = held.get(row.line, 0) + row.quantity
    return all(held.get(row.line, 0) <= room.get(row.line, _NO_LIMIT) for row in parcel.lines)


def _counted(groups: _Groups, known: Known, doubts: list[tuple[str, str]]) -> Joined:
    """Each parcel under the id of its handler, without what is beyond what there is to send."""
    found = Joined({}, {}, doubts)
    used: dict[str, Quantities] = {}  # line -> who tells -> thousandths
    first: dict[str, str] = {}
    here = _told_here(groups, known)
    for group in groups.all():
        name, told = group[0], _merged(group, groups)
        whole = _beyond(told, groups.road[name], here, known)
        if told.lines and not whole.lines:
            continue
        if len(group) > 1:
            found.same[name] = group
        if whole.state in GONE:
            room = {} if known.runs(groups.road[name], whole.location) else known.room
            kept = tuple(_within(whole, groups.road[name], used, room))
            if kept != whole.lines:
                other = next((first[row.line] for row in whole.lines if row.line in first), name)
                _doubt_places(found, name, other, whole)
                whole = msgspec.structs.replace(whole, lines=kept)
                if not kept:
                    continue
            for row in kept:
                first.setdefault(row.line, name)
        found.shipments[name] = whole
    found.shipments = dict(sorted(found.shipments.items()))
    return found


def _told_here(groups: _Groups, known: Known) -> dict[tuple[str, str], int]:
    """Thousandths that left a place, by place and line, as who runs it alone tells."""
    here: dict[tuple[str, str], int] = {}
    for group in groups.all():
        whole = _merged(group, groups)
        alone = len(groups.roads(group[0])) == 1
        if alone and whole.state in GONE and known.runs(groups.road[group[0]], whole.location):
            for row in whole.lines:
                at = whole.location, row.line
                here[at] = here.get(at, 0) + row.quantity
    return here


def _beyond(whole: Shipment, road: str, here: dict[tuple[str, str], int], known: Known) -> Shipment:
    """A parcel less what who runs its place told of the same lines; that is used up. Parcels need
    not be the same: the channel was told of two in one.
    """
    if not here or whole.state not in GONE or known.runs(road, whole.location):
        return whole
    lines = []
    for row in whole.lines:
        same = min(here.get((whole.location, row.line), 0), row.quantity)
        if same:
            here[whole.location, row.line] -= same
        if row.quantity > same:
            lines.append(msgspec.structs.replace(row, quantity=row.quantity - same))
    return msgspec.structs.replace(whole, lines=tuple(lines))


def _doubt_places(found: Joined, name: str, other: str, whole: Shipment) -> None:
    """Two systems say that the same goods left from two places."""
    places = {whole.location, found.shipments[other].location} if other in found.shipments else {""}
    if "" not in places and len(places) > 1:
        found.doubts.append((other, name))


def _within(
    whole: Shipment, road: str, used: dict[str, Quantities], room: Mapping[str, int]
) -> Iterator[ShippedLine]:
    """Lines of a parcel, cut to what others have left of them."""
    for row in whole.lines:
        by_road = used.setdefault(row.line, {})
        others = sum(much for who, much in by_road.items() if who != road)
        own = by_road.get(road, 0)
        much = row.quantity
        if others:
            much = min(much, max(room.get(row.line, _NO_LIMIT) - others - own, 0))
        by_road[road] = own + much
        if much:
            yield row if much == row.quantity else msgspec.structs.replace(row, quantity=much)


def _merged(group: list[str], groups: _Groups) -> Shipment:
    """One parcel of all its tellings: per line the system that tells most of it, state by its
    handlers, of whom the furthest is right.
    """
    parcels = [groups.parcels[name] for name in group]
    if len(group) == 1:
        return parcels[0]
    handled = [p for p, name in zip(parcels, group, strict=True) if groups.road[name] != CHANNEL]
    alive = [p for p in parcels if p.state not in DEAD]
    dropped = bool(handled) and all(p.state in DEAD for p in handled)
    best = max((handled if dropped else alive) or parcels, key=_progress)
    return Shipment(
        best.version,
        best.state,
        next((p.location for p in parcels if p.location), ""),
        _fullest(group, groups),
        next((p.tracking for p in parcels if p.tracking), ""),
        since=best.since,
        carrier=next((p.carrier for p in parcels if p.carrier), ""),
        teller=parcels[0].teller,
    )


def _progress(parcel: Shipment) -> tuple[int, str]:
    step = FULFILMENT.index(parcel.state) if parcel.state in FULFILMENT else -1
    return step, parcel.version


def _fullest(group: list[str], groups: _Groups) -> tuple[ShippedLine, ...]:
    """Per line what the system says that tells most of it; of equals the first."""
    told: dict[str, dict[str, list[ShippedLine]]] = {}
    for name in group:
        for row in groups.parcels[name].lines:
            told.setdefault(row.line, {}).setdefault(groups.road[name], []).append(row)
    lines: list[ShippedLine] = []
    for roads in told.values():
        lines += max(roads.values(), key=lambda rows: sum(row.quantity for row in rows))
    return tuple(lines)


def _alike(one: Shipment, other: Shipment) -> bool:
    """The same lines, and no two tracking numbers."""
    apart = one.tracking and other.tracking and one.tracking != other.tracking
    return not apart and bool(one.lines) and _lines(one) == _lines(other)


def _share(one: Shipment, other: Shipment) -> bool:
    """Whether they have a line in common, or one of them names none."""
    first, second = _lines(one), _lines(other)
    return not first or not second or bool(first.keys() & second.keys())


def _lines(parcel: Shipment) -> Quantities:
    found: Quantities = {}
    for row in parcel.lines:
        found[row.line] = found.get(row.line, 0) + row.quantity
    return found


def told_twice(order: Order, joined: Joined | None, state: OrderState) -> NeedsDecision | None:
    """A notice while goods count once of which two systems tell, and both may be right."""
    if joined is None or not joined.doubts or state.parcels is None:
        return None
    one, other = joined.doubts[0]
    places = " and ".join(sorted({state.parcels[name].location for name in (one, other)} - {""}))
    more = f", and {len(joined.doubts) - 1} more" if len(joined.doubts) > 1 else ""
    return NeedsDecision(
        "fulfilment_told_twice",
        f"order {order.number}: fulfilments {one} and {other}{more} tell of the same lines"
        f"{' from ' + places if places else ''} and count once; if both left, have each told again "
        "with its tracking number, else have one of them told as cancelled",
        owner="fulfilment",
        details={"fulfilments": [one, other]},
    )
