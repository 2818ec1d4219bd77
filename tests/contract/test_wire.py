"""The strict parser refuses what nobody should believe, and takes amounts exactly as written."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tillbridge.atoms.clock import SystemClock
from tillbridge.atoms.errors import NeedsDecision
from tillbridge.contract import wire


class Priced(msgspec.Struct):
    amount: Decimal
    title: str = ""
    more: list[int] = []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b'{"amount": "1_000.00"}',
        b'{"amount": "\\uff11\\uff12.50"}',
        '{"amount": "\uff11\uff12.50"}'.encode(),
        b'{"amount": "NaN"}',
        b'{"amount": "-Infinity"}',
        b'{"amount": "1e400"}',
        b'{"amount": 1e400}',
        b'{"amount": -1E+40}',
        b'{"amount": true}',
        b'{"amount": null}',
        b'{"amount": "1", "amount": "2"}',
        b'{"amount": "1", "other": {"a": 1, "a": 2}}',
        b'{"amount": "1", "title": "a\\u0000b"}',
        b'{"amount": "1", "title": "\\ud800"}',
        b'{"amount": "1", "other": NaN}',
        b'{"amount": "1", "other": ' + b"9" * 31 + b"}",
        b'{"amount": "1", "other": ' + b"[" * 65 + b"]" * 65 + b"}",
        b'{"amount": "1", "more": [' + b"1," * 100_001 + b"1]}",
        b'{"amount": "1"}\x00',
        b"\xff\xfe{",
    ],
)
def test_nonsense_is_refused_with_words(body: bytes) -> None:
    with pytest.raises(NeedsDecision) as caught:
        wire.parse(Priced, body)
    assert caught.value.reason == "body_unreadable"
    assert caught.value.words


@pytest.mark.parametrize(
    ("body", "amount", "title"),
    [
        (b'{"amount": "10.10"}', "10.10", ""),
        (b'{"amount": 10.10}', "10.10", ""),
        (b'{"amount": "-0.5", "title": "1_000"}', "-0.5", "1_000"),
        ('{"amount": "5", "title": "Cr\u00e8me 1_2"}'.encode(), "5", "Cr\u00e8me 1_2"),
        (b'{"amount": "5", "title": "Nan"}', "5", "Nan"),
        (b'{"amount": "5", "title": "[[[{{{ \\" ,,, 1e400"}', "5", '[[[{{{ " ,,, 1e400'),
        (b'{"amount": "5", "title": "' + b"9" * 60 + b'"}', "5", "9" * 60),
    ],
)
def test_what_is_written_is_what_is_read(body: bytes, amount: str, title: str) -> None:
    found = wire.parse(Priced, body)
    assert (str(found.amount), found.title) == (amount, title)


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=2
    )
)
def test_amounts_survive_as_text_and_as_number(amount: Decimal) -> None:
    as_text = wire.parse(Priced, f'{{"amount": "{amount}"}}'.encode())
    as_number = wire.parse(Priced, f'{{"amount": {amount}}}'.encode())
    assert str(as_text.amount) == str(as_number.amount) == str(amount)


@given(st.binary(max_size=200))
def test_random_bytes_are_a_case_and_never_a_crash(body: bytes) -> None:
    with pytest.raises(NeedsDecision):
        wire.parse(Priced, body)


def test_instants_need_a_zone() -> None:
    assert wire.instant("2026-01-15T10:00:00+01:00") == datetime(2026, 1, 15, 9, tzinfo=UTC)
    for text in ("2026-01-15T10:00:00", "yesterday", ""):
        with pytest.raises(wire.WireError):
            wire.instant(text)


@pytest.mark.parametrize("end", [b"", b"\\", b'"'])
def test_a_string_full_of_quotes_is_looked_at_once(end: bytes) -> None:
    body = b"[" * 200 + b'"' + b'\\"' * 20_000 + end
    began = SystemClock().monotonic()
    with pytest.raises(NeedsDecision):
        wire.check(body)
    assert SystemClock().monotonic() - began < 1.0
