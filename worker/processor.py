"""One delivery's way through the worker: parse, decode, detect, and what came of it. Knows no broker."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec import UNSET

from contract.failures import ExpiryReason, FailureReason, InvalidTask
from contract.result import DetectedObject, Result
from contract.task import Task, TaskHead, parse_task
from worker.detection import Detections, ImageError, decode
from worker.detection.detector import Detector
from worker.detection.image import TooManyPixels

HOP = "worker"


@dataclass(frozen=True)
class Computed:
    """A frame with its result. `image` is what the task carried, `stages` are seconds by stage."""

    result: Result
    image: bytes
    stages: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Expired:
    """A live frame that was too old to be worth computing."""

    result: Result


@dataclass(frozen=True)
class Failed:
    """A message that cannot be computed, now or later."""

    reason: FailureReason
    error: str


Processed = Computed | Expired | Failed


class Processor:
    """Computes deliveries with one detector, on one thread."""

    def __init__(
        self,
        detector: Detector,
        node_id: str,
        *,
        staleness: float | None,
        max_pixels: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._detector = detector
        self._node_id = node_id
        self._staleness = staleness
        self._max_pixels = max_pixels
        self._clock = clock

    def process(
        self,
        body: bytes,
        *,
        content_type: str | None,
        headers: Mapping[str, Any],
        message_id: str | None,
        waited: float,
    ) -> Processed:
        """Compute one message; never raises for what the message contains.

        `waited` is the frame's age now, in seconds: the capture time alone does not tell (see `runtime.clocks`).
        """
        try:
            task = parse_task(body, content_type=content_type, headers=headers, message_id=message_id)
        except InvalidTask as error:
            return Failed(error.reason, str(error))
        if self.stale(waited):
            return self.expire(task, waited)
        return self._compute(task, waited)

    def stale(self, waited: float) -> bool:
        """Whether a frame of that age is not worth computing."""
        return self._staleness is not None and waited > self._staleness

    def expire(self, task: Task | TaskHead, waited: float) -> Expired:
        """What is recorded of a frame that was too old. May be called from another thread."""
        return Expired(self._result(task, Detections.none(), (0, 0), 0.0, waited, expired=True))

    def _compute(self, task: Task, waited: float) -> Processed:
        started = time.perf_counter()
        try:
            image = decode(task.image, self._detector.wants, max_pixels=self._max_pixels)
        except TooManyPixels as error:
            return Failed(FailureReason.TOO_MANY_PIXELS, str(error))
        except ImageError as error:
            return Failed(FailureReason.NOT_AN_IMAGE, str(error))
        decoded = time.perf_counter()
        try:
            found = self._detector.detect(image)
        except Exception as error:
            return Failed(FailureReason.DETECTOR_ERROR, f"{type(error).__name__}: {error}")
        detected = time.perf_counter()
        result = self._result(task, found, (image.width, image.height), detected - started, waited)
        return Computed(
            result, task.image, {"queue": waited, "decode": decoded - started, "detect": detected - decoded}
        )

    def _result(
        self,
        task: Task | TaskHead,
        found: Detections,
        size: tuple[int, int],
        seconds: float,
        waited: float,
        expired: bool = False,
    ) -> Result:
        return Result(
            timestamp=self._clock(),
            original_timestamp=task.timestamp,
            node_id=self._node_id,
            detections=objects(found),
            camera_id=task.camera_id,
            frame_id=task.frame_id,
            width=size[0],
            height=size[1],
            model=self._detector.model,
            status="expired" if expired else "ok",
            processing_seconds=round(seconds, 6),
            queue_seconds=round(waited, 6),
            hop=HOP if expired else UNSET,
            reason=ExpiryReason.STALE.value if expired else UNSET,
        )


def objects(found: Detections) -> list[DetectedObject]:
    """The detections as a result carries them: whole pixels, confidence to three digits."""
    boxes = found.boxes.astype(int).tolist()
    confidence = found.confidence.round(3).tolist()
    if found.landmarks is None:
        return [
            DetectedObject(x=x, y=y, w=w, h=h, confidence=round(c, 3), label=label)
            for (x, y, w, h), c, label in zip(boxes, confidence, found.labels, strict=True)
        ]
    points = found.landmarks.astype(int).tolist()
    return [
        DetectedObject(
            x=x, y=y, w=w, h=h, confidence=round(c, 3), label=label, landmarks=[(a, b) for a, b in p]
        )
        for (x, y, w, h), c, label, p in zip(boxes, confidence, found.labels, points, strict=True)
    ]
