"""The demo: a day of trade of the example retailer, end to end, on a machine with nothing on it."""

from tillbridge.app.demo.play import run

__all__ = ["run"]
