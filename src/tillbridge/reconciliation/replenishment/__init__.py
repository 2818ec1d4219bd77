"""Replenishment: what places should be sent, by rules, stock and demand."""
