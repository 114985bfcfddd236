"""One delivery's way through the worker: parse, decode, detect, and what came of it. Knows no broker."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from contract.errors import InvalidModelSpec, InvalidTask
from contract.failures import ExpiryReason, FailureReason
from contract.picture import PictureError
from contract.remedies import WHOLE_PICTURE
from contract.result import DetectedObject, Result
from contract.senders import Sender
from contract.task import Task, TaskHead, parse_task
from contract.topology import Lane
from runtime.logs import get_logger
from worker.cache import Finding, Key, ResultCache
from worker.detection import DecodedImage, Detections, decode
from worker.detection.detector import Detector, detect_many, detects
from worker.detection.image import TooManyPixels
from worker.errors import UnknownModel
from worker.recipes import recipe_of
from worker.sender_rules import check_model, renamed, too_many_pixels
from worker.settings import WorkerSettings

log = get_logger("worker")

HOP = "worker"


@dataclass(frozen=True)
class Given:
    """What computing needs of a message; `waited` is the frame's age now, in seconds.

    The capture time alone does not tell how old a frame is (see `runtime.clocks`). `sender` is who sent it, where that
    has a name: known by the queue, not by the message.
    """

    body: bytes
    content_type: str | None
    headers: Mapping[str, Any]
    message_id: str | None
    waited: float
    sender: Sender | None = None


@dataclass(frozen=True)
class Computed:
    """A frame with its result. `image` is what the task carried, `stages` are seconds by stage.

    `cached`: whether the detections came from the result cache; None without one.
    """

    result: Result
    image: bytes
    stages: Mapping[str, float] = field(default_factory=dict)
    cached: bool | None = None


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


@dataclass(frozen=True)
class PutBack:
    """Of a frame that nobody may compute now: it goes back to its queue as it came, and no attempt is counted."""


T = TypeVar("T")


class Chooser(Protocol):
    """Knows which detector computes a frame; see `worker.switchboard`."""

    def choose(self, model: str | None, camera_id: str) -> Detector:
        """Choose for a frame of that camera whose task names `model`. Raises UnknownModel or InvalidModelSpec."""


@dataclass(frozen=True)
class _Decoded:
    """A frame that is ready for its detector. Times in seconds; `key` is its place in the result cache."""

    task: Task
    waited: float
    sender: Sender | None
    detector: Detector
    image: DecodedImage
    seconds: float
    key: Key | None


class Processor:
    """Computes deliveries, on one thread. `cache` perhaps spares it pictures that came before.

    `gpu`: a detector that has failed is tried on a blank picture too. If it fails again, the GPU is gone, and the
    exception ends the worker: restarted it computes, on the CPU if need be, instead of dead-lettering every frame.
    `tells_recipe`: results say by which recipe they were computed (`worker.recipes`).
    """

    def __init__(
        self,
        detectors: Chooser,
        node_id: str,
        *,
        staleness: float | None,
        max_pixels: int,
        cache: ResultCache | None = None,
        clock: Callable[[], float] = time.time,
        gpu: bool = False,
        tells_recipe: bool = False,
    ) -> None:
        self._detectors = detectors
        self._node_id = node_id
        self._staleness = staleness
        self._max_pixels = max_pixels
        self._cache = cache
        self._clock = clock
        self._gpu = gpu
        self._tells_recipe = tells_recipe

    def process(
        self,
        body: bytes,
        *,
        content_type: str | None,
        headers: Mapping[str, Any],
        message_id: str | None,
        waited: float,
    ) -> Processed:
        """Compute one message; never raises for what the message contains. `waited` is the frame's age, in seconds."""
        return self.process_many([Given(body, content_type, headers, message_id, waited)])[0]

    def process_many(self, messages: Sequence[Given]) -> list[Processed]:
        """Compute messages, those with the same model together; what becomes of one is no matter of the others.

        `processing_seconds` is a frame's own decoding and its share of the detection that it was part of.
        """
        outcomes: list[Processed | None] = [None] * len(messages)
        together: dict[int, list[tuple[int, _Decoded]]] = {}
        for number, message in enumerate(messages):
            decoded = _costs_one(partial(self._decode, message))
            if isinstance(decoded, _Decoded):
                together.setdefault(id(decoded.detector), []).append((number, decoded))
            else:
                outcomes[number] = decoded
        for group in together.values():
            started = time.perf_counter()
            found = self._detect(group[0][1].detector, [decoded.image for _, decoded in group])
            share = (time.perf_counter() - started) / len(group)
            for (number, decoded), detections in zip(group, found, strict=True):
                outcomes[number] = _costs_one(partial(self._outcome, decoded, detections, share))
        return [outcome for outcome in outcomes if outcome is not None]

    def stale(self, waited: float) -> bool:
        """Tell whether a frame of that age is not worth computing."""
        return self._staleness is not None and waited > self._staleness

    def expire(self, task: Task | TaskHead, waited: float, sender: Sender | None = None) -> Expired:
        """Make the record of a frame that was too old. May be called from another thread."""
        model = self._detectors.choose(None, task.camera_id).model
        return Expired(
            self._result(task, model, Detections.none(), (0, 0), 0.0, waited, sender, expired=True)
        )

    def _decode(self, message: Given) -> _Decoded | Processed:
        """Do all but the detection: returns a frame that needs it, or what came of the message without."""
        waited, sender = message.waited, message.sender
        try:
            task = parse_task(
                message.body,
                content_type=message.content_type,
                headers=message.headers,
                message_id=message.message_id,
            )
            task = renamed(task, sender)
            check_model(task.model, sender)
            if self.stale(waited):
                return self.expire(task, waited, sender)
            detector = self._detectors.choose(task.model, task.camera_id)
        except InvalidTask as error:
            return Failed(error.reason, str(error))
        except (UnknownModel, InvalidModelSpec) as error:
            return Failed(FailureReason.UNKNOWN_MODEL, str(error))
        started = time.perf_counter()
        key = self._cache.key(task.image, detector.model) if self._cache else None
        if self._cache and key and (seen := self._cache.get(key)):
            seconds = time.perf_counter() - started
            size = (seen.width, seen.height)
            result = self._result(task, detector.model, seen.found, size, seconds, waited, sender)
            return Computed(self._signed(result, detector), task.image, {"queue": waited}, cached=True)
        most = self._max_pixels if sender is None else min(self._max_pixels, sender.max_pixels)
        try:
            image = decode(task.image, detector.wants, max_pixels=most)
        except TooManyPixels as error:
            return Failed(
                FailureReason.TOO_MANY_PIXELS, too_many_pixels(str(error), self._max_pixels, sender)
            )
        except PictureError as error:
            return Failed(FailureReason.NOT_AN_IMAGE, f"{error}: {WHOLE_PICTURE}")
        return _Decoded(task, waited, sender, detector, image, time.perf_counter() - started, key)

    def _detect(self, detector: Detector, images: Sequence[DecodedImage]) -> list[Detections | Exception]:
        """Detections of each image. If they fail together, each is tried alone: only the culprit fails."""
        try:
            return list(detect_many(detector, images))
        except Exception as error:
            if len(images) > 1:
                return [one for image in images for one in self._detect(detector, [image])]
            if self._gpu and not detects(detector):
                raise
            return [error]

    def _outcome(self, decoded: _Decoded, found: Detections | Exception, seconds: float) -> Processed:
        if isinstance(found, Exception):
            return Failed(FailureReason.DETECTOR_ERROR, f"{type(found).__name__}: {found}")
        size = (decoded.image.width, decoded.image.height)
        if self._cache and decoded.key:
            self._cache.put(decoded.key, Finding(found, *size))
        task, model = decoded.task, decoded.detector.model
        spent = decoded.seconds + seconds
        result = self._result(task, model, found, size, spent, decoded.waited, decoded.sender)
        stages = {"queue": decoded.waited, "decode": decoded.seconds, "detect": seconds}
        result = self._signed(result, decoded.detector)
        return Computed(result, task.image, stages, cached=False if self._cache else None)

    def _signed(self, result: Result, detector: Detector) -> Result:
        """The result with the recipe of whoever computed it, for those who keep results."""
        recipe = recipe_of(detector) if self._tells_recipe else ""
        return msgspec.structs.replace(result, recipe=recipe) if recipe else result

    def _result(
        self,
        task: Task | TaskHead,
        model: str,
        found: Detections,
        size: tuple[int, int],
        seconds: float,
        waited: float,
        sender: Sender | None,
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
            model=model,
            status="expired" if expired else "ok",
            processing_seconds=round(seconds, 6),
            queue_seconds=round(waited, 6),
            hop=HOP if expired else UNSET,
            reason=ExpiryReason.STALE.value if expired else UNSET,
            sender=UNSET if sender is None else sender.name,
            motion=_motion(task) if not len(found) and not expired else UNSET,
        )


