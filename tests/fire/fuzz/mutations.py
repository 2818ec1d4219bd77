"""Seeded damage to bytes: what bad lines, bad senders and bad people make of a good document.

The same seed and number give the same bytes on every machine, so a failure is told by two numbers.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

TOKENS = (
    b"NaN", b"-0", b"1e999", b"-1e-999", b"0x10", b"9" * 400, b"1_000", b"\x00", b"\xff\xfe",
    b"\xef\xbb\xbf", b"\\ud800", b"\\u0000", b'"', b"\\", b"{" * 300, b"[" * 3000, b"null", b"true",
    b"{}", b"[]", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&a;", b"&#0;", b"<![CDATA[", b"]]>", b"<!--",
    b"<a>" * 500, b"</", b"/>", b"\r\n", b"\n", b";", b",", b"\t", b"=cmd|' /C calc'!A0", b"../../",
    b"%s%n", b"${7*7}", b"'; drop table record; --", b"\xf0\x9f\x92\xa9", "\u202e".encode(),
    b"2026-02-30", b"24:60:61", b"-", b"+", b"1,5", b"1.5.5", b"x" * 5000, b" " * 500,
)  # fmt: skip
SIZE_MOST = 200_000


def mutants(corpus: Sequence[bytes], count: int, seed: int) -> Iterator[tuple[int, bytes]]:
    """(number, bytes): `count` damaged members of a corpus."""
    for number in range(count):
        dice = random.Random(seed * 1_000_003 + number)  # noqa: S311 - repeats with its seed
        body = bytearray(dice.choice(corpus))
        for _ in range(dice.choice((1, 1, 2, 3, 6))):
            _damage(body, dice, corpus)
        yield number, bytes(body[:SIZE_MOST])


def _damage(body: bytearray, dice: random.Random, corpus: Sequence[bytes]) -> None:
    """One change in place."""
    at = dice.randrange(len(body) + 1)
    end = min(len(body), at + dice.choice((1, 2, 8, 64, 1000)))
    kind = dice.randrange(8)
    if kind == 0 and body:
        body[at % len(body)] ^= 1 << dice.randrange(8)
    elif kind == 1:
        del body[at:end]
    elif kind == 2:
        body[at:at] = body[at:end] * dice.choice((1, 2, 20))
    elif kind == 3:
        del body[at:]
    elif kind == 4:
        other = dice.choice(corpus)
        begin = dice.randrange(len(other) + 1)
        body[at:end] = other[begin : begin + dice.choice((5, 50, 2000))]
    elif kind == 5:
        body[at:at] = bytes(dice.randrange(256) for _ in range(dice.choice((1, 4, 40))))
    else:
        body[at : at if kind == 6 else end] = dice.choice(TOKENS)
