"""Saved answers and payloads as files: envelopes, misfits, broken pieces, streaming."""

from __future__ import annotations

import io

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.connectors.shopify.payloads import WEB
from tillbridge.connectors.shopify import connector
from tillbridge.contract.json_scanner import PIECE_MAX, VALUE_MAX, Scanner
from tillbridge.contract.promises import Item

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


def cut(text: str | bytes, topic: str = "orders/create") -> list[Item]:
    data = text.encode() if isinstance(text, str) else text
    return list(connector.split(io.BytesIO(data), "saved.json", WEB, topic))


def bodies(items: list[Item]) -> list[bytes]:
    return [item.body for item in items if not item.problem]


@pytest.mark.parametrize(
    "text",
    [
        '{"id":1}',
        '\ufeff {"id":1}\n',
        '{"order":{"id":1}}',
        '{"orders":[{"id":1}]}',
        '[{"id":1}]',
        '{"order":{"id":1},"notice":"Order has been canceled"}',
        '{"notice":"Order has been canceled","order":{"id":1}}',
    ],
)
def test_an_object_is_found_in_whatever_it_is_wrapped(text: str) -> None:
    (item,) = cut(text)
    assert (item.topic, item.body, item.key, item.problem) == (
        "orders/create",
        b'{"id":1}',
        "order/web/1",
        "",
    )


def test_objects_after_each_other_are_all_found_with_their_places() -> None:
    items = cut('{"id":1}\n{"id":2}\n\n{"orders":[{"id":3},\n {"id":4}]}')
    assert [item.key for item in items] == [f"order/web/{number}" for number in (1, 2, 3, 4)]
    assert [item.place for item in items] == [
        "saved.json:1:1",
        "saved.json:2:1",
        "saved.json:4:12",
        "saved.json:5:2",
    ]
    assert cut('{"orders":[]}') == []


@pytest.mark.parametrize(
    ("text", "topic", "words"),
    [
        (
            '{"transactions":[{"id":1}]}',
            "orders/create",
            "the file holds transactions, topic orders/create wants order",
        ),
        (
            '{"payouts":[{"id":1}]}',
            "refunds/create",
            "the file holds payouts, topic refunds/create wants refund",
        ),
        ('{"customers":[{"id":1}]}', "", "the file holds customers; topic (none) cannot take that"),
        ('{"id":1}', "", "say which topic"),
        ('[{"id":1}]', "", "say which topic"),
        ('{"order":7}', "orders/create", "the file holds order"),
    ],
)
def test_a_file_of_something_else_says_what_it_holds(text: str, topic: str, words: str) -> None:
    (item,) = cut(text, topic)
    assert words in item.problem
    assert item.body in text.encode()


@pytest.mark.parametrize(
    ("text", "topic", "key"),
    [
        ('{"refund":{"id":5,"order_id":1}}', "refunds/create", "order/web/1"),
        ('{"fulfillments":[{"id":5,"order_id":1}]}', "fulfillments/update", "order/web/1"),
        ('{"transactions":[{"id":5,"order_id":1}]}', "order_transactions/create", "order/web/1"),
        ('{"products":[{"id":5}]}', "products/update", "product/web/5"),
        (
            '{"inventory_levels":[{"inventory_item_id":5,"location_id":6}]}',
            "inventory_levels/update",
            "stock/web/5/6",
        ),
    ],
)
def test_an_envelope_names_its_topic_and_its_objects_their_key(
    text: str, topic: str, key: str
) -> None:
    for asked in ("", topic):
        (item,) = cut(text, asked)
        assert (item.topic, item.key, item.problem) == (topic, key, "")


def test_what_is_wrapped_on_the_wire_stays_wrapped() -> None:
    edit = '{"order_edit":{"id":5,"order_id":1}}'
    (item,) = cut(edit, "orders/edited")
    assert (item.body, item.key) == (edit.encode(), "order/web/1")
    again = '{"order":{"id":"gid://shopify/Order/1"}}'
    (item,) = cut(again, "reread/order")
    assert (item.body, item.key) == (again.encode(), "order/web/1")


def test_a_broken_object_spoils_no_other() -> None:
    items = cut('{"orders":[{"id":1},{"id":,},zzz,{"id":2},3]}')
    assert bodies(items) == [b'{"id":1}', b'{"id":2}']
    broken = [(item.body, item.place) for item in items if item.problem]
    assert broken == [
        (b'{"id":,}', "saved.json:1:21"),
        (b"zzz,", "saved.json:1:30"),
        (b"3", "saved.json:1:43"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        '{"orders":[{"id":1}',
        '{"orders":[{"id":1},',
        '{"orders":[{"id":1},{"id":2',
        '[{"id":1},{"id":"',
    ],
)
def test_a_file_that_was_cut_is_seen_to_be(text: str) -> None:
    items = cut(text)
    assert bodies(items) == [b'{"id":1}']
    assert items[-1].problem
    assert items[-1].body


def test_no_byte_of_a_broken_file_is_lost() -> None:
    for text in (
        "x" * (PIECE_MAX + 5),
        '{"order"',
        "\x00",
        '"text"',
    ):
        items = cut(text)
        assert all(item.problem and item.place for item in items)
        assert b"".join(item.body for item in items) == text.encode()
        assert len({item.delivery for item in items}) == len(items)
    (item,) = cut('{"orders":[{"id":11')
    assert (item.body, item.place) == (b'{"id":11', "saved.json:1:12")


def test_an_object_beyond_all_size_is_broken_and_kept() -> None:
    huge = b'{"id":"' + b"1" * (VALUE_MAX + 100) + b'"}'
    items = cut(b"[" + huge + b"]")
    assert all(item.problem for item in items)
    assert b"".join(item.body for item in items) == huge + b"]"


def test_the_same_object_is_the_same_delivery_and_another_is_not() -> None:
    one, two, again = cut('[{"id":1},{"id":2},{"id":1}]')
    assert one.delivery == again.delivery != two.delivery
    (other,) = cut('{"id":1}', "orders/updated")
    assert other.delivery != one.delivery


@given(
    st.lists(st.dictionaries(st.text(max_size=4), JSON, max_size=4), max_size=5), st.integers(1, 9)
)
def test_any_list_of_objects_comes_out_as_it_went_in(
    objects: list[dict[str, object]], chunk: int
) -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or chunk, chunk) if size is None or size > 0 else size)

    data = msgspec.json.encode({"orders": objects})
    items = list(connector.split(Slow(data), "saved.json", WEB, "orders/create"))
    assert [msgspec.json.decode(item.body) for item in items] == objects
    assert not any(item.problem for item in items)


@given(st.binary(max_size=200))
def test_any_bytes_come_out_without_an_error(data: bytes) -> None:
    items = cut(data)
    assert items or not data.strip(b" \t\r\n\xef\xbb\xbf[]")


def test_a_scanner_knows_its_place() -> None:
    scanner = Scanner(io.BytesIO(b'  \n {"a":\n"}"} x'))
    assert scanner.blanks() == b"{"
    assert scanner.place == "2:2"
    assert scanner.value() == b'{"a":\n"}"}'
    assert scanner.blanks() == b"x"
    assert scanner.place == "3:6"
    assert scanner.value() == b"x"
    assert scanner.blanks() == b""
