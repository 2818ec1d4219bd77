"""The money book: double entry, rules as data, immutable entries."""
