"""The first signal asks for a stop, the second ends the process: with an asyncio loop and without."""

import signal
import subprocess
import sys

import pytest

THREADED = """
import queue, time
from runtime.signals import stop_on_signal
ended = queue.SimpleQueue()
stop_on_signal(lambda: ended.put(None))
print("ready", flush=True)
ended.get()
print("stopping", flush=True)
time.sleep(60 if SLOW else 0)
"""
ASYNCIO = """
import asyncio
from runtime.signals import stop_on_signal
async def main():
    asked = asyncio.Event()
    stop_on_signal(asked.set)
    print("ready", flush=True)
    await asked.wait()
    print("stopping", flush=True)
    await asyncio.sleep(60 if SLOW else 0)
asyncio.run(main())
"""


def started(program: str, *, slow: bool) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", f"SLOW = {slow}\n{program}"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("program", [THREADED, ASYNCIO], ids=["threaded", "asyncio"])
def test_the_first_signal_asks_for_a_clean_stop(program: str, number: signal.Signals) -> None:
    with started(program, slow=False) as process:
        process.send_signal(number)
        assert process.wait(20) == 0


@pytest.mark.parametrize("program", [THREADED, ASYNCIO], ids=["threaded", "asyncio"])
def test_the_second_ends_the_process_at_once(program: str) -> None:
    with started(program, slow=True) as process:
        process.send_signal(signal.SIGINT)
        assert process.stdout is not None
        assert process.stdout.readline() == "stopping\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 128 + signal.SIGTERM
