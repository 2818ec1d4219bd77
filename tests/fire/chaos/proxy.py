"""A TCP proxy that makes weather: delay, slices, resets, cuts, silence per direction, a shut door.

One thread with an event loop carries all connections of one proxy. The weather may be changed at
any time; `cut` ends everything under way at once. Chance comes from a seed.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Coroutine
from typing import Any

import msgspec

CHUNK = 65_536
LINGER_NONE = struct.pack("ii", 1, 0)
"""SO_LINGER: close with a reset, so that the other side learns it as an error."""


class Weather(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to traffic. delay, jitter: seconds per piece. slices: bytes per piece, 0 = as it
    comes. reset: chance per piece that the connection is reset. cut_after: bytes of one direction
    after which the connection is reset, 0 = never. silent_up, silent_down: what is sent is never
    passed on (towards the server, towards the client). refuse: no new connection is taken.
    """

    delay: float = 0.0
    jitter: float = 0.0
    slices: int = 0
    reset: float = 0.0
    cut_after: int = 0
    silent_up: bool = False
    silent_down: bool = False
    refuse: bool = False


FAIR = Weather()


class Proxy:
    """Listens at `port` on 127.0.0.1 and passes on to `target`. Begins at once; `close` ends it."""

    def __init__(self, port: int, target: int, seed: int) -> None:
        self.port = port
        self.weather = FAIR
        self.cuts = 0
        self._target = target
        self._dice = random.Random(seed)  # noqa: S311 - weather, no secret
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._carry, "127.0.0.1", port))

    def cut(self) -> int:
        """Reset every connection under way; gives how many."""
        return int(self._run(self._cut_all()))

    def close(self) -> None:
        """Shut the door and cut all."""
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=10)

    async def _end(self) -> None:
        self._server.close()
        await self._cut_all()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _cut_all(self) -> int:
        found = len(self._open) // 2
        for writer in list(self._open):
            self._reset(writer)
        return found

    def _reset(self, writer: asyncio.StreamWriter) -> None:
        plug: socket.socket | None = writer.get_extra_info("socket")
        if plug is not None and writer in self._open:
            self._open.discard(writer)
            with contextlib.suppress(OSError):  # it is closed already
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
            writer.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        if self.weather.refuse:
            self._reset(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            self._reset(writer)
            return
        self._open.add(far_writer)
        pair = (writer, far_writer)
        up = self._pump(reader, far_writer, pair, up=True)
        down = self._pump(far_reader, writer, pair, up=False)
        try:
            await asyncio.gather(up, down)
        except asyncio.CancelledError:
            return  # the proxy ends; nobody waits for this task
        finally:
            for one in (writer, far_writer):
                self._open.discard(one)
                one.close()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        pair: tuple[asyncio.StreamWriter, ...],
        *,
        up: bool,
    ) -> None:
        """Pass one direction on until it ends; an end is passed on as an end."""
        passed = 0
        try:
            while piece := await reader.read(self.weather.slices or CHUNK):
                weather = self.weather
                if weather.delay or weather.jitter:
                    await asyncio.sleep(weather.delay + weather.jitter * self._dice.random())
                if weather.silent_up if up else weather.silent_down:
                    continue
                passed += len(piece)
                struck = weather.reset and self._dice.random() < weather.reset
                if struck or 0 < weather.cut_after < passed:
                    self.cuts += 1
                    break
                writer.write(piece)
                await writer.drain()
            else:
                if writer.can_write_eof():
                    writer.write_eof()
                return
        except OSError:
            pass
        for one in pair:
            self._reset(one)
