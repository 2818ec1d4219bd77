"""What a stranger wrote stays a text when a person opens the table."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tillbridge.atoms.csv_cells import guarded, row, unguarded

DANGEROUS = "=+-@|\t\r\x00\uff1d\uff0b\uff0d\uff20"
# Cells end for some spreadsheet at a line end, a tab or a semicolon; blanks before a formula do not
# stop it.
CELL_ENDS = re.compile(r"[\r\n\t;]")
texts = st.text(
    alphabet=st.one_of(st.sampled_from(list(DANGEROUS + "'\";, \u00a0\nA1(")), st.characters())
)


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "\x00=1", " =1", "\u00a0=1", "a\n=1", "a;=1",
     "a\t=1", "\uff1dcmd()", '=HYPERLINK("http://x")', "-", "|x", "'=1"],
)  # fmt: skip
def test_every_beginning_of_a_formula_is_guarded(text: str) -> None:
    assert guarded(text) != text
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", ["-12.50", "0", "-1", "12", "1.5", "", "HAT-LTD", "a=b", "O'Hara"])
def test_numbers_and_harmless_texts_stay(text: str) -> None:
    assert guarded(text) == text
    assert unguarded(text) == text


@given(texts)
@example("a;'=1")
@example("' ''=1")
def test_what_was_guarded_is_read_back_and_holds_no_formula(text: str) -> None:
    safe = guarded(text)
    assert unguarded(safe) == text
    if re.fullmatch(r"-?\d+(\.\d+)?", text):
        return
    for piece in CELL_ENDS.split(safe):
        assert piece.lstrip(" \u00a0\u200b\ufeff")[:1] not in tuple("=+-@|\uff1d\uff0b\uff0d\uff20")


@given(st.lists(st.text(st.characters(exclude_characters="\r\n\x00", codec="utf-8")), min_size=2))
def test_a_row_is_read_back_cell_by_cell(cells: list[str]) -> None:
    (found,) = csv.reader(io.StringIO(row(cells), newline=""))
    assert [unguarded(cell) for cell in found] == [
        cell if cell == guarded(cell) else unguarded(guarded(cell)) for cell in cells
    ]
