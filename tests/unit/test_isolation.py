"""A frame that kills the process that computes it kills a child, and says so."""

import os
import signal
import time

import pytest

from contract.failures import FailureReason
from tests.helpers.images import astronaut, jpeg, task
from worker import isolation
from worker.isolation import compute_apart
from worker.processor import Computed, Failed, Given
from worker.settings import WorkerSettings

SETTINGS = WorkerSettings(detector="haar", node_id="n-1")


def suspect(body: bytes) -> Given:
    return Given(body, "application/json", {}, "m-1", 0.1)


def test_a_good_frame_comes_back_computed() -> None:
    outcome = compute_apart(SETTINGS, "haar", suspect(task(jpeg(astronaut()))))
    assert isinstance(outcome, Computed)
    assert outcome.result.detections
    assert outcome.result.node_id == "n-1"


def test_a_bad_frame_comes_back_with_its_reason() -> None:
    outcome = compute_apart(SETTINGS, "haar", suspect(b"{}"))
    assert isinstance(outcome, Failed)
    assert outcome.reason is FailureReason.INVALID_TASK


def misbehave(answer: object, settings: WorkerSettings, model: str, suspect: Given) -> None:
    """What the child runs instead: `message_id` says how it ends."""
    if suspect.message_id == "deadly":
        os.kill(os.getpid(), signal.SIGSEGV)
    time.sleep(60)


@pytest.mark.parametrize(
    ("how", "timeout", "said"), [("deadly", 20.0, "SIGSEGV"), ("endless", 3.0, "no answer within 3 s")]
)
def test_a_child_that_dies_or_hangs_is_a_crash(
    how: str, timeout: float, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(isolation, "_compute", misbehave)
    outcome = compute_apart(SETTINGS, "haar", Given(b"x", None, {}, how, 0.1), timeout=timeout)
    assert isinstance(outcome, Failed)
    assert outcome.reason is FailureReason.CRASHED
    assert said in outcome.error
