"""Where tests keep what need not outlive them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - our own folder in it is made by mkdtemp
"""Copying a database waits for the disk; in memory it takes a third of the time."""
MEMORY_BYTES_WANTED = 2 << 30


def quick_place() -> Path | None:
    """A folder in memory with room for the run's databases, or None: the usual place."""
    if not os.access(MEMORY, os.W_OK | os.X_OK):
        return None
    return MEMORY if shutil.disk_usage(MEMORY).free > MEMORY_BYTES_WANTED else None
