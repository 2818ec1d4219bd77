"""Trying again: a preview of what cases hold back, and the whole log replayed into an empty hub."""
