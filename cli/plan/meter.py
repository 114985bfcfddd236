"""The common part of the measuring processes: a question on standard input, an answer on standard output."""

import json
import sys
import time
from base64 import b64decode
from collections.abc import Callable
from statistics import median
from typing import Any

import psutil

from cli.logs import quiet_logs

CHUNK_SECONDS = 0.08
STEPS = 1_000


def answer(measure: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Read the question, measure, write the answer as JSON.

    A failure that the operator can mend (ValueError, OSError and what derives from them, ModelUnavailable) is
    answered as `error`, a sentence.
    """
    from worker.models import InvalidRegistry, ModelUnavailable, UnknownModel

    quiet_logs()
    try:
        answered = measure(json.load(sys.stdin))
    except (ValueError, OSError, InvalidRegistry, ModelUnavailable, UnknownModel) as error:
        answered = {"error": str(error)}
    json.dump(answered, sys.stdout)


def milliseconds(step: Callable[[int], object], seconds: float) -> float:
    """Measure the CPU time of this process for one `step(n)`, in ms: the median of chunks, for about so many `seconds`.

    CPU and not wall time: others use this machine too. The first chunk warms up.
    """
    each: list[float] = []
    n = 0
    until = time.monotonic() + seconds
    while len(each) < 3 or time.monotonic() < until:
        count, begun, spent = 0, time.monotonic(), time.process_time()
        while count == 0 or time.monotonic() - begun < CHUNK_SECONDS:
            step(n)
            n += 1
            count += 1
        each.append(1000 * (time.process_time() - spent) / count)
    return median(each[1:])


def yardstick(seconds: float = 0.4) -> float:
    """Measure the CPU ms of a fixed piece of plain Python: how fast this machine runs what is not measured here.

    Attribute access, small dictionaries and bytes, as an AMQP client spends its time on.
    """

    def step(_n: int) -> None:
        seen: dict[int, bytes] = {}
        for number in range(STEPS):
            part = number.to_bytes(4, "big")
            seen[number & 63] = part + b"\x00\xce"
            int.from_bytes(part, "big")

    return milliseconds(step, seconds)


def resident_bytes() -> int:
    """Return the resident memory of this process, now."""
    return int(psutil.Process().memory_info().rss)


def given_pictures(question: dict[str, Any]) -> list[bytes]:
    """Return the JPEGs that a question brings."""
    return [b64decode(each) for each in question["pictures"]]
