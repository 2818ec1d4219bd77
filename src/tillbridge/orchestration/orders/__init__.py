"""One state machine per order, whatever system speaks first."""
