"""Recipes: a digest of all that a detector's answers depend on, by which others recognise answers that they may reuse.

The model's name and digest are not all: the same file finds more with a lower threshold, and other faces in a larger
input. A detector keeps the recipe that it was built by, whatever becomes of the settings in its file afterwards.
"""

import hashlib
from collections.abc import Sequence
from weakref import WeakKeyDictionary

import msgspec

from runtime.version import VERSION
from worker.detection.detector import Detector, Named
from worker.models import ModelEntry
from worker.settings import WorkerSettings

DIGITS = 16

_recipes: WeakKeyDictionary[Named, str] = WeakKeyDictionary()


def recipe_of(model: Named) -> str:
    """The model's recipe, in hex; empty if it was not built by a loader, as a remote one."""
    return _recipes.get(model, "")


def write_recipe(detector: Detector, entry: ModelEntry, settings: WorkerSettings) -> None:
    """Write down how a detector was built of a registry's entry."""
    _recipes[detector] = _digest(
        VERSION, detector.name, detector.model, entry.kind, entry.input, entry.labels, entry.threshold,
        settings.input_size, settings.threshold, settings.gpu,
    )  # fmt: skip


def write_joint_recipe(ensemble: Detector, detectors: Sequence[Detector]) -> None:
    """Write down of which detectors an ensemble was made; its name tells how they are merged."""
    parts = [recipe_of(detector) for detector in detectors]
    if all(parts):
        _recipes[ensemble] = _digest(ensemble.name, *parts)


def _digest(*parts: object) -> str:
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:DIGITS]
