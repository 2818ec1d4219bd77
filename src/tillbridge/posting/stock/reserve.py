"""Deciding reservations: greedy, in order of arrival, all lines of a request or none. Pure.

A clever prefix sum over a window would refuse what fits (20 on hand; asks 30, 5, 5: greedy sells
10, a prefix sum nothing), so requests are decided one after the other over what is free.

Where a request stands: at the fewest locations that can serve it together, at most `split_most`;
among sets of that size, the one with the most preferred location, then the next most preferred.
Inside the set a line stays whole where it can, at the most preferred location that takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import msgspec

from tillbridge.canonical.stock import StockLine

Place = tuple[str, str]  # (location, product)
Free = Callable[[Place], int]
Demand = dict[str, int]  # product -> thousandths


class Answer(msgspec.Struct, frozen=True):
    """Whether the demand is held, where, and else the first product that lacks."""

    held: bool
    location: str = ""
    lines: tuple[StockLine, ...] = ()
    product: str = ""
    wanted: int = 0
    free: int = 0


def answer(
    lines: Sequence[StockLine],
    locations: Sequence[str],
    held: Sequence[StockLine],
    free: Free,
    split_most: int = 1,
    full: Collection[str] = (),
    barred: Collection[str] = (),
) -> Answer:
    """Decide one request.

    lines: what should be held, thousandths; one that names a location stays there if it can. A
    bundle's line comes as several of the same name. locations: in order of preference. held: what
    the same key holds now (given back first). free: what may be promised at a place, before giving
    back. full: locations that have their hands full; asked only when no others can serve. barred:
    locations where only a line stays that names it.
    A demand that only shrinks what is held always stands, where it stood, even if the place has
    since become short.
    """
    if not lines:
        return Answer(True)
    shrunk = _shrunk(lines, held, barred)
    if shrunk is not None:
        return Answer(True, one_place(shrunk), shrunk)
    shelf = Shelf(free, held)
    stands = {line.location for line in held}
    rested = [place for place in locations if place not in full or place in stands]
    for places in (rested, locations) if len(rested) < len(locations) else (locations,):
        placed = place_all(lines, places, shelf, split_most)
        if placed is not None:
            return Answer(True, one_place(placed), placed)
    return lacking(lines, locations, shelf, split_most)


def one_place(lines: Iterable[StockLine]) -> str:
    """The location of lines that all stand at one; "" when they are spread."""
    places = {line.location for line in lines}
    return places.pop() if len(places) == 1 else ""


class Shelf:
    """What one request may take: what is free, with what its key holds given back."""

    def __init__(self, free: Free, held: Sequence[StockLine] = ()) -> None:
        """free: before giving back. held: what the key holds."""
        self._free = free
        self._back: dict[Place, int] = {}
        self._own: dict[Place, int] = {}
        for line in held:
            self.take((line.location, line.product), -line.quantity)

    def left(self, place: Place) -> int:
        """What can still be taken there; never below nothing."""
        return max(self._free(place) + self._back.get(place, 0), 0)

    def stays(self, place: Place, quantity: int) -> bool:
        """Whether its key holds that much there, or could: what stands is not asked for anew."""
        return max(self._own.get(place, 0), self.left(place)) >= quantity

    def take(self, place: Place, quantity: int) -> None:
        """Take it from there; negative gives back."""
        self._back[place] = self._back.get(place, 0) - quantity
        self._own[place] = self._own.get(place, 0) - quantity

    def copied(self) -> Shelf:
        """One to try things on."""
        other = Shelf(self._free)
        other._back, other._own = dict(self._back), dict(self._own)
        return other


def place_all(
    lines: Sequence[StockLine], locations: Sequence[str], shelf: Shelf, split_most: int
) -> tuple[StockLine, ...] | None:
    """Every line with the location it stands at, or None when they cannot all be served.

    shelf: is not changed.
    """
    shelf = shelf.copied()
    placed: list[StockLine] = []
    open_lines: list[list[StockLine]] = []
    for parts in by_line(lines):
        where = parts[0].location
        if where and all(shelf.stays((where, p), much) for p, much in demand_of(parts).items()):
            placed += _put(parts, where, shelf)
        else:
            open_lines.append(parts)
    if open_lines:
        used = list(dict.fromkeys(line.location for line in placed))
        demand = demand_of(part for parts in open_lines for part in parts)
        chosen = _choose(locations, used, demand, shelf, split_most)
        if chosen is None:
            return None
        placed += _spread(open_lines, chosen, shelf)
    order = {name: n for n, name in enumerate(dict.fromkeys(line.line for line in lines))}
    return tuple(sorted(merged(placed), key=lambda line: order[line.line]))


def demand_of(lines: Iterable[StockLine]) -> Demand:
    """Thousandths per product."""
    demand: Demand = {}
    for line in lines:
        demand[line.product] = demand.get(line.product, 0) + line.quantity
    return demand


def lacking(
    lines: Sequence[StockLine], locations: Sequence[str], shelf: Shelf, split_most: int
) -> Answer:
    """The answer no: the first product that its best locations together do not have, else the
    first that the most preferred one has not.
    """
    demand = demand_of(lines)
    found: tuple[str, int, int] | None = None
    for product, wanted in demand.items():
        best = sorted((shelf.left((place, product)) for place in locations), reverse=True)
        left = sum(best[:split_most])
        if left < wanted:
            return Answer(False, product=product, wanted=wanted, free=left)
        here = shelf.left((locations[0], product))
        if found is None and here < wanted:
            found = product, wanted, here
    product, wanted, left = found or (lines[0].product, demand[lines[0].product], 0)
    return Answer(False, product=product, wanted=wanted, free=left)


def _shrunk(
    lines: Sequence[StockLine], held: Sequence[StockLine], barred: Collection[str]
) -> tuple[StockLine, ...] | None:
    """The held lines cut down to the demand, when every line is already held at least so far.

    A line that names a location it is not held at wants to move. One that is spread gives up what
    stands at its last locations first.
    """
    by_line: dict[tuple[str, str], list[StockLine]] = {}
    for line in held:
        by_line.setdefault((line.line, line.product), []).append(line)
    kept: list[StockLine] = []
    taken: dict[int, int] = {}  # of a held line, by earlier wishes for the same line and product
    for line in sorted(lines, key=lambda line: line.location == ""):
        left = line.quantity
        for have in by_line.get((line.line, line.product), ()):
            anywhere = line.location == "" and have.location not in barred
            if anywhere or line.location == have.location:
                part = min(left, have.quantity - taken.get(id(have), 0))
                left -= part
                if part:
                    taken[id(have)] = taken.get(id(have), 0) + part
                    kept.append(StockLine(line.line, line.product, part, have.location))
        if left:
            return None
    return tuple(merged(kept))


def by_line(lines: Iterable[StockLine]) -> list[list[StockLine]]:
    """Lines of one name and wish together: the products of a bundle."""
    found: dict[tuple[str, str], list[StockLine]] = {}
    for line in lines:
        found.setdefault((line.line, line.location), []).append(line)
    return list(found.values())


def merged(lines: Iterable[StockLine]) -> list[StockLine]:
    """One piece for each line, product and location."""
    found: dict[tuple[str, str, str], int] = {}
    for line in lines:
        place = (line.line, line.product, line.location)
        found[place] = found.get(place, 0) + line.quantity
    return [StockLine(name, product, much, where) for (name, product, where), much in found.items()]


def _fits(parts: Sequence[StockLine], location: str, shelf: Shelf) -> bool:
    wanted = demand_of(parts)
    return all(shelf.left((location, product)) >= much for product, much in wanted.items())


def _put(parts: Iterable[StockLine], location: str, shelf: Shelf) -> Iterator[StockLine]:
    for part in parts:
        shelf.take((location, part.product), part.quantity)
        yield StockLine(part.line, part.product, part.quantity, location)


def _spread(
    open_lines: Sequence[list[StockLine]], chosen: Sequence[str], shelf: Shelf
) -> Iterator[StockLine]:
    """Lines over locations that together can serve them: whole ones first, the largest first."""
    broken: list[StockLine] = []
    for parts in sorted(open_lines, key=lambda p: -sum(part.quantity for part in p)):
        where = next((place for place in chosen if _fits(parts, place, shelf)), None)
        if where is None:
            broken += parts
        else:
            yield from _put(parts, where, shelf)
    for part in broken:
        left = part.quantity
        for place in chosen:
            much = min(left, shelf.left((place, part.product)))
            if much:
                piece = StockLine(part.line, part.product, much, place)
                yield from _put((piece,), place, shelf)
                left -= much


def _choose(
    locations: Sequence[str], used: Sequence[str], demand: Demand, shelf: Shelf, split_most: int
) -> list[str] | None:
    """The fewest locations, used ones among them, that have the demand together; then the most
    preferred. None when there is no such set.

    Tries sets in order of preference and drops a beginning as soon as even the best of what
    follows it could not make up what is missing, so that hundreds of stores are no burden.
    """
    standing = [place for place in locations if place in used]
    others = [
        place
        for place in locations
        if place not in used and any(shelf.left((place, product)) for product in demand)
    ]
    missing = {
        product: wanted - sum(shelf.left((place, product)) for place in standing)
        for product, wanted in demand.items()
    }
    missing = {product: wanted for product, wanted in missing.items() if wanted > 0}
    if not missing:
        return standing
    has = [[shelf.left((place, product)) for product in missing] for place in others]
    most = min(split_most - len(used), len(others))
    for size in range(1, most + 1):
        found = _cover(has, list(missing.values()), _best_after(has, size), 0, size)
        if found is not None:
            chosen = {*standing, *(others[number] for number in found)}
            return [place for place in locations if place in chosen]
    return None


def _best_after(has: Sequence[Sequence[int]], size: int) -> list[list[list[int]]]:
    """best[r][i][p]: most of product p that r locations of those from the i-th on have."""
    products = range(len(has[0]))
    best = [[[0 for _ in products] for _ in range(len(has) + 1)] for _ in range(size + 1)]
    for product in products:
        top: list[int] = []
        for place in range(len(has) - 1, -1, -1):
            top = sorted([*top, has[place][product]], reverse=True)[:size]
            for count in range(1, size + 1):
                best[count][place][product] = sum(top[:count])
    return best


def _cover(
    has: Sequence[Sequence[int]],
    missing: Sequence[int],
    best: Sequence[Sequence[Sequence[int]]],
    first: int,
    size: int,
) -> list[int] | None:
    """The first set of `size` rows, in order of their numbers, that sums to what is missing."""
    for number in range(first, len(has) - size + 1):
        if any(much > most for much, most in zip(missing, best[size][number], strict=True)):
            return None  # it only gets less from here on
        rest = [much - have for much, have in zip(missing, has[number], strict=True)]
        if size == 1:
            if all(much <= 0 for much in rest):
                return [number]
        else:
            found = _cover(has, rest, best, number + 1, size - 1)
            if found is not None:
                return [number, *found]
    return None
