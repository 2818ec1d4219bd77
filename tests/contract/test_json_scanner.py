"""Values are cut out of a stream whatever the size of its pieces."""

from __future__ import annotations

import io
from typing import Any, cast

import pytest

from tillbridge.contract.conformance.reading import Dribble
from tillbridge.contract.json_scanner import Scanner


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_values_are_taken_one_by_one(size: int) -> None:
    text = b' {"a": "]}\\"", "b": [1, {}]} 12.5,"x"'
    scanner = Scanner(cast("Any", io.BufferedReader(Dribble(text, size), buffer_size=4)))
    assert scanner.blanks() == b"{"
    assert scanner.value() == b'{"a": "]}\\"", "b": [1, {}]}'
    assert scanner.blanks() == b"1"
    assert scanner.value() == b"12.5"
    assert scanner.take(1) == b","
    assert scanner.value() == b'"x"'
    assert scanner.blanks() == b""


def test_a_value_that_does_not_end_is_none() -> None:
    scanner = Scanner(io.BytesIO(b'[1, "two'))
    assert scanner.value() is None
    assert b"".join(scanner.rest()) == b'[1, "two'
