"""Progress of the demo on stderr: live bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tillbridge.atoms.clock import Clock

PLAIN_SECONDS = 2.0


class Bars:
    """Named bars that may be told from any thread. Not before everything that forks has forked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._console = Console(stderr=True)
        self._lock = threading.Lock()
        self._said: dict[str, tuple[float, str]] = {}
        self._tasks: dict[str, object] = {}
        self._live: Progress | None = None
        if self._console.is_terminal:
            self._live = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=28),
                MofNCompleteColumn(),
                TextColumn("{task.fields[words]}"),
                TimeElapsedColumn(),
                console=self._console,
                redirect_stdout=sys.stdout.isatty(),
                refresh_per_second=8,
            )

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def tell(self, name: str, done: int, total: int, words: str = "") -> None:
        """How far a bar is."""
        with self._lock:
            if self._live is not None:
                self._show(self._live, name, done, total, words)
            else:
                self._say(name, done, total, words)

    def line(self, words: str) -> None:
        """A line for the person, above the bars."""
        with self._lock:
            self._console.print(words, highlight=False, markup=False, soft_wrap=True)

    def _show(self, live: Progress, name: str, done: int, total: int, words: str) -> None:
        if name not in self._tasks:
            self._tasks[name] = live.add_task(f"{name:<30}", total=None, words="")
        task = self._tasks[name]
        live.update(task, completed=done, total=total or None, words=words)  # type: ignore[arg-type]
        if total and done >= total:
            live.stop_task(task)  # type: ignore[arg-type]

    def _say(self, name: str, done: int, total: int, words: str) -> None:
        """At most one line per bar and two seconds, and the last one always."""
        text = f"{name}: {done}/{total}{f' {words}' if words else ''}"
        at, before = self._said.get(name, (float("-inf"), ""))
        now = self._clock.monotonic()
        if text == before or (done < total and now - at < PLAIN_SECONDS):
            return
        self._said[name] = (now, text)
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