def _motion(task: Task | TaskHead) -> float | UnsetType:
    motion = task.motion if isinstance(task, Task) else None
    return motion or UNSET


def _costs_one(step: Callable[[], T]) -> T | Failed:
    """Take a step of one message's way; whatever a library raises at it costs this message alone."""
    try:
        return step()
    except Exception as error:
        log.exception("a message could not be computed")
        return Failed(FailureReason.WORKER_ERROR, f"{type(error).__name__}: {error}")


def make_processor(settings: WorkerSettings, detectors: Chooser) -> Processor:
    """The processor of a worker with these settings."""
    return Processor(
        detectors,
        settings.node_id,
        staleness=settings.staleness_seconds if settings.lane is Lane.LIVE else None,
        max_pixels=settings.max_pixels,
        cache=ResultCache(settings.cached_results) if settings.cached_results else None,
        gpu=settings.gpu,
        tells_recipe=settings.lane is Lane.BATCH,
    )


def objects(found: Detections) -> list[DetectedObject]:
    """The detections as a result carries them: whole pixels, confidence to three digits."""
    boxes = found.boxes.astype(int).tolist()
    confidence = found.confidence.round(3).tolist()
    return [
        DetectedObject(x=x, y=y, w=w, h=h, confidence=round(c, 3), label=label, landmarks=points)
        for (x, y, w, h), c, label, points in zip(
            boxes, confidence, found.labels, _landmarks(found), strict=True
        )
    ]


def _landmarks(found: Detections) -> list[list[tuple[int, int]] | UnsetType]:
    """List the landmarks by detection; unset where its model knows none."""
    if found.landmarks is None:
        return [UNSET] * len(found)
    known = (~np.isnan(found.landmarks[:, 0, 0])).tolist()
    points = np.nan_to_num(found.landmarks).astype(int).tolist()
    return [[(x, y) for x, y in each] if k else UNSET for each, k in zip(points, known, strict=True)]
