"""`python -m tests.helpers.misbehaving_child`: a worker's child that was taken over, as the message's id says."""

import os
import pickle
import signal
import socket
import sys
import time
from pathlib import Path

import msgspec

from contract.failures import FailureReason
from contract.result import Result
from contract.task import parse_head
from runtime.confinement import confine
from worker.child import MEMORY
from worker.isolation import LARGEST, ChildAnswer, Suspect
from worker.processor import Computed, Failed


def main() -> None:
    line = socket.socket(fileno=sys.stdin.fileno())
    with line.makefile("rb") as stream:
        order: Suspect = pickle.load(stream)  # noqa: S301
    match order.given.message_id:
        case "deadly":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "endless":
            time.sleep(60)
        case "pickle":
            line.sendall(pickle.dumps(ChildAnswer()))
        case "flood":
            with open(line.fileno(), "wb", closefd=False) as out:
                for _ in range(LARGEST // 1_000_000 + 2):
                    out.write(bytes(1_000_000))
        case "of another camera":
            line.sendall(answer(order, camera_id="gate-3"))
        case "of another frame":
            line.sendall(answer(order, frame_id="gate-3:1:1"))
        case "empty":
            line.sendall(msgspec.msgpack.encode(ChildAnswer()))
        case "exhausting":
            confine(memory=MEMORY, network=False, seconds=1)
            while True:
                pass
        case "wordy":
            line.sendall(failure("x" * 1_000_000))
        case "telling":
            environment = Path("/proc/self/environ").read_text()
            line.sendall(failure(f"{environment} {order.settings.model_dump()}"))
        case "greedy":
            confine(memory=MEMORY, network=False)
            try:
                bytearray(MEMORY)
            except MemoryError as error:
                line.sendall(failure(type(error).__name__))


def answer(order: Suspect, **other: str) -> bytes:
    """An answer that would be a good one, were it not for `other`."""
    given = order.given
    head = parse_head(given.body, content_type=given.content_type, headers=given.headers)
    result = Result(
        camera_id=head.camera_id,
        frame_id=head.frame_id,
        node_id=order.settings.node_id,
        timestamp=1.0,
        original_timestamp=head.timestamp,
        detections=[],
        width=1,
        height=1,
        model="haar",
        status="ok",
        processing_seconds=0.0,
        queue_seconds=0.0,
    )
    return msgspec.msgpack.encode(
        ChildAnswer(computed=Computed(msgspec.structs.replace(result, **other), b""))
    )


def failure(words: str) -> bytes:
    return msgspec.msgpack.encode(ChildAnswer(failed=Failed(FailureReason.DETECTOR_ERROR, words)))


if __name__ == "__main__":
    main()
