"""The splitter: what it cuts, what it names broken, and that nothing of a file gets lost."""

from __future__ import annotations

import tracemalloc
from io import BytesIO, RawIOBase

import pytest

from tests.connectors.poslog.receipts import CONNECTION, items
from tests.connectors.poslog.test_random_receipts import Slow
from tillbridge.connectors.poslog import connector, fields

ONE = (
    "<Transaction><RetailStoreID>9</RetailStoreID><WorkstationID>31</WorkstationID>"
    "<SequenceNumber>114</SequenceNumber><BusinessDayDate>2026-03-02</BusinessDayDate>"
    "</Transaction>"
)
TRICKY = (
    '<?xml version="1.0"?>\n<!-- <Transaction> -->\n'
    '<p:POSLog xmlns:p="u" xmlns="d" xmlns:q="q">\n<Header Note="a > b">text</Header>\n'
    '<p:Transaction q:a="1>2"><![CDATA[</p:Transaction>]]><!-- </p:Transaction> --><?x <p:?>'
    '</p:Transaction>\n<p:Transaction a="/"/><Other:Transaction/>\n</p:POSLog >\n'
)


def test_a_transaction_is_a_document_of_its_own_with_the_namespaces_it_uses() -> None:
    found = items(TRICKY.encode())
    assert [item.problem for item in found][:2] == ["", ""]
    assert found[0].body.startswith(b'<POSLog xmlns="d" xmlns:p="u" xmlns:q="q"><p:Transaction')
    assert found[1].body == b'<POSLog xmlns="d" xmlns:p="u"><p:Transaction a="/"/></POSLog>'
    assert [item.place for item in found[:2]] == ["day.xml:5:1", "day.xml:6:1"]
    fields.parse(found[0].body)


def test_a_prefix_nobody_declared_breaks_its_transaction_only() -> None:
    assert "Other" in items(TRICKY.encode())[2].problem


@pytest.mark.parametrize("cut", range(1, 12))
def test_chunk_boundaries_at_every_byte_change_nothing(cut: int) -> None:
    data = (TRICKY + f"x{ONE}</a><Transaction><b><Transaction/>").encode()
    whole = items(data)
    assert list(connector.split(Slow(data, cut), "day.xml", CONNECTION)) == whole
    assert len(whole) == 8


def test_the_key_is_read_from_the_top_of_the_transaction_and_never_from_a_link() -> None:
    link = ONE.replace("Transaction", "TransactionLink").replace("114", "7")
    inside = ONE.replace(
        "<RetailStoreID>", f"<RetailTransaction>{link}</RetailTransaction><RetailStoreID>"
    )
    assert items(inside.encode())[0].key == "sale/stores/9/31/2026-03-02/114"
    assert items(ONE.replace("2026-03-02", "soon").encode())[0].key == ""


def test_the_same_transaction_in_another_file_is_the_same_delivery() -> None:
    first = items(f'<POSLog xmlns:unused="x" At="1">{ONE}</POSLog>'.encode())
    again = items(f"<?xml version='1.0' encoding='UTF-8'?>\n<Log>\n\n{ONE}{ONE}</Log>".encode())
    other = items(f"<POSLog>{ONE.replace('114', '115')}</POSLog>".encode())
    assert {item.delivery for item in again} == {first[0].delivery}
    assert again[0].body == first[0].body
    assert other[0].delivery != first[0].delivery


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (f"<P><Transaction><a>{ONE}{ONE}</P>", ["before the next one starts", "", ""]),
        (f"<P>{ONE}garbage{ONE}</P>", ["", "text stands between", ""]),
        (f"<P>{ONE}<Transaction><a></Transaction>{ONE}</P>", ["", "not well-formed", ""]),
        (f"<P>{ONE}<a></b>{ONE}</P>", ["", "closes nothing", "", "was never closed"]),
        (f"<P>tail of one</LineItem></Transaction>{ONE}</P>", ["text", "closes nothing", ""]),
        (f"<P>{ONE}<Transaction><a>", ["", "ends inside of this"]),
        (f"<P>{ONE}", ["", "ends inside of P"]),
        (f"<P>{ONE}<1 >{ONE}</P>", ["", "no markup", ""]),
        (f"<P>{ONE}<!-- {ONE}", ["", "comment has no end", "", "ends inside of P"]),
        (f"{ONE}{ONE}", ["", ""]),
        ("", []),
        ("no xml at all", ["text stands"]),
        (f"<P>{ONE}</P><P>{ONE}</P>", ["", ""]),
        (f"<P><p:Transaction></q:Transaction>{ONE}</P>", ["another name", ""]),
        ("<P><Transaction>\x00</Transaction></P>", ["not well-formed"]),
    ],
)
def test_a_broken_piece_is_named_and_the_rest_goes_on(text: str, problems: list[str]) -> None:
    found = items(text.encode())
    for item, words in zip(found, problems, strict=True):
        assert words in item.problem
        assert bool(words) == bool(item.problem)
        assert item.body


