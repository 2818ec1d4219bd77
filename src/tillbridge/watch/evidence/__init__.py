"""Evidence of a month: the books of an entity in one file that proves itself without the hub."""
