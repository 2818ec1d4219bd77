"""Money, quantity, ids, clock and errors: the smallest parts, without input or output."""
