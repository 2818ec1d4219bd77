"""Feed files are cut row by row; what is broken stays visible, what is repeated collapses."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.connectors.feed.feeding import SALE, SALE_HEADER, STOCK, connection, facts, items
from tillbridge.connectors.feed import connector
from tillbridge.connectors.feed.loading import load_mapping
from tillbridge.connectors.feed.rows import rows

HEADER = "product,location,quantity\n"
CONTROLLED = (
    STOCK
    + """
[control]
starts = "TRL"
count = 2
sum = 3
of = "quantity"
"""
)


def body(item: Any) -> Any:
    return msgspec.json.decode(item.body)


def test_rows_of_one_sale_are_one_delivery() -> None:
    data = (
        SALE_HEADER
        + "17,2,2026-01-15,9,A,1,10.00,1.00,33.00\n17,2,2026-01-15,9,B,2,20.00,2.00,33.00\n"
        + "17,2,2026-01-15,10,A,1,10.00,1.00,11.00\n"
    )
    first, second = items(SALE, data)
    assert [row["sku"] for row in body(first)["rows"]] == ["A", "B"]
    assert (first.key, first.place) == ("sale/feed/17/2/2026-01-15/9", "day.csv:2:1")
    assert (second.key, second.place) == ("sale/feed/17/2/2026-01-15/10", "day.csv:4:1")


def test_a_file_sent_again_with_other_rows_around_has_the_same_deliveries() -> None:
    kept = items(STOCK, HEADER + "A,wh,1\nB,wh,2\n")
    again = items(STOCK, "\n" + HEADER + "Z,wh,9\nA,wh,1\nB,wh,2\n", name="copy.csv")
    assert [(item.delivery, item.body) for item in again[1:]] == [
        (item.delivery, item.body) for item in kept
    ]
    (changed,) = items(STOCK, HEADER + "A,wh,3\n")
    assert changed.delivery != kept[0].delivery


@pytest.mark.parametrize(
    ("row", "place", "words"),
    [
        (b"B,wh", "day.csv:3:3", "2 values for 3 columns"),
        (b"B,wh,1,2", "day.csv:3:4", "4 values for 3 columns"),
        (b"B,w\xffh,1", "day.csv:3:4", "byte 0xff is not utf-8"),
        (b"B,\x00,1", "day.csv:3:3", "a NUL character"),
        (b'B,"wh,1', "day.csv:3:3", "the quote opened here never closes"),
        (b'B,"wh"x,1', "day.csv:3:7", "text after a closing quote: 'x,1'"),
    ],
)
def test_a_broken_row_is_told_by_place_and_the_rest_goes_on(
    row: bytes, place: str, words: str
) -> None:
    found = items(STOCK, HEADER.encode() + b"A,wh,1\n" + row + b"\nC,wh,3\n")
    good = [item for item in found if not item.problem]
    (broken,) = [item for item in found if item.problem]
    assert [body(item)["rows"][0]["product"] for item in good] == ["A", "C"]
    assert broken.place == place
    assert words in broken.problem
    assert broken.body == row + b"\n"


def test_a_sale_with_a_broken_row_inside_is_held_whole() -> None:
    row = "17,2,2026-01-15,9,A,1,10.00,1.00,22.00\n"
    found = items(SALE, SALE_HEADER + row + "garbage\n" + row)
    assert [bool(item.problem) for item in found] == [True, True]
    assert "is not whole: its row at day.csv:3:2 is broken" in found[1].problem
    (whole,) = items(SALE, SALE_HEADER + row + row)
    assert whole.delivery.startswith("sale/")
    assert found[1].delivery.startswith("broken/")


def test_quoted_fields_may_hold_everything() -> None:
    text = 'A,"wh, ""east""\nsecond line",5\nB,wh,1\n'
    first, second = items(STOCK, HEADER + text)
    assert body(first)["rows"][0]["location"] == 'wh, "east"\nsecond line'
    assert second.place == "day.csv:4:1"


def test_a_header_without_a_column_refuses_the_whole_file() -> None:
    (found,) = items(STOCK, "product,place,quantity\nA,wh,1\n")
    assert found.problem == (
        "the whole file is refused: the header has no column 'location' (mapping.toml reads it)"
    )
    assert found.place == "day.csv:1:1"
    assert found.body == b"product,place,quantity\nA,wh,1\n"
    (twice,) = items(STOCK, "product,product,location,quantity\n")
    assert "names 'product' twice" in twice.problem


@pytest.mark.parametrize(
    ("trailer", "words"),
    [
        ("TRL,2,3\n", ""),
        ("TRL,3,3\n", "day.csv:4:1 the control record says 3 rows, there are 2"),
        (
            "TRL,2,4.5\n",
            "day.csv:4:1 the control record says 4.5 for quantity, the rows sum up to 3",
        ),
        ("", "day.csv:3:1 there is no control record (a row that begins with 'TRL')"),
        ("TRL,2,3\nC,wh,3\n", "day.csv:5:1 there are rows after the control record"),
        ("TRL,2,3\nTRL,2,3\n", "day.csv:5:1 there are two control records"),
        ("TRL,two,3\n", "day.csv:4:1 the control record cannot be read: 'two' is no number"),
    ],
)
@pytest.mark.parametrize("seekable", [True, False])
def test_control_totals_decide_about_the_whole_file(
    trailer: str, words: str, seekable: bool
) -> None:
    class Stream(io.BytesIO):
        def seekable(self) -> bool:
            return seekable

    data = (HEADER + "A,wh,1\nB,wh,2\n" + trailer).encode()
    found = list(connector.split(Stream(data), "day.csv", connection(CONTROLLED)))
    if not words:
        assert [body(item)["rows"][0]["product"] for item in found] == ["A", "B"]
        return
    (item,) = found
    place, _, rest = words.partition(" ")
    assert item.place == place
    assert item.problem.startswith(f"the whole file is refused: {rest}")
    assert item.body == data


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "latin-1", "cp037", "cp500"])
def test_encodings_are_read_as_declared(encoding: str) -> None:
    data = (HEADER + "K\u00e4se,wh,1\n").encode(encoding)
    declared = encoding.removesuffix("-sig")
    mapping = STOCK.replace('"csv"', f'"csv"\nencoding = "{declared}"')
    (found,) = items(mapping, data)
    assert body(found)["rows"][0]["product"] == "K\u00e4se"


def test_mainframe_lines_end_with_next_line() -> None:
    data = (HEADER + "A,wh,1\n").encode("cp037").replace(b"\x25", b"\x15")
    mapping = STOCK.replace('"csv"', '"csv"\nencoding = "cp037"')
    assert len(items(mapping, data)) == 1


@given(
    st.lists(
        st.lists(
            st.text(st.characters(codec="utf-8", exclude_characters="\x00\ufeff"), max_size=8),
            min_size=3,
            max_size=3,
        ).filter(lambda row: row[0].strip() and not any("\x85" in text for text in row)),
        max_size=5,
    )
)
def test_every_text_that_can_be_written_is_read_back(table: list[list[str]]) -> None:
    text = HEADER
    for row in table:
        text += ",".join('"' + value.replace('"', '""') + '"' for value in row) + "\n"
    layout = load_mapping(STOCK, "m").layout
    found = [row.values for row in rows(io.BytesIO(text.encode()), layout)][1:]
    assert found == table


@given(st.binary(max_size=300))
def test_random_bytes_never_raise(data: bytes) -> None:
    for item in items(SALE, SALE_HEADER.encode() + data):
        assert item.place
        assert item.body


def test_facts_name_file_line_column_and_value() -> None:
    from tillbridge.atoms.errors import NeedsDecision

    row = "17,2,2026-01-15,9,A,1,10.00,1.00,33.00\n17,2,2026-01-15,9,B,2,2O.00,2.00,33.00\n"
    (item,) = items(SALE, SALE_HEADER + row)
    with pytest.raises(NeedsDecision) as caught:
        facts(item, SALE)
    assert caught.value.words == "day.csv:3:7: net: '2O.00' is no number"
