"""Sweeps: what a channel counts and sums up in a window of time, held against the hub."""
