"""Cross-reference files that are none are refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tillbridge.app.xref_files import read_rows
from tillbridge.atoms.errors import Refused


def test_a_file_in_another_encoding_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_bytes("connection,table,theirs,ours\n".encode("utf-16"))
    with pytest.raises(Refused, match="is no CSV file in UTF-8"):
        read_rows(path)
