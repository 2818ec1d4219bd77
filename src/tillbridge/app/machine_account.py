"""What an account of the machine is called."""

from __future__ import annotations

import pwd


def account(number: int) -> str:
    """Name of an account of the machine; `uid-1000` where it has none, as in a container."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid-{number}"
