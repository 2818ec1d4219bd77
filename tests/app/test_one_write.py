"""What is written in one turn of the loop leaves at its end, in one piece, and nothing is lost."""

from __future__ import annotations

import asyncio
from typing import Any

from tillbridge.app.one_write import OneWrite


class Wire(asyncio.Transport):
    """Notes what reaches it."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[Any] = []

    def write(self, data: Any) -> None:
        self.noted.append(bytes(data))

    def close(self) -> None:
        self.noted.append("closed")

    def abort(self) -> None:
        self.noted.append("aborted")


def noted(*acts: str) -> list[Any]:
    """What reaches the wire when an answer is written and then these are done."""

    async def play() -> list[Any]:
        wire = Wire()
        door = OneWrite(wire, asyncio.get_running_loop())
        door.write(b"head ")
        door.write(b"body")
        assert wire.noted == []
        for act in acts:
            getattr(door, act)()
        await asyncio.sleep(0)
        door.write(b"next")
        await asyncio.sleep(0)
        return wire.noted

    return asyncio.run(play())


def test_head_and_body_leave_together_and_the_next_answer_after_them() -> None:
    assert noted() == [b"head body", b"next"]


def test_a_connection_that_is_closed_sends_what_was_written_first() -> None:
    assert noted("close")[:2] == [b"head body", "closed"]


def test_a_connection_that_is_aborted_sends_nothing_of_it() -> None:
    assert noted("abort")[:2] == ["aborted", b"next"]
