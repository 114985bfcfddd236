"""Computing a suspect frame in a process that may die of it.

A frame that comes again has perhaps killed the worker that had it. It is computed in a child of its own, started
afresh (spawn: nothing of this process's threads and locks) and thrown away, so that such a frame kills one worker.
"""

import multiprocessing
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import cv2

from contract.failures import FailureReason
from worker.choice import choose_detector, make_processor
from worker.processor import Failed, Processed
from worker.settings import WorkerSettings

TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True)
class Suspect:
    """What the child needs of a delivery; `waited` is the frame's age in seconds."""

    body: bytes
    content_type: str | None
    headers: Mapping[str, Any]
    message_id: str | None
    waited: float


def compute_apart(
    settings: WorkerSettings, detector: str, suspect: Suspect, *, timeout: float = TIMEOUT_SECONDS
) -> Processed:
    """Compute in a child with the detector of that name.

    A child that dies, or says nothing for `timeout` seconds, is a failure `crashed`.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(
        target=_compute,
        args=(theirs, settings.model_copy(update={"detector": detector}), suspect),
        name="suspect",
        daemon=True,
    )
    child.start()
    theirs.close()
    try:
        if not ours.poll(timeout):
            return Failed(FailureReason.CRASHED, f"no answer within {timeout:.0f} s, computed apart")
        outcome: Processed = ours.recv()
    except EOFError:
        child.join(5)
        return Failed(FailureReason.CRASHED, f"the process that computed it apart {_ended(child.exitcode)}")
    else:
        return outcome
    finally:
        ours.close()
        child.kill()
        child.join(5)


def _ended(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        return f"was ended by {signal.Signals(-exitcode).name}"
    return f"ended with exit code {exitcode}"


def _compute(answer: Connection, settings: WorkerSettings, suspect: Suspect) -> None:
    """The child's whole life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the worker, which drains
    cv2.setNumThreads(1)
    outcome = make_processor(settings, choose_detector(settings).detector).process(
        suspect.body,
        content_type=suspect.content_type,
        headers=suspect.headers,
        message_id=suspect.message_id,
        waited=suspect.waited,
    )
    answer.send(outcome)
    answer.close()
