"""One ring wakes one who waits."""

from __future__ import annotations

import threading
import time

from tillbridge.app.bell import Bell

WAIT_SECONDS = 20.0


def test_a_ring_wakes_one_of_those_who_wait_and_the_next_ring_the_next() -> None:
    bell, woken = Bell(), threading.Semaphore(0)

    def wait() -> None:
        if bell.wait(WAIT_SECONDS):
            woken.release()

    threads = [threading.Thread(target=wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in threads:
        bell.ring()
        assert woken.acquire(timeout=WAIT_SECONDS)
        assert not woken.acquire(timeout=0.05), "one ring woke two"
    for thread in threads:
        thread.join()


def test_a_ring_that_nobody_heard_is_heard_by_the_next_to_wait_once() -> None:
    bell = Bell()
    bell.ring()
    bell.ring()
    assert bell.wait(WAIT_SECONDS)
    began = time.monotonic()
    assert not bell.wait(0.05)
    assert time.monotonic() - began >= 0.04
