"""What a replay of the log found: differences, those that have a good reason, and the verdict.

A difference is explained when the hub itself was changed since and says so: another translator,
rules that the book no longer has, a raw body that retention dropped. All others are not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from tillbridge.app.replay.state import Digest, Row

SHOWN = 20
BODY_GONE = "the raw body was dropped by retention or erased, so what it said is taken from the log"
OTHER_TRANSLATOR = "told by another version of the translator, otherwise the same"
RULES_CHANGED = "booked by a posting rule that the book no longer has"
RECORD_UNREADABLE = "this release cannot read a record of the log"
SETTINGS_CHANGED = "the workspace no longer has the connection or the ERP it went to"
EXPLAINED = frozenset({BODY_GONE, OTHER_TRANSLATOR, RULES_CHANGED, SETTINGS_CHANGED})
REASONS = {
    "body_gone": BODY_GONE,
    "record_unreadable": RECORD_UNREADABLE,
    "connection_unknown": SETTINGS_CHANGED,
    "erp_missing": SETTINGS_CHANGED,
}
"""What a case says that opens in a replay and did not when the record was taken."""


class Finding(msgspec.Struct, frozen=True):
    """One kind of difference: in words, how often, and the first places."""

    words: str
    explained: bool
    count: int
    places: list[str]


class Replayed(msgspec.Struct, frozen=True):
    """The verdict. same: the state hashes are equal; ok: so they are but for what is explained."""

    ok: bool
    same: bool
    from_record: int
    to_record: int
    records: int
    visits: int
    parked: int
    seconds: float
    hash_live: str
    hash_replayed: str
    tables: dict[str, tuple[Digest, Digest]]
    findings: list[Finding]
    rows: list[Row]


class Findings:
    """Collects differences by their words."""

    def __init__(self) -> None:
        self._count: Counter[str] = Counter()
        self._places: dict[str, list[str]] = {}

    def add(self, words: str, place: str) -> None:
        """One more difference of this kind."""
        self._count[words] += 1
        places = self._places.setdefault(words, [])
        if len(places) < SHOWN:
            places.append(place)

    def told(self) -> list[Finding]:
        """All kinds, those that are not explained first."""
        found = [
            Finding(words, words in EXPLAINED, count, self._places[words])
            for words, count in self._count.most_common()
        ]
        return sorted(found, key=lambda finding: finding.explained)

    def unexplained(self) -> bool:
        """Whether anything has no good reason."""
        return any(not finding.explained for finding in self.told())


def page(found: Replayed) -> str:
    """The verdict as text for a terminal."""
    span = f"records {found.from_record + 1} to {found.to_record}"
    lines = [
        f"{span}: {found.records} read, {found.visits} visits, {found.seconds:.1f} s",
        f"{found.parked} records still parked",
        f"state of the hub     {found.hash_live}",
        f"state of the replay  {found.hash_replayed}",
    ]
    for name, (live, again) in found.tables.items():
        if live != again:
            lines.append(f"  {name}: {live.rows} rows, {again.rows} in the replay")
    lines += [_row(row) for row in found.rows]
    for finding in found.findings:
        good = "explained" if finding.explained else "NOT EXPLAINED"
        lines.append(f"{good}: {finding.words} ({finding.count})")
        lines += [f"    {place}" for place in finding.places[:SHOWN]]
    if found.same:
        lines.append("the log tells the whole state: both are the same")
    elif found.ok:
        lines.append("the states differ only where it is explained above")
    else:
        lines.append("the states differ")
    return "\n".join(lines)


def _row(row: Row) -> str:
    if row.there and row.here:
        return f"    {row.table} {row.what}: reads otherwise"
    return f"    {row.table} {row.what}: only in the {'hub' if row.there else 'replay'}"


def first(rows: Iterable[Row], most: int = SHOWN) -> list[Row]:
    """The first rows."""
    return [row for row, _ in zip(rows, range(most), strict=False)]
