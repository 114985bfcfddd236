"""The detectors that are compared: as a worker builds them, and Haar as the plain design calls it."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench import plain_worker
from bench.command import quiet
from contract.models import parse_model_spec
from worker.detection import Detections, decode
from worker.detection.detector import Detector
from worker.detection.image import EVERYTHING, DecodedImage
from worker.loader import DetectorLoader, registry_of
from worker.models import locate
from worker.settings import WorkerSettings

PLAIN = "plain"


@dataclass(frozen=True)
class Candidate:
    """A detector and how a table calls it."""

    label: str
    detector: Detector

    def detect(self, jpeg: bytes) -> Detections:
        """Decode and detect, as a worker does for a frame."""
        return self.detector.detect(decode(jpeg, self.detector.wants))


class PlainHaar:
    """Full colour decode, then Haar with scale 1.1 and 4 neighbours: what tutorials show."""

    name = model = PLAIN
    wants = EVERYTHING

    def __init__(self) -> None:
        self._cascade = plain_worker.cascade()

    def detect(self, image: DecodedImage) -> Detections:
        boxes = plain_worker.boxes(self._cascade, image.pixels)
        found = np.asarray(boxes, np.float32).reshape(-1, 4)
        return Detections(found, np.ones(len(found), np.float32), ("face",) * len(found))


def candidates(names: Sequence[str]) -> list[Candidate]:
    """`plain`, or a model's name, perhaps with the longer side of its input: `yunet:448`.

    Settings beside the input come from the environment, as for a worker (MODEL_DIR, WORKER_THRESHOLD).
    """
    quiet()
    return [candidate(name) for name in names]


def candidate(name: str) -> Candidate:
    """One of them. Raises what the worker's loader raises."""
    if name == PLAIN:
        return Candidate("plain design: Haar 1.1/4", PlainHaar())
    model, _, size = name.partition(":")
    settings = WorkerSettings(input_size=int(size)) if size else WorkerSettings()
    loader = DetectorLoader(settings, registry_of(settings))
    return Candidate(f"{model} at {size}" if size else model, loader.load(parse_model_spec(model)))


def yunet_file() -> Path:
    """YuNet's file, where a worker with this environment finds it. Raises ModelUnavailable."""
    settings = WorkerSettings()
    entry = registry_of(settings).entry("yunet")
    return locate(
        entry,
        model_dir=settings.models_folder,
        cache=settings.model_cache,
        report=lambda what: print(what, file=sys.stderr),
    )
