"""Proposals of replenishment: proposed, accepted or rejected, ordered."""
