"""Named moments at which a process can be made to die, hang or fail, to prove that nothing is lost.

`reach(name)` stands before and after each commit, each call outside and each acknowledgement. It
does nothing unless somebody listens. The environment arms one moment of one process tree:

    TILLBRIDGE_CRASH="flow.before_append:kill"      kill | hang | raise
    TILLBRIDGE_CRASH="intake.after_commit:hang:20"  the 20th time a process comes there
    TILLBRIDGE_CRASH_MARK=/path/of/a/file           made when it strikes; while it exists nothing
                                                    strikes, so that what is started again lives
    TILLBRIDGE_CRASH_SECONDS=30                     how long a hang lasts

A wrong word in it stops the process at once: a test that arms nothing would prove nothing.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "TILLBRIDGE_CRASH"
MARK_VARIABLE = "TILLBRIDGE_CRASH_MARK"
SECONDS_VARIABLE = "TILLBRIDGE_CRASH_SECONDS"
HANG_SECONDS = 30.0
POINTS: Mapping[str, str] = {
    "intake.before_append": "bodies written, their records not",
    "intake.after_commit": "deliveries committed, nobody answered",
    "files.batch_stored": "a part of a file committed, its claim open",
    "files.before_archive": "a file done, still in the drop folder",
    "polls.page_read": "the vendor answered, nothing stored",
    "polls.page_stored": "a page and its cursor committed",
    "flow.lanes_taken": "lanes locked, records read, no effects",
    "flow.before_append": "effects written, cursors moved, no records",
    "flow.after_commit": "a batch committed",
    "log.before_commit": "records appended under the append lock, not committed",
    "jobs.before_lease": "keys claimed, their leases not committed",
    "dispatch.claimed": "leases committed, nothing read for the call",
    "dispatch.before_call": "about to call a destination with documents",
    "dispatch.answered": "documents answered for, the answers not booked",
    "dispatch.booked": "answers committed",
    "dispatch.reread_answered": "an object read again, not stored",
    "publication.taken": "marks of changed stock taken off, nothing planned",
    "publication.claimed": "offers committed, no channel called",
    "publication.answered": "a channel answered, nothing booked",
    "publication.booked": "a channel's answers committed",
    "journals.summarised": "journals owed, not committed",
    "schedules.before_commit": "a chore done, its next time not committed",
    "schedules.after_commit": "a chore done",
    "restore.before_commit": "every outbound key doubted, not committed",
    "restore.after_commit": "the restored database told, the folder's record not",
}
"""Every name, and what is true there."""


class Crashed(RuntimeError):
    """What `raise` raises: a defect at that moment."""


_heard: Callable[[str], None] | None = None


def reach(name: str) -> None:
    """This process is at the moment `name`; raises Crashed when that was asked for."""
    if _heard is not None:
        _heard(name)


@contextmanager
def heard_by(listener: Callable[[str], None]) -> Iterator[None]:
    """Tell `listener` every moment this process reaches, in place of what was armed (tests)."""
    global _heard  # noqa: PLW0603 - one flag, looked at on hot paths
    before = _heard
    _heard = listener
    try:
        yield
    finally:
        _heard = before


class Strike:
    """Listens for one moment and strikes there once."""

    def __init__(
        self, plan: str, mark: Path | None = None, hang_seconds: float = HANG_SECONDS
    ) -> None:
        """plan: `name:how[:nth]`. Raises ValueError for a wrong word."""
        name, _, rest = plan.partition(":")
        how, _, nth = rest.partition(":")
        if name not in POINTS or how not in ("kill", "hang", "raise"):
            raise ValueError(f"{VARIABLE}={plan}: want name:kill|hang|raise[:nth]")
        self._name = name
        self._how = how
        self._left = int(nth or 1)
        self._mark = mark
        self._hang_seconds = hang_seconds
        self._counting = threading.Lock()

    def __call__(self, name: str) -> None:
        """Count, and strike when it is time."""
        if name != self._name:
            return
        with self._counting:
            self._left -= 1
            if self._left != 0 or not self._first():
                return
        if self._how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self._how == "hang":
            threading.Event().wait(self._hang_seconds)
        else:
            raise Crashed(name)

    def _first(self) -> bool:
        """Whether no process of the tree has struck before; writes the mark."""
        if self._mark is None:
            return True
        try:
            handle = os.open(self._mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return False
        os.write(handle, f"{self._name} {self._how} {os.getpid()}\n".encode())
        os.close(handle)
        return True


def armed(environment: Mapping[str, str]) -> Strike | None:
    """What an environment asks for; raises ValueError for a wrong word."""
    plan = environment.get(VARIABLE)
    if not plan:
        return None
    mark = environment.get(MARK_VARIABLE)
    seconds = float(environment.get(SECONDS_VARIABLE, HANG_SECONDS))
    return Strike(plan, Path(mark) if mark else None, seconds)


_heard = armed(os.environ)
