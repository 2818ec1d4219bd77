"""Tables of a TOML text are found where they stand, and what their words mean is checked."""

from __future__ import annotations

from typing import Any

import pytest

from tillbridge.atoms.toml_tables import (
    NoTables,
    Reader,
    names,
    one_of,
    parted,
    quantity,
    read_document,
    table_lines,
    truth,
    whole,
    worded,
)


def test_headers_are_found_in_order_and_nothing_else() -> None:
    text = "# [[rule]]\n[[rule]]\na = 1\n  [[ rule ]]\n[[ruler]]\n[rule]\n"
    assert table_lines(text, "rule") == [2, 4]


def test_tables_know_their_place_and_what_stands_beside_them() -> None:
    document = read_document("days = 3\n[[rule]]\na = 1\n\n[[rule]]\nb = 2\n", "x.toml", "rule", "")
    assert [(t.place, dict(t.words)) for t in document.tables] == [
        ("x.toml:2", {"a": 1}),
        ("x.toml:5", {"b": 2}),
    ]
    assert dict(document.others) == {"days": 3}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = = 1", "x.toml: Invalid value (at line 1, column 5)"),
        ("[rule]\na = 1", "x.toml: rules are written as [[rule]]"),
        ("rule = [1]", "x.toml: rules are written as [[rule]]"),
    ],
)
def test_what_is_no_table_is_told_with_its_file(text: str, words: str) -> None:
    with pytest.raises(NoTables) as caught:
        read_document(text, "x.toml", "rule", "rules")
    assert str(caught.value) == words


def test_every_word_that_means_nothing_is_told() -> None:
    readers: dict[str, Reader] = {"who": names, "much": quantity}
    said, wrong = worded({"who": "a", "much": -1, "odd": 1}, readers, "a rule")
    assert said == {"who": ("a",)}
    assert wrong == [
        "much: a quantity is not negative",
        "unknown word 'odd'; a rule has who, much",
    ]
    assert parted({"who": 1, "much": 2}, ("who",)) == ({"who": 1}, {"much": 2})


@pytest.mark.parametrize(
    ("reader", "value", "meaning"),
    [
        (names, "a", ("a",)),
        (names, ["a", "b"], ("a", "b")),
        (quantity, 2, 2000),
        (quantity, "0.65", 650),
        (whole(1, 9), 9, 9),
        (one_of(("a", "b")), "b", "b"),
        (truth, True, True),
    ],
)
def test_values_are_read(reader: Reader, value: Any, meaning: Any) -> None:
    assert reader(value) == meaning


@pytest.mark.parametrize(
    ("reader", "value", "words"),
    [
        (names, [], "a text or a list of texts"),
        (names, ["a", ""], "a text or a list of texts"),
        (names, 7, "a text or a list of texts"),
        (quantity, 0.5, 'a whole number, or a text such as "0.65"'),
        (quantity, True, 'a whole number, or a text such as "0.65"'),
        (quantity, "x", "'x' is no quantity"),
        (whole(1, 9), True, "a whole number from 1 to 9"),
        (whole(1, 9), 10, "a whole number from 1 to 9"),
        (whole(0, 9, "days"), -1, "days from 0 to 9"),
        (one_of(("a", "b")), "c", "one of a, b"),
        (truth, 1, "true or false"),
    ],
)
def test_values_that_cannot_be_meant_are_refused(reader: Reader, value: Any, words: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        reader(value)
    assert str(caught.value) == words
