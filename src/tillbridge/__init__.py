"""Tillbridge: the open retail integration hub."""
