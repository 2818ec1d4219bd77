"""A connector that says what its files hold signs it by having the method."""

from __future__ import annotations

from typing import BinaryIO

from tillbridge.contract.promises import Connection
from tillbridge.contract.signed import promises_of
from tillbridge.contract.totals import FileTotals


class _Counts:
    def totals(self, stream: BinaryIO, name: str, connection: Connection) -> FileTotals | None:
        del name, connection
        return FileTotals(stream="sales", counted=len(stream.readlines()))


def test_who_states_totals_signs_it() -> None:
    assert promises_of(_Counts()) == ("StatesTotals",)
    assert promises_of(object()) == ()


def test_a_file_that_says_nothing_contradicts_nothing() -> None:
    silent = FileTotals(stream="sales", counted=3)
    assert (silent.stated, silent.words, silent.refused) == (None, "", False)
