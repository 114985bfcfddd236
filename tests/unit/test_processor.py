"""What becomes of one message: a result, an expiry or a failure with its reason. Never an exception."""

import time

import numpy as np
import pytest
from msgspec import UNSET

from contract.failures import FailureReason
from tests.helpers.images import astronaut, encoded, jpeg, task
from tests.helpers.one import One
from worker.detection import DecodedImage, Detections
from worker.detection.haar import Haar
from worker.detection.image import EVERYTHING
from worker.processor import Computed, Expired, Failed, Processed, Processor, objects

NOW = 1_795_216_000.0


class Broken:
    name, model, wants = "broken", "broken@0", EVERYTHING

    def detect(self, image: DecodedImage) -> Detections:
        raise RuntimeError("out of order")


def process(body: bytes, processor: Processor | None = None, waited: float = 0.25) -> Processed:
    used = processor or Processor(One(Haar()), "n-1", staleness=2.0, max_pixels=10**6, clock=lambda: NOW)
    return used.process(body, content_type=None, headers={}, message_id="m-1", waited=waited)


def test_a_frame_becomes_a_result_that_names_everything() -> None:
    outcome = process(task(jpeg(astronaut()), timestamp=NOW - 0.25, camera_id="gate-3"))
    assert isinstance(outcome, Computed)
    result = outcome.result
    assert (result.camera_id, result.frame_id, result.node_id, result.status) == (
        "gate-3",
        "m-1",
        "n-1",
        "ok",
    )
    assert (result.width, result.height, result.model) == (512, 512, Haar().model)
    assert (result.timestamp, result.original_timestamp, result.queue_seconds) == (NOW, NOW - 0.25, 0.25)
    assert result.processing_seconds > 0
    assert [d.label for d in result.detections] == ["face"]
    assert outcome.image == jpeg(astronaut())


def test_what_a_library_raises_costs_the_message_that_it_raises_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(*_given: object, **_named: object) -> DecodedImage:
        raise MemoryError("out of it")

    monkeypatch.setattr("worker.processor.decode", raises)
    failed = process(task(jpeg(astronaut()), timestamp=NOW))
    assert failed == Failed(FailureReason.WORKER_ERROR, "MemoryError: out of it")


def test_a_stale_live_frame_expires_and_says_where() -> None:
    outcome = process(task(jpeg(astronaut()), timestamp=NOW - 2.1), waited=2.1)
    assert isinstance(outcome, Expired)
    assert (outcome.result.status, outcome.result.hop, outcome.result.reason) == (
        "expired",
        "worker",
        "stale",
    )


def test_without_a_budget_nothing_expires() -> None:
    processor = Processor(One(Haar()), "n", staleness=None, max_pixels=10**6, clock=lambda: NOW)
    assert isinstance(process(task(jpeg(astronaut()), timestamp=1.0), processor, waited=1e9), Computed)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", FailureReason.EMPTY),
        (b"{}", FailureReason.INVALID_TASK),
        (task(b"hello", timestamp=NOW), FailureReason.NOT_AN_IMAGE),
        (task(jpeg(astronaut())[:5000], timestamp=NOW), FailureReason.NOT_AN_IMAGE),
        (
            task(encoded(np.zeros((1100, 1000, 3), np.uint8), ".png"), timestamp=NOW),
            FailureReason.TOO_MANY_PIXELS,
        ),
    ],
)
def test_what_cannot_be_computed_says_why(body: bytes, reason: FailureReason) -> None:
    outcome = process(body)
    assert isinstance(outcome, Failed)
    assert outcome.reason is reason
    assert outcome.error


def test_a_detector_that_raises_fails_the_frame_only() -> None:
    outcome = process(
        task(jpeg(astronaut())),
        Processor(One(Broken()), "n", staleness=None, max_pixels=10**6, clock=time.time),
    )
    assert isinstance(outcome, Failed)
    assert outcome.reason is FailureReason.DETECTOR_ERROR
    assert "out of order" in outcome.error


def test_a_merged_list_has_landmarks_where_a_model_knows_some() -> None:
    points = np.full((2, 5, 2), np.nan, np.float32)
    points[1] = [[1, 2], [3, 4], [5, 6], [7, 8], [9, 10]]
    boxes = np.array([[0, 0, 20, 20], [30, 30, 20, 20]], np.float32)
    found = Detections(boxes, np.array([0.91234, 0.8], np.float32), ("plate", "face"), points)
    one, two = objects(found)
    assert (one.landmarks, one.label, one.confidence) == (UNSET, "plate", 0.912)
    assert (two.landmarks, two.label) == ([(1, 2), (3, 4), (5, 6), (7, 8), (9, 10)], "face")
    assert objects(Detections(boxes, found.confidence, found.labels))[1].landmarks is UNSET
