"""Tables of a TOML text are found where they stand."""

from __future__ import annotations

from tillbridge.atoms.toml_tables import table_lines


def test_headers_are_found_in_order_and_nothing_else() -> None:
    text = "# [[rule]]\n[[rule]]\na = 1\n  [[ rule ]]\n[[ruler]]\n[rule]\n"
    assert table_lines(text, "rule") == [2, 4]