def test_a_dtd_is_refused_and_its_entities_are_never_known() -> None:
    entity = '<!DOCTYPE P [<!ENTITY boom "&#38;boom;"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    found = items(
        f"{entity}<P>{ONE.replace('9', '&boom;', 1)}{ONE.replace('9', '&f;', 1)}{ONE}</P>".encode()
    )
    assert "DTD" in found[0].problem
    assert ["not defined" in item.problem for item in found] == [False, True, True, False]
    assert b"root:" not in b"".join(item.body for item in found)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "iso-8859-1", "cp1252"]
)
def test_every_declared_encoding_tells_the_same_transaction(encoding: str) -> None:
    declared = {"utf-8-sig": "utf-8", "utf-16-be": "UTF-16"}.get(encoding, encoding)
    named = ONE.replace("</T", "<N>Ö é</N></T", 1)
    text = f'<?xml version="1.0" encoding="{declared}"?><P>{named}</P>'
    expected = items(text.replace(declared, "UTF-8", 1).encode())[0]
    for stream in (BytesIO(text.encode(encoding)), Slow(text.encode(encoding), 1)):
        found = list(connector.split(stream, "day.xml", CONNECTION))
        assert [item.problem for item in found] == [""]
        assert found[0].body == expected.body


def test_bytes_that_are_no_character_break_their_own_transaction_only() -> None:
    for encoding in ("utf-8", "cp1252"):
        head = f'<?xml version="1.0" encoding="{encoding}"?><P>'.encode()
        bad = ONE.encode().replace(b"</T", b"<N>\x81\xff</N></T", 1)
        found = items(head + ONE.encode() + bad + ONE.encode() + b"</P>")
        assert ["not well-formed" in item.problem for item in found] == [False, True, False]


def test_an_unknown_encoding_is_one_problem_with_its_first_bytes() -> None:
    found = items(b'<?xml version="1.0" encoding="punycode"?><P></P>')
    assert len(found) == 1
    assert "punycode" in found[0].problem
    assert found[0].body.startswith(b"<?xml")


def test_a_giant_transaction_is_a_problem_and_the_next_one_is_not() -> None:
    settings = CONNECTION.settings.__class__(piece_max_bytes=1000)
    small = CONNECTION.__class__(
        name="stores", entity="us", channel="c", currency="USD", settings=settings
    )
    giant = f"<Transaction><a>{'x' * 600_000}</a></Transaction>"
    found = items(f"<P>{ONE}{giant}{ONE}</P>".encode(), small)
    assert found[0].problem == ""
    assert "larger than 1000 bytes" in found[1].problem
    assert len(found[1].body) <= 256 * 1024
    assert found[-1].problem == ""


class Endless(RawIOBase):
    """A file of many megabytes that is nowhere whole."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._left = count
        self._begun = False

    def read(self, size: int = -1) -> bytes:
        del size
        if not self._begun:
            self._begun = True
            return b"<POSLog>"
        self._left -= 1
        return ONE.encode() * 500 + b"\n" if self._left >= 0 else b""


def test_a_file_of_any_size_takes_constant_memory() -> None:
    tracemalloc.start()
    count = sum(1 for _ in connector.split(Endless(40), "day.xml", CONNECTION))  # type: ignore[arg-type, misc]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 20_001  # and the end of POSLog is missing
    assert peak < 2 * 1024 * 1024
