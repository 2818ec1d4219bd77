"""A load generator over raw HTTP: whole requests built before the clock starts, closed loop.

Every connection sends its next request when the answer to the last one is there. The generators of
the benches are processes of their own: they build, say `ready`, wait for a line, say `go` after
the warm-up and then the result as one line of JSON.
"""

from __future__ import annotations

import asyncio
import gc
import sys
from collections import deque
from collections.abc import Iterable
from typing import cast

import msgspec
import uvloop

from tillbridge.atoms.clock import SystemClock

HOST = "127.0.0.1"
WARM = 1_000
LAST_ANSWER_SECONDS = 30.0


class Load(msgspec.Struct):
    """What the generator saw in the timed part. answers: good ones only; acknowledged:
    with warm-up; body_bytes: of one request.
    """

    answers: int
    acknowledged: int
    others: int
    seconds: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    body_bytes: int


class _Sender(asyncio.Protocol):
    """One connection: the next request as soon as the answer is whole."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._buffer = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected; uvloop's transports are asyncio's in all but name."""
        self._transport = cast("asyncio.Transport", transport)

    def next(self) -> None:
        """Send the next request, or rest when there is none or time is up."""
        self._sent_at = self._run.now()
        request = self._run.request(self._sent_at)
        if request is None:
            self._run.rest()
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """A piece of the answer, usually all of it."""
        self._buffer += data
        head = self._buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        told = self._buffer.find(b"content-length: ", 0, head) + 16
        length = int(self._buffer[told : self._buffer.find(b"\r", told)])
        if len(self._buffer) < head + 4 + length:
            return
        self._run.answered(self._buffer[9:12] == self._run.good, self._run.now() - self._sent_at)
        self._buffer = b""
        self.next()

    def connection_lost(self, exc: Exception | None) -> None:
        """The server cut the connection."""
        self._run.lost()


class _Run:
    """A round of requests over all connections."""

    def __init__(self, good: bytes) -> None:
        self.good = good
        self.now = SystemClock().monotonic
        self._queue: deque[bytes] = deque()
        self._until = 0.0
        self._busy = 0
        self._done = asyncio.Event()
        self.latencies: list[float] = []
        self.others = 0
        self.ended_at = 0.0

    async def round(self, senders: list[_Sender], queue: deque[bytes], seconds: float) -> float:
        """Send until the queue is empty or time is up and every answer is there; seconds taken."""
        self._queue, self.latencies, self.others = queue, [], 0
        self._busy = len(senders)
        self._done.clear()
        began = self.now()
        self._until = began + seconds
        for sender in senders:
            sender.next()
        async with asyncio.timeout(seconds + LAST_ANSWER_SECONDS):
            await self._done.wait()
        return self.ended_at - began

    def request(self, now: float) -> bytes | None:
        """The next request, or None at the end."""
        return self._queue.popleft() if self._queue and now < self._until else None

    def answered(self, good: bool, seconds: float) -> None:  # noqa: FBT001 - one caller
        """Note an answer."""
        if good:
            self.latencies.append(seconds)
        else:
            self.others += 1

    def rest(self) -> None:
        """One connection has nothing more to send."""
        self._busy -= 1
        if not self._busy:
            self.ended_at = self.now()
            self._done.set()

    def lost(self) -> None:
        """A connection was cut: the bench is void unless it is over."""
        if self._busy:
            self.others += 1
            self.rest()


async def play(
    port: int, connections: int, seconds: float, built: deque[bytes], good: bytes
) -> Load:
    """The warm-up and the timed part."""
    loop = asyncio.get_running_loop()
    run = _Run(good)
    senders = []
    for _ in range(connections):
        _, sender = await loop.create_connection(lambda: _Sender(run), HOST, port)
        senders.append(sender)
    warm = deque(built.popleft() for _ in range(min(WARM, len(built))))
    size = len(warm[0].partition(b"\r\n\r\n")[2])
    await run.round(senders, warm, 60.0)
    acknowledged = len(run.latencies)
    print("go", flush=True)
    taken = await run.round(senders, built, seconds)
    times = sorted(run.latencies)
    return Load(
        answers=len(times),
        acknowledged=acknowledged + len(times),
        others=run.others,
        seconds=taken,
        p50_ms=times[len(times) // 2] * 1000,
        p99_ms=times[int(len(times) * 0.99)] * 1000,
        max_ms=times[-1] * 1000,
        body_bytes=size,
    )


def generate(
    built: Iterable[bytes], port: int, connections: int, seconds: float, good: bytes = b"200"
) -> None:
    """Build, wait for a line on standard input, play, tell. good: the status that counts."""
    waiting = deque(built)
    gc.collect()
    gc.disable()
    print("ready", flush=True)
    sys.stdin.readline()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(play(port, connections, seconds, waiting, good))
    print(msgspec.json.encode(found).decode(), flush=True)
