"""One folder per outside system; each speaks its vendor's words on one side and ours on the other."""
