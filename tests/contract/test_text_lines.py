"""Lines of bank files: numbered, none lost, none endless."""

from __future__ import annotations

import io

from tillbridge.canonical.settlement import Broken
from tillbridge.contract.text_lines import LINE_MOST, lines_of


def test_lines_are_numbered_and_read_in_the_letters_they_came_in() -> None:
    data = b"\xef\xbb\xbf:20:A\r\nM\xc3\xbcller\nM\xfcller\n\x01\n-\x03"
    assert list(lines_of(io.BytesIO(data))) == [
        (1, ":20:A"),
        (2, "Müller"),
        (3, "Müller"),
        (4, ""),
        (5, "-"),
    ]


def test_a_line_without_an_end_or_with_a_nul_breaks_alone() -> None:
    data = b"a\n" + b"x" * 3 * LINE_MOST + b"\n\0\nb\n"
    told = list(lines_of(io.BytesIO(data)))
    assert [type(one) for one in told] == [tuple, Broken, Broken, tuple]
    assert told[3] == (4, "b")
