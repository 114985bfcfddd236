"""SIGTERM and SIGINT: the first asks the service to stop cleanly, the second ends the process at once."""

import asyncio
import os
import signal
from collections.abc import Callable
from types import FrameType

NUMBERS = (signal.SIGTERM, signal.SIGINT)


def stop_on_signal(stop: Callable[[], None]) -> None:
    """Call `stop` at the first signal, and never again. Call this on the main thread.

    With an asyncio loop running here, `stop` runs on that loop. Without one it runs inside the signal handler,
    between any two instructions of the main thread: it must do nothing but set a flag or put into a SimpleQueue.
    """
    asked = False

    def received(number: int, _frame: FrameType | None = None) -> None:
        nonlocal asked
        if asked:
            os._exit(128 + number)
        asked = True
        stop()

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        for number in NUMBERS:
            signal.signal(number, received)
    else:
        for number in NUMBERS:
            loop.add_signal_handler(number, received, number)
