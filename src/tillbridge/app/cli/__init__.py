"""The command line: `tillbridge VERB`. Start at `main`."""

from tillbridge.app.cli.main import main

__all__ = ["main"]
