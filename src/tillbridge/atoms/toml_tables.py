"""Where the tables of a TOML text stand; the TOML reader gives no places."""

from __future__ import annotations

import re


def table_lines(text: str, name: str) -> list[int]:
    """Line number of every `[[name]]` header, in order."""
    header = re.compile(rf"\s*\[\[\s*{re.escape(name)}\s*\]\]")
    return [n for n, line in enumerate(text.splitlines(), 1) if header.match(line)]
