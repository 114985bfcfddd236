"""`python -m worker.child`: carries out one order of worker.isolation, confined, and ends.

Models are loaded before: those of a suspect were tried already, and a trial's own file is only read.
"""

import contextlib
import os
import pickle
import signal
import socket
import sys
from pathlib import Path

import cv2
import msgspec

from contract.errors import InvalidModelSpec, InvalidTask
from contract.models import DesiredModels
from contract.task import parse_task
from runtime.confinement import confine
from worker.detection.detector import warm_up
from worker.errors import UnknownModel
from worker.isolation import TIMEOUT_SECONDS, TRIAL_SECONDS, ChildAnswer, Suspect, Trial
from worker.loader import build_detector
from worker.processor import Computed, Expired, Failed, make_processor
from worker.sender_rules import check_model, renamed
from worker.switchboard import Switchboard

MEMORY = 3_000_000_000  # bytes: the largest picture that is taken, decoded, and a large model


def main() -> int:
    """Hear the order, carry it out, answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the worker, which drains
    cv2.setNumThreads(1)
    with socket.socket(fileno=sys.stdin.fileno()) as line:
        with line.makefile("rb") as stream:
            order: Suspect | Trial = pickle.load(stream)  # noqa: S301 - the worker is who we trust
        answer = _compute(order) if isinstance(order, Suspect) else _load(order)
        line.sendall(msgspec.msgpack.encode(answer))
    return 0


def _compute(suspect: Suspect) -> ChildAnswer:
    switchboard = Switchboard(suspect.settings, trial=lambda *_: None)
    switchboard.hear(DesiredModels(revision=1, cluster=suspect.model))
    switchboard.reconcile()
    given = suspect.given
    with contextlib.suppress(InvalidTask, InvalidModelSpec, UnknownModel):  # told when it is computed
        task = parse_task(
            given.body,
            content_type=given.content_type,
            headers=given.headers,
            message_id=given.message_id,
        )
        task = renamed(task, given.sender)
        check_model(task.model, given.sender)
        switchboard.choose(task.model, task.camera_id)  # the model that it names is loaded, too
    processor = make_processor(suspect.settings, switchboard)
    _confine(round(TIMEOUT_SECONDS))
    (outcome,) = processor.process_many([given])
    return ChildAnswer(
        computed=outcome if isinstance(outcome, Computed) else None,
        expired=outcome if isinstance(outcome, Expired) else None,
        failed=outcome if isinstance(outcome, Failed) else None,
    )


def _load(trial: Trial) -> ChildAnswer:
    # Open and in memory it can be read whoever this process becomes, and it lies in no folder: no file is beside it.
    file = os.memfd_create("model")
    try:
        with open(file, "wb", closefd=False) as copy:
            copy.write(Path(trial.path).read_bytes())
        # Weights in other files are looked for in the working directory; here is none that a confined process may read.
        os.chdir("/dev")
        _confine(round(TRIAL_SECONDS))
        detector = build_detector(trial.entry, Path(f"/proc/self/fd/{file}"), trial.settings)
        warm_up(detector)
    except Exception as error:  # what a file can do to ONNX Runtime has many names and no base class
        return ChildAnswer(refused=str(error) or type(error).__name__)
    return ChildAnswer()


def _confine(seconds: int) -> None:
    for failed in confine(memory=MEMORY, network=False, seconds=seconds):
        print(f"a child of the worker is not confined by {failed}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
