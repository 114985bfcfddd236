"""A frame that kills the process that computes it kills a child, and says so."""

import os
import signal
import time

import pytest

from contract.failures import FailureReason
from tests.helpers.images import astronaut, jpeg, task
from worker import isolated
from worker.isolated import Suspect, compute_apart
from worker.processor import Computed, Failed, Processor
from worker.settings import WorkerSettings

SETTINGS = WorkerSettings(detector="haar", NODE_ID="n-1")


def suspect(body: bytes) -> Suspect:
    return Suspect(body, "application/json", {}, "m-1", 0.1)


def test_a_good_frame_comes_back_computed() -> None:
    outcome = compute_apart(SETTINGS, "haar", suspect(task(jpeg(astronaut()))))
    assert isinstance(outcome, Computed)
    assert outcome.result.detections
    assert outcome.result.node_id == "n-1"


def test_a_bad_frame_comes_back_with_its_reason() -> None:
    outcome = compute_apart(SETTINGS, "haar", suspect(b"{}"))
    assert isinstance(outcome, Failed)
    assert outcome.reason is FailureReason.INVALID_TASK


class Deadly(Processor):
    def process(self, *args: object, **kwargs: object) -> Computed:  # type: ignore[override]
        os.kill(os.getpid(), signal.SIGSEGV)
        raise AssertionError("still alive")


class Endless(Processor):
    def process(self, *args: object, **kwargs: object) -> Computed:  # type: ignore[override]
        time.sleep(60)
        raise AssertionError("awake")


def deadly(settings: WorkerSettings, detector: object) -> Processor:
    return Deadly(None, "n", staleness=None, max_pixels=1)  # type: ignore[arg-type]


def endless(settings: WorkerSettings, detector: object) -> Processor:
    return Endless(None, "n", staleness=None, max_pixels=1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "timeout", "said"), [(deadly, 20.0, "SIGSEGV"), (endless, 3.0, "no answer within 3 s")]
)
def test_a_child_that_dies_or_hangs_is_a_crash(
    make: object, timeout: float, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The child is started afresh and knows nothing of monkeypatching: what it is to run is handed to it.
    monkeypatch.setattr(isolated, "_compute", run_with)
    settings = SETTINGS
    outcome = compute_apart(settings, make.__name__, suspect(b"x"), timeout=timeout)  # type: ignore[attr-defined]
    assert isinstance(outcome, Failed)
    assert outcome.reason is FailureReason.CRASHED
    assert said in outcome.error


def run_with(answer: object, settings: WorkerSettings, suspect: Suspect) -> None:
    {"deadly": deadly, "endless": endless}[settings.detector](settings, None).process()
