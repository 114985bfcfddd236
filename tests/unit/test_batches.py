"""Several frames computed together: each with the outcome that it has alone, and none failing for another."""

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from broker import Delivery
from contract.failures import FailureReason
from contract.topology import Lane
from tests.helpers.images import astronaut, encoded, jpeg, task
from tests.helpers.one import One
from worker import inference
from worker.arrival import Arrival, Completion
from worker.detection import DecodedImage, Detections
from worker.detection.detector import Detector, detect_many
from worker.detection.image import EVERYTHING
from worker.inference import Inference
from worker.intake import Intake
from worker.processor import Computed, Failed, Given, Processed, Processor
from worker.settings import WorkerSettings
from worker.switchboard import Switchboard

FRAME = jpeg(astronaut())
DARK = encoded(np.zeros((40, 60, 3), np.uint8), ".png")
POISON = encoded(np.full((40, 60, 3), 255, np.uint8), ".png")


class Batching:
    """Finds one box as bright as the picture. Fails of a white one, and in a batch takes the others with it."""

    name, model, wants = "batching", "batching@00000000", EVERYTHING

    def __init__(self) -> None:
        self.calls: list[int] = []

    def detect(self, image: DecodedImage) -> Detections:
        return self.detect_many([image])[0]

    def detect_many(self, images: Sequence[DecodedImage]) -> list[Detections]:
        self.calls.append(len(images))
        if any(image.pixels.min() == 255 for image in images):
            raise RuntimeError("white")
        brightness = [image.pixels.mean() / 255 for image in images]
        return [
            Detections(np.array([[0, 0, 9, 9]], np.float32), np.array([b], np.float32), ("light",))
            for b in brightness
        ]


@dataclass
class Two:
    """Tasks that name the model `other` get another detector."""

    usual: Detector
    other: Detector

    def choose(self, model: str | None, camera_id: str) -> Detector:
        return self.other if model == "other" else self.usual


def given(body: bytes, number: int = 0) -> Given:
    return Given(body, None, {}, f"m-{number}", 0.1)


def processor(chooser: One | Two, **options: Any) -> Processor:
    return Processor(chooser, "n", staleness=None, max_pixels=10**6, **options)


def test_a_batch_gives_what_each_frame_gives_alone_in_their_order() -> None:
    bodies = [task(FRAME), b"nonsense", task(DARK), task(b"no image"), task(jpeg(astronaut(), 50))]
    detector = Batching()
    used = processor(One(detector), clock=lambda: 0.0)
    together = used.process_many([given(body, n) for n, body in enumerate(bodies)])
    assert detector.calls == [3]
    alone = [used.process_many([given(body, n)])[0] for n, body in enumerate(bodies)]
    assert [summary(outcome) for outcome in together] == [summary(outcome) for outcome in alone]
    assert [type(outcome) for outcome in together] == [Computed, Failed, Computed, Failed, Computed]


def summary(outcome: Processed) -> object:
    if isinstance(outcome, Failed):
        return outcome
    return outcome.result.frame_id, outcome.result.detections, outcome.result.width, outcome.result.model


def test_only_the_frame_that_fails_alone_fails() -> None:
    detector = Batching()
    outcomes = processor(One(detector)).process_many([given(task(image)) for image in (FRAME, POISON, DARK)])
    assert [isinstance(outcome, Computed) for outcome in outcomes] == [True, False, True]
    assert isinstance(outcomes[1], Failed)
    assert (outcomes[1].reason, outcomes[1].error) == (FailureReason.DETECTOR_ERROR, "RuntimeError: white")
    assert detector.calls == [3, 1, 1, 1]


def test_frames_are_grouped_by_the_model_that_computes_them() -> None:
    usual, other = Batching(), Batching()
    bodies = [task(DARK), task(DARK, model="other"), task(DARK), task(DARK, model="other"), task(DARK)]
    outcomes = processor(Two(usual, other)).process_many([given(body, n) for n, body in enumerate(bodies)])
    assert (usual.calls, other.calls) == ([3], [2])
    results = [outcome.result.frame_id for outcome in outcomes if isinstance(outcome, Computed)]
    assert results == [f"m-{n}" for n in range(5)]


def test_the_detection_of_a_batch_is_shared_between_its_frames() -> None:
    outcomes = processor(One(Batching())).process_many([given(task(FRAME)), given(task(DARK))])
    stages = [outcome.stages for outcome in outcomes if isinstance(outcome, Computed)]
    assert stages[0]["detect"] == stages[1]["detect"] > 0
    assert stages[0]["decode"] > stages[1]["decode"]  # each its own: the one is 512x512, the other 60x40
    for outcome in outcomes:
        assert isinstance(outcome, Computed)
        seconds = outcome.stages["decode"] + outcome.stages["detect"]
        assert outcome.result.processing_seconds == pytest.approx(seconds, abs=1e-6)


class Gone(Batching):
    """A GPU that has fallen off its bus: every call fails."""

    def detect_many(self, images: Sequence[DecodedImage]) -> list[Detections]:
        raise RuntimeError("CUDA error 999")


