"""Cross-references: what is missing is collected, so that one case lists everything."""

from __future__ import annotations

from tillbridge.contract.names import CrossReferences, MissingName, Proposals


def test_a_known_name_is_given_and_every_missing_one_is_noted_with_its_place() -> None:
    names = CrossReferences({("tender", "stripe"): "card"})
    assert names.ours("tender", "stripe", where="line 1") == "card"
    assert names.ours("product", "4711", where="line 2", hint="Blue shoe") == ""
    assert names.ours("tender", "4711", where="line 3") == ""
    assert names.missing == [
        MissingName("product", "4711", "line 2", "Blue shoe"),
        MissingName("tender", "4711", "line 3"),
    ]


def test_the_same_word_in_two_tables_is_two_names() -> None:
    names = CrossReferences({("tender", "9"): "cash", ("location", "9"): "berlin"})
    assert names.ours("tender", "9", where="") == "cash"
    assert names.ours("location", "9", where="") == "berlin"


def test_proposals_name_everything_once() -> None:
    proposals = Proposals("web")
    assert proposals.ours("product", "SKU 1", where="", hint="Shoe") == "SKU 1"
    assert proposals.ours("tender", "Shopify Payments", where="") == "shopify-payments"
    proposals.ours("product", "SKU 1", where="", hint="another")
    assert proposals.rows == {
        ("product", "SKU 1"): ("SKU 1", "Shoe"),
        ("tender", "Shopify Payments"): ("shopify-payments", ""),
    }
