"""Transfers: goods ordered from one place of ours to another, as a state machine."""
