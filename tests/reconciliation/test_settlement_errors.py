"""Seeded errors in settlement files: each is told as a case with its exact difference."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from psycopg import Connection

from tests.reconciliation.provider import Provider, head, line
from tillbridge.canonical.settlement import SettlementLine

Lines = list[SettlementLine]
Spoil = Callable[[random.Random, Lines], tuple[Lines, str, int]]


def _altered(dice: random.Random, lines: Lines) -> tuple[Lines, str, int]:
    at, by = dice.randrange(len(lines)), dice.choice([-1, 1]) * dice.randint(1, 9_999)
    one = lines[at]
    lines[at] = replace(one, gross=one.gross + by, net=one.net + by)
    return lines, "payout_does_not_tie", abs(by)


def _altered_with_its_total(dice: random.Random, lines: Lines) -> tuple[Lines, str, int]:
    lines, _, by = _altered(dice, lines)
    return lines, "settlement_line_differs", by


def _missing(dice: random.Random, lines: Lines) -> tuple[Lines, str, int]:
    gone = lines.pop(dice.randrange(len(lines)))
    return lines, "payout_does_not_tie", abs(gone.net)


def _doubled(dice: random.Random, lines: Lines) -> tuple[Lines, str, int]:
    one = dice.choice(lines)
    return [*lines, replace(one, n=99)], "settlement_line_doubled", abs(one.net)


def _doubled_without_an_id(dice: random.Random, lines: Lines) -> tuple[Lines, str, int]:
    lines = [replace(one, line="") for one in lines]
    one = dice.choice(lines)
    return [*lines, replace(one, n=99)], "payout_does_not_tie", abs(one.net)


def _in_another_currency(dice: random.Random, lines: Lines) -> tuple[Lines, str, int]:
    at = dice.randrange(len(lines))
    lines[at] = replace(lines[at], currency=dice.choice(["EUR", "JPY", "KWD"]))
    return lines, "payout_does_not_tie", abs(lines[at].net)


def _retyped(dice: random.Random, lines: Lines) -> tuple[Lines, str, int]:
    at = dice.randrange(len(lines))
    lines[at] = replace(lines[at], type="unknown", told="moon")
    return lines, "settlement_line_unknown", abs(lines[at].net)


def _about_other_money(dice: random.Random, lines: Lines) -> tuple[Lines, str, int]:
    at = dice.randrange(len(lines))
    lines[at] = replace(lines[at], reference="of-somebody-else")
    return lines, "settlement_line_unmatched", abs(lines[at].net)


ERRORS: tuple[Spoil, ...] = (
    _altered,
    _altered_with_its_total,
    _missing,
    _doubled,
    _doubled_without_an_id,
    _in_another_currency,
    _retyped,
    _about_other_money,
)


def _spoilt(connection: Connection[Any], seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - a seeded test
    psp = Provider(connection)
    lines: Lines = []
    for number in range(dice.randint(2, 12)):
        gross = dice.randint(200, 90_000) * dice.choice([1, 1, 1, -1])
        psp.captured(f"m{number}", gross)
        fee = dice.randint(0, 99) if gross > 0 else 0
        lines.append(line(f"m{number}", gross, fee, n=number + 2))
    total = sum(one.net for one in lines)
    error = ERRORS[seed % len(ERRORS)]
    spoilt, reason, amount = error(dice, list(lines))
    if error is _altered_with_its_total:
        total = sum(one.net for one in spoilt)
    dice.shuffle(spoilt)
    parts: list[Any] = [*spoilt, head(total)]
    if dice.random() < 0.5:
        parts.insert(0, parts.pop())
    psp.file(parts)
    psp.look()
    assert psp.cases() == {reason: amount}, (seed, error.__name__)


def _run(connection: Connection[Any], seeds: range) -> None:
    for seed in seeds:
        with connection.transaction(force_rollback=True):
            _spoilt(connection, seed)


def test_seeded_errors_are_told_with_their_exact_difference(connection: Connection[Any]) -> None:
    _run(connection, range(32))


@pytest.mark.long
def test_five_hundred_seeded_errors_are_told_with_their_exact_difference(
    connection: Connection[Any],
) -> None:
    _run(connection, range(32, 532))
