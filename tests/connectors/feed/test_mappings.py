"""A wrong mapping is refused when it is loaded, at file:line:column, before any row is read."""

from __future__ import annotations

import pytest

from tests.connectors.feed.feeding import SALE, STOCK
from tillbridge.connectors.feed.config import FeedConfig, MappingError, load_mapping

FIXED = """
kind = "stock"
[file]
format = "fixed"
[[column]]
name = "product"
start = 1
width = 8
[row]
product = "product"
location = { constant = "wh" }
quantity = "amount"
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind = ", "m.toml:1:8: Invalid value"),
        ('kind = "stock"\nkind = "sale"\n', "m.toml:2:14: Cannot overwrite a value"),
        ("", "m.toml:1:1: kind takes one of sale, order"),
        ('\nkind = "stocks"', "m.toml:2:1: kind takes one of"),
        ('kind = "stock"\ncolour = 1', "m.toml:2:1: 'colour' means nothing here"),
        ('kind = "stock"', "m.toml:1:1: there is no [file] table"),
        (STOCK.replace('"csv"', '"xls"'), "m.toml:5:1: format takes one of csv, tsv"),
        (
            STOCK.replace("[row]", 'encoding = "utf-99"\n[row]'),
            "m.toml:7:1: encoding takes one of ascii",
        ),
        (STOCK.replace('quantity = "quantity"', ""), "m.toml:7:1: row lacks the field quantity"),
        (STOCK + 'colour = "x"\n', "m.toml:11:1: 'colour' means nothing here"),
        (
            STOCK.replace('"quantity"', '{ from = "quantity", do = ["trimm"] }'),
            "m.toml:10:39: there is no transform 'trimm'",
        ),
        (
            STOCK.replace('"quantity"', '{ from = "quantity", do = [{ implied = 9 }] }'),
            "m.toml:10:41: implied takes a number of decimals from 1 to 6",
        ),
        (
            STOCK.replace('"quantity"', '{ form = "quantity" }'),
            "m.toml:10:14: 'form' means nothing here",
        ),
        (
            STOCK.replace('"quantity"', '{ from = "q", constant = "1" }'),
            "m.toml:10:1: quantity takes either from or constant",
        ),
        (
            STOCK + 'basis = { constant = "counted" }\n',
            "m.toml:11:22: basis takes one of on_hand, available",
        ),
        (FIXED, "m.toml:12:12: there is no column 'amount'"),
        (FIXED.replace("start = 1", "start = 0"), "m.toml:7:1: start takes a whole number from 1"),
        (
            STOCK.replace('"csv"', '"csv"\nheader = false'),
            "m.toml:4:1: without a header, columns must be named",
        ),
        (
            STOCK.replace('"csv"', '"csv"\nheader = false\ncolumns = ["product", "location"]'),
            "m.toml:12:12: there is no column 'quantity'",
        ),
        (SALE.replace('identity = ["store", "till", "day", "no"]', ""), "needs identity"),
        (SALE.replace('net = "net"', ""), "m.toml:15:1: a line takes exactly one of list, net"),
        (SALE.replace("[[tender]]", "[tender]"), "needs [[tender]]"),
        (SALE.replace('tax_code = { constant = "std" }', ""), "m.toml:19:1: tax needs tax_code"),
        (
            STOCK.replace('"csv"', '"jsonl"').replace('"product"', '"a[?"'),
            "m.toml:8:11: 'a[?' is no JMESPath",
        ),
        (
            STOCK + '[control]\nstarts = "T"\n',
            "m.toml:11:1: control needs count or sum",
        ),
        (
            STOCK + '[control]\nstarts = "T"\nsum = 2\n',
            "m.toml:11:1: sum and of (the column summed) belong together",
        ),
    ],
)
def test_a_wrong_mapping_is_refused_by_place(text: str, words: str) -> None:
    with pytest.raises(MappingError) as caught:
        load_mapping(text, "m.toml")
    assert words in str(caught.value)
    assert str(caught.value).startswith("m.toml:")


def test_settings_take_the_text_of_their_mapping_and_check_it() -> None:
    settings = FeedConfig(mapping="stock.toml")
    assert settings.with_files({"stock.toml": STOCK}.__getitem__).text == STOCK
    with pytest.raises(MappingError, match=r"^stock\.toml:1:1: "):
        settings.with_files(lambda _: "")


def test_what_a_mapping_says_is_what_is_loaded() -> None:
    found = load_mapping(SALE, "sale.toml")
    assert (found.kind, found.version, found.identity) == (
        "sale",
        1,
        ("store", "till", "day", "no"),
    )
    assert [part.section for part in found.parts] == ["head", "line", "tender"]
    assert found.columns_used() == (
        "store", "till", "day", "no", "total", "sku", "qty", "net", "tax",
    )  # fmt: skip
