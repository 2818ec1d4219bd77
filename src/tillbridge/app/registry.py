"""The connectors this release has: found by looking into the connectors' folder, never listed."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

import tillbridge.connectors
from tillbridge.atoms.errors import Refused
from tillbridge.contract.promises import Connector


@cache
def names() -> tuple[str, ...]:
    """Names of all connectors, which are their folders' names."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(tillbridge.connectors.__path__)))


@cache
def connector(name: str) -> Connector:
    """A connector by name; raises Refused when there is none."""
    if name not in names():
        raise Refused(f"there is no connector {name!r} (there are {', '.join(names())})")
    found = import_module(f"tillbridge.connectors.{name}").connector
    if not isinstance(found, Connector):
        raise Refused(f"connectors/{name} does not say its name and config")
    return found
