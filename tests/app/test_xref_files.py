"""Cross-reference files that are none are refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tillbridge.app.xref_files import read_rows
from tillbridge.atoms import csv_cells
from tillbridge.atoms.errors import Refused


def test_a_file_in_another_encoding_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_bytes("connection,table,theirs,ours\n".encode("utf-16"))
    with pytest.raises(Refused, match="is no CSV file in UTF-8"):
        read_rows(path)


def test_names_that_look_like_formulas_are_read_back_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    names = ["=1+1", "-7", "@home", "+49 30", "'=x", "HAT-LTD"]
    text = csv_cells.row(["connection", "table", "theirs", "ours"], "\n")
    text += "".join(csv_cells.row(["web", "product", name, name], "\n") for name in names)
    path.write_text(text)
    assert "'=1+1" in text
    assert [row.theirs for row in read_rows(path)] == names
    assert [row.ours for row in read_rows(path)] == names


def test_a_table_with_a_nul_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_bytes(b"connection,table,theirs,ours\nweb,product,a\0b,X\n")
    with pytest.raises(Refused, match=r"names.csv:2: it holds a NUL"):
        read_rows(path)
