"""Messages through a pipe, of a process that is stopped in between and goes on."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from tests.helpers.processes import ROOT

MESSAGE = 44_514
"""Bytes; more than fits beside another one in a pipe of 64 KiB."""
SENDER = f"""
from runtime.pipes import write_whole
for number in range(100):
    write_whole(1, number.to_bytes(4), bytes([number]) * {MESSAGE})
"""


@pytest.fixture
def sender() -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", SENDER], stdout=subprocess.PIPE, cwd=ROOT)


def test_a_message_is_whole_whatever_stops_its_writer(sender: "subprocess.Popen[bytes]") -> None:
    assert sender.stdout is not None
    pipe = sender.stdout.fileno()
    over = threading.Event()

    def stop_again_and_again() -> None:
        while not over.wait(0.01):
            sender.send_signal(signal.SIGSTOP)
            over.wait(0.01)
            sender.send_signal(signal.SIGCONT)

    def exactly(size: int) -> bytes:
        data = b""
        while len(data) < size and (more := os.read(pipe, size - len(data))):
            data += more
        return data

    stopping = threading.Thread(target=stop_again_and_again)
    stopping.start()
    try:
        for number in range(100):
            assert int.from_bytes(exactly(4)) == number
            over.wait(0.003)  # so that it writes into a full pipe when it is stopped
            assert exactly(MESSAGE) == bytes([number]) * MESSAGE
        assert exactly(1) == b""
    finally:
        over.set()
        stopping.join()
        sender.kill()
        sender.wait()
        sender.stdout.close()
