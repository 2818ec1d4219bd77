"""What is wrong with a settlement file or statement as it was told, as cases of finance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.atoms.ids import key_of
from tillbridge.atoms.money import to_text
from tillbridge.durable.rooms import Connection
from tillbridge.reconciliation.findings import settle
from tillbridge.reconciliation.settlement.taken import At, Taken

NAMED = 20
# payout, line, net that counts, net that was told
Twice = tuple[str, str, int, int]


def tell_statements(
    connection: Connection,
    source: str,
    again: Iterable[tuple[str, int, int, int, int, str]],
    at: At,
) -> None:
    """Cases of statements that another file told before with other lines; the first stands.

    again: statement, its lines and net, lines and net as told now, currency.
    """
    found = {
        key_of("statement", source, name): NeedsDecision(
            "bank_statement_changed",
            f"statement {name} of {source} was told with {lines} lines that come to"
            f" {to_text(net, currency)} {currency}, and now with {lines_now} that come to"
            f" {to_text(net_now, currency)}; the first telling stands",
            owner="finance",
            amount=abs(net_now - net),
            currency=currency,
            details={"file": at.digest},
        )
        for name, lines, net, lines_now, net_now, currency in again
    }
    settle(connection, "bank_statement_changed", found, at.now, checked=set(found))


def tell_broken(connection: Connection, source: str, taken: Taken, name: str, at: At) -> None:
    """A case for a file with rows that cannot be read, or whose own totals are not so."""
    key = key_of("file", source, at.digest[:16])
    words = [f"line {one.n}: {one.words}" for one in taken.broken[:NAMED]]
    for total in taken.totals:
        rows = taken.lines + taken.unassigned
        if total.lines is not None and total.lines != rows:
            words.append(f"it says {total.lines} rows and holds {rows}")
        if total.net is not None and total.net != taken.net:
            words.append(f"it says {total.net} and its rows come to {taken.net} (minor units)")
    if not (taken.lines or taken.unassigned or taken.heads or taken.statements):
        words.append("it holds no row")
    found: dict[str, NeedsDecision] = {}
    if words:
        more = len(words) - 1 + max(len(taken.broken) - NAMED, 0)
        found[key] = NeedsDecision(
            "settlement_file_broken",
            f"{name}: {words[0]}" + (f" (and {more} more)" if more else ""),
            owner="finance",
            details={"file": name, "sha256": at.digest, "rows": words},
        )
    settle(connection, "settlement_file_broken", found, at.now, checked={key})


def tell_twice(
    connection: Connection,
    source: str,
    doubled: Sequence[Twice],
    other: Sequence[Twice],
    at: At,
) -> None:
    """Cases for rows told twice in a file, and for rows told before with other content."""
    found = {
        key: NeedsDecision(
            "settlement_line_doubled",
            f"{len(lines)} line(s) of {key} stand more than once in the file and are counted"
            f" once: {lines[0][1]}",
            owner="finance",
            amount=abs(sum(told - counted for _, _, counted, told in lines)),
            details={"lines": lines[:NAMED], "file": at.digest},
        )
        for key, lines in _by_payout(source, doubled).items()
    }
    settle(connection, "settlement_line_doubled", found, at.now, checked=set(found))
    found = {
        key: NeedsDecision(
            "settlement_line_changed",
            f"{len(lines)} line(s) of {key} were told before with other content, which stands:"
            f" {lines[0][1]} came to {lines[0][2]} and now to {lines[0][3]} (minor units)",
            owner="finance",
            amount=abs(sum(told - stands for _, _, stands, told in lines)),
            details={"lines": lines[:NAMED], "file": at.digest},
        )
        for key, lines in _by_payout(source, other).items()
    }
    settle(connection, "settlement_line_changed", found, at.now, checked=set(found))


def _by_payout(source: str, rows: Sequence[Twice]) -> dict[str, list[Twice]]:
    found: dict[str, list[Twice]] = {}
    for row in rows:
        found.setdefault(key_of("payout", source, row[0]), []).append(row)
    return found
