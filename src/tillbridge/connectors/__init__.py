"""One folder per outside system: its vendor's words on one side, ours on the other."""
