"""`make stories`: every story with its result, and three sales in full with what Tryton holds.

Named files alone: `make stories ARGS="tests/stories/test_web_orders.py"`.
"""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

from tillbridge.app.text_table import table

STORIES = Path(__file__).parent


class Listing:
    """Notes what became of each story; one file is one scenario, its tests are its turns."""

    def __init__(self) -> None:
        self.results: dict[str, Counter[str]] = {}
        self.seconds: dict[str, float] = {}
        self.shown: list[tuple[str, str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A turn is over; one that fails before or after it counts too."""
        name = Path(report.nodeid.partition("::")[0]).stem
        self.seconds[name] = self.seconds.get(name, 0.0) + report.duration
        if report.when == "call" or report.outcome != "passed":
            self.results.setdefault(name, Counter())[report.outcome] += 1
        told = dict(report.user_properties)
        if report.when == "call" and "shown" in told:
            self.shown.append((str(told["title"]), str(told["shown"])))

    def page(self) -> str:
        """The list, then the stories that are shown in full."""
        rows = [
            (title_of(name), _result(found), f"{self.seconds[name]:.1f} s")
            for name, found in sorted(self.results.items())
        ]
        parts = [table(("story", "result", "time"), rows)]
        parts += [f"{title}\n{'=' * len(title)}\n\n{text}" for title, text in self.shown]
        return "\n\n".join(parts)


def title_of(name: str) -> str:
    """A story's name in words."""
    words = name.removeprefix("test_").replace("_", " ")
    return words[:1].upper() + words[1:]


def _result(found: Counter[str]) -> str:
    turns = sum(found.values())
    if found["failed"]:
        return f"FAILED {found['failed']} of {turns}"
    return f"{turns - found['skipped']} passed" + (
        f", {found['skipped']} skipped" if found["skipped"] else ""
    )


def main(arguments: list[str]) -> int:
    """Play the stories and print what became of them."""
    listing = Listing()
    said = StringIO()
    with redirect_stdout(said):
        status = pytest.main(arguments or [str(STORIES)], plugins=[listing])
    sys.stdout.write((said.getvalue() + "\n" if status else "") + listing.page() + "\n")
    return int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
