"""What the handlers of the API work with, made once per HTTP process."""

from __future__ import annotations

from tillbridge.app.api.sessions import Sessions
from tillbridge.app.settings import Settings
from tillbridge.atoms.clock import Clock, SystemClock
from tillbridge.atoms.ids import Ids, SystemIds
from tillbridge.inbox.webhooks import Writer


class Resources:
    """The workspace's settings, time, sessions for single questions, and intake's writer."""

    def __init__(
        self,
        url: str,
        settings: Settings,
        intake: Writer,
        *,
        clock: Clock | None = None,
        ids: Ids | None = None,
    ) -> None:
        """Opens nothing; intake: started and stopped by whoever made it."""
        self.settings = settings
        self.intake = intake
        self.clock = clock or SystemClock()
        self.ids = ids or SystemIds()
        self.sessions = Sessions(url)

    def start(self) -> None:
        """Begin to work; called in the process that serves, before the first request."""

    def stop(self) -> None:
        """Finish what is under way and close."""
        self.sessions.close()