def test_a_gpu_that_computes_nothing_any_more_ends_the_worker_and_not_the_frames() -> None:
    with pytest.raises(RuntimeError, match="999"):
        processor(One(Gone()), gpu=True).process_many([given(task(DARK))] * 3)
    outcomes = processor(One(Batching()), gpu=True).process_many([given(task(DARK)), given(task(POISON))])
    assert [type(outcome) for outcome in outcomes] == [Computed, Failed]  # it still computes others


def test_a_detector_without_batches_is_asked_one_by_one() -> None:
    class Single:
        name, model, wants = "single", "single@0", EVERYTHING

        def detect(self, image: DecodedImage) -> Detections:
            return Detections.none()

    image = DecodedImage(np.zeros((4, 4, 3), np.uint8), 4, 4)
    assert [len(found) for found in detect_many(Single(), [image, image])] == [0, 0]


# --- the inference thread -------------------------------------------------------------------------------


@dataclass
class FakeDelivery:
    body: bytes
    message_id: str
    redelivered: bool = False
    headers: dict[str, Any] = field(default_factory=dict)
    content_type: str | None = None
    exchange: str = ""


def arrival(number: int, **given: Any) -> Arrival:
    delivery = FakeDelivery(task(DARK), f"m-{number}", **given)
    return Arrival(Intake(Lane.LIVE), cast(Delivery, delivery), camera_id="default")


class Blocking(Batching):
    """Says when it has begun, and goes on when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.let = threading.Semaphore(0), threading.Semaphore(0)

    def detect_many(self, images: Sequence[DecodedImage]) -> list[Detections]:
        self.begun.release()
        assert self.let.acquire(timeout=10)
        return super().detect_many(images)


Batches = queue.SimpleQueue[list[Completion]]


@pytest.fixture
def computed() -> Batches:
    return queue.SimpleQueue()


Begin = Callable[..., Inference]


@pytest.fixture
def begin(tmp_path: Path, computed: Batches) -> Begin:
    def make(detector: Detector, failed: Callable[[str], None] = pytest.fail, **given: Any) -> Inference:
        settings = WorkerSettings(detector="haar", model_cache=tmp_path, **given)
        switchboard = Switchboard(settings)
        return Inference(
            settings,
            switchboard,
            processor(One(detector)),
            lambda items, seconds: computed.put(items),
            failed,
        )

    return make


def ids(items: list[Completion]) -> list[str | None]:
    return [item.delivery.message_id for item in items]


def test_what_waits_is_computed_together_up_to_the_limit_and_nothing_is_waited_for(
    begin: Begin, computed: Batches
) -> None:
    detector = Blocking()
    thread = begin(detector, batch=4)
    thread.start()
    thread.put(arrival(0))
    assert detector.begun.acquire(timeout=10)  # the first is on its way, alone
    for number in range(1, 7):
        thread.put(arrival(number))
    thread.stop()
    for _ in range(3):
        detector.let.release()
    assert [ids(computed.get(timeout=10)) for _ in range(3)] == [
        ["m-0"],
        ["m-1", "m-2", "m-3", "m-4"],
        ["m-5", "m-6"],
    ]


def test_without_batches_every_frame_goes_alone(begin: Begin, computed: Batches) -> None:
    thread = begin(Batching())
    for number in range(3):
        thread.put(arrival(number))
    thread.stop()
    thread.start()
    assert [ids(computed.get(timeout=10)) for _ in range(3)] == [["m-0"], ["m-1"], ["m-2"]]


@pytest.mark.parametrize(
    "again", [{"redelivered": True}, {"headers": {"x-framefleet-attempts": 1}, "exchange": "retry"}]
)
def test_a_frame_that_comes_again_is_computed_apart_and_in_its_turn(
    again: dict[str, Any], begin: Begin, computed: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def apart(settings: WorkerSettings, model: str, suspect: Given) -> Processed:
        asked.append((settings.device, settings.batch_frames, model, suspect.message_id))
        return Failed(FailureReason.CRASHED, "as expected")

    monkeypatch.setattr(inference, "compute_apart", apart)
    thread = begin(Batching(), batch=8, device="cuda")
    for number in range(5):
        thread.put(arrival(number, **(again if number in (2, 4) else {})))
    thread.stop()
    thread.start()
    batches = [computed.get(timeout=10) for _ in range(4)]
    assert [ids(items) for items in batches] == [["m-0", "m-1"], ["m-2"], ["m-3"], ["m-4"]]
    assert asked == [("cpu", 1, "haar", "m-2"), ("cpu", 1, "haar", "m-4")]


def test_a_thread_that_cannot_go_on_says_why(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(_self: Processor, _messages: object) -> list[Processed]:
        raise RuntimeError("no such thing")  # no message's fault, as when the GPU is gone

    monkeypatch.setattr(Processor, "process_many", crash)
    reasons: queue.SimpleQueue[str] = queue.SimpleQueue()
    thread = begin(Batching(), reasons.put)
    thread.put(arrival(0))
    thread.start()
    assert "no such thing" in reasons.get(timeout=10)
