"""Benchmarks as commands, compared in the same run with the raw database doing the same work."""
