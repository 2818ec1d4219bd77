"""Vendors' tables: columns by their names, nothing dropped, amounts exactly."""

from __future__ import annotations

import io

import pytest

from tillbridge.atoms.errors import NeedsDecision
from tillbridge.canonical.settlement import Broken
from tillbridge.contract.csv_files import CsvFile, header_of, minor_of


def _table(text: str, *required: str) -> CsvFile:
    return CsvFile(io.BytesIO(text.encode()), required=required)


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_columns_are_found_by_their_names_and_further_ones_kept(mark: str) -> None:
    text = "\ufeffNote, AMOUNT ,Id\nhello,1.00,a\n".replace(",", mark)
    table = _table(text, "id", "amount")
    ((n, cells),) = [row for row in table.rows() if not isinstance(row, Broken)]
    assert (n, cells[table.at("id")], cells[table.at("amount")]) == (2, "a", "1.00")
    assert table.further(cells) == '{"note":"hello"}'
    assert table.at("nothing") == -1


def test_a_row_of_another_width_is_broken_and_the_others_go_on() -> None:
    table = _table('a,b\n1,2\n1\n\n"x\ny",3\n', "a")
    rows = list(table.rows())
    assert rows[0] == (2, ["1", "2"])
    assert isinstance(rows[1], Broken)
    assert (rows[1].n, rows[1].words) == (3, "the row has 1 cells, the header 2")
    assert rows[2] == (6, ["x\ny", "3"])


def test_a_quote_that_never_ends_is_told() -> None:
    rows = list(_table('a,b\n1,2\n"3,4\n5,6\n', "a").rows())
    assert isinstance(rows[-1], Broken)


def test_a_cell_too_long_to_be_one_breaks_its_row_and_the_others_go_on() -> None:
    rows = list(_table(f"a,b\n1,{'x' * 70_000}\n2,3\n", "a").rows())
    assert isinstance(rows[0], Broken)
    assert rows[1:] == [(3, ["2", "3"])]


def test_a_quotation_mark_in_a_table_of_tabs_is_a_letter() -> None:
    assert list(_table('a\tb\n"5\t1\n6"\t2\n', "a").rows()) == [(2, ['"5', "1"]), (3, ['6"', "2"])]
    assert list(_table('"a"\t"b"\n"5\t6"\t1\n', "a").rows()) == [(2, ["5\t6", "1"])]


def test_bytes_that_are_no_text_can_be_kept_in_their_row() -> None:
    stream = io.BytesIO(b"a,b\n1,caf\xe9\n2,x\n")
    table = CsvFile(stream, required=("a",), errors="backslashreplace")
    assert list(table.rows()) == [(2, ["1", "caf\\xe9"]), (3, ["2", "x"])]


@pytest.mark.parametrize("text", ["", "b,c\n", "a,a,b\n1,2,3\n"])
def test_a_table_without_its_columns_is_not_read(text: str) -> None:
    with pytest.raises(NeedsDecision, match="column"):
        _table(text, "a")


def test_a_table_that_is_no_text_is_not_read() -> None:
    with pytest.raises(NeedsDecision, match="not text"):
        CsvFile(io.BytesIO(b"\xff\xfea\x00"), required=("a",))


@pytest.mark.parametrize(
    ("text", "places", "minor"),
    [("12.50", 2, 1250), ("-0.05", 2, -5), ("7", 2, 700), (".5", 2, 50), ("+3.1", 3, 3100),
     ("1.2300", 2, 123), ("100", 0, 100)],
)  # fmt: skip
def test_amounts_are_exact(text: str, places: int, minor: int) -> None:
    assert minor_of(text, places) == minor


@pytest.mark.parametrize("text", ["", "-", ".", "1.005", "1e3", "1,5", "٣", "--1", "1.-5", " 1"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"amount|decimals"):
        minor_of(text, 2)


def test_a_decimal_comma_is_read_where_it_is_said() -> None:
    assert minor_of("-1,5", 2, ",") == -150


def test_a_header_is_told_from_the_first_bytes() -> None:
    assert header_of(b'\xef\xbb\xbf"Id";Amount\n1;2\n') == {"id", "amount"}
