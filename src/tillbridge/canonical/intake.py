"""The thin record that intake writes: a message arrived; its bytes are in `message`."""

from __future__ import annotations

from datetime import datetime

from tillbridge.canonical.fact import Command


class Received(Command, frozen=True, kw_only=True, omit_defaults=True):
    """A delivery was stored. key: the aggregate it is about, as far as headers or a shallow look
    tell, else the delivery's own key. id: the delivery id. message: row id of the raw body.
    """

    connection: str
    topic: str
    message: int
    received_at: datetime


class RereadObject(Command, frozen=True, kw_only=True, omit_defaults=True):
    """Ask publishing to read an object from its vendor again; the answer comes as a message.

    background: nobody waits for it (a sweep), so it goes behind everything else.
    """

    connection: str
    topic: str
    reference: str
    background: bool = False
