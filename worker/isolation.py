"""Computing a suspect frame in a process that may die of it.

A frame that comes again has perhaps killed the worker that had it. It is computed in a child of its own, started
afresh (spawn: nothing of this process's threads and locks) and thrown away, so that such a frame kills one worker.
"""

import multiprocessing
import signal
from multiprocessing.connection import Connection

import cv2

from contract.failures import FailureReason
from contract.models import DesiredModels
from worker.processor import Failed, Given, Processed, make_processor
from worker.settings import WorkerSettings
from worker.switchboard import Switchboard

TIMEOUT_SECONDS = 30.0


def compute_apart(
    settings: WorkerSettings, model: str, suspect: Given, *, timeout: float = TIMEOUT_SECONDS
) -> Processed:
    """Compute in a child, with the model of that specification unless the task names one itself.

    A child that dies, or says nothing for `timeout` seconds, is a failure `crashed`.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(
        target=_compute,
        args=(theirs, settings, model, suspect),
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


def _compute(answer: Connection, settings: WorkerSettings, model: str, suspect: Given) -> None:
    """The child's whole life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the worker, which drains
    cv2.setNumThreads(1)
    switchboard = Switchboard(settings)
    switchboard.hear(DesiredModels(revision=1, cluster=model))
    switchboard.reconcile()
    (outcome,) = make_processor(settings, switchboard).process_many([suspect])
    answer.send(outcome)
    answer.close()
