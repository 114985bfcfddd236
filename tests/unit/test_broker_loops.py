"""A loop in a thread of its own: it ends with an exception, and says so once."""

import threading

from broker import ThreadLoop
from tests.helpers.eventually import eventually


def test_what_nothing_has_caught_ends_the_thread_and_is_told() -> None:
    crashed: list[str] = []
    loop = ThreadLoop(crashed.append)
    loop.start()
    ran = threading.Event()
    loop.call_soon_threadsafe(ran.set)
    assert ran.wait(5)
    assert loop.alive

    def crash() -> None:
        raise ZeroDivisionError("no such thing")

    loop.call_soon_threadsafe(crash)
    eventually("it ends", lambda: not loop.alive)
    assert crashed == ["the broker's thread crashed: ZeroDivisionError: no such thing"]
    loop.stop()


def test_after_its_end_nothing_happens_and_nothing_is_raised() -> None:
    crashed: list[str] = []
    loop = ThreadLoop(crashed.append)
    loop.start()
    loop.stop()
    assert not loop.alive
    loop.call_soon_threadsafe(lambda: None)  # the inference thread may be late
    assert not crashed
