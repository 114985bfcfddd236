"""Which detector computes a frame, and changing that while frames flow.

Operators desire (`contract.models.DesiredModels`), a thread of its own loads: the new detector beside the old one,
warmed up, and then all routes are replaced at once, between two frames. What does not load leaves what ran before.
"""

import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from contract.errors import InvalidModelSpec
from contract.models import DesiredModels, ModelReport, parse_model_spec
from runtime.logs import get_logger
from worker.detection.detector import Detector, Named
from worker.errors import InvalidRegistry, ModelUnavailable, UnknownModel
from worker.isolation import try_model
from worker.loader import DetectorLoader, Trying, registry_of
from worker.reports import model_reports
from worker.settings import AUTO, BEST_MODEL, BUILT_IN_MODELS, WorkerSettings

log = get_logger("worker")

FALLBACK = "YuNet, several times as fast, is not here: put its file into a folder and set MODEL_DIR"
FETCHING = "YuNet, several times as fast, is being fetched"
RETRY_SECONDS = 30.0
ABSENT_SECONDS = 10.0
TASK_MODELS = 8
"""Specifications that tasks asked for themselves and that stay loaded."""


Model = TypeVar("Model", bound=Named, covariant=True)


@dataclass(frozen=True)
class Routes(Generic[Model]):
    """Models by camera, and that of all others; `named` are those by specification. Replaced as a whole."""

    default: Model
    cameras: Mapping[str, Model] = field(default_factory=dict)
    named: Mapping[str, Model] = field(default_factory=dict)
    revision: int = 0
    fallback: str | None = None
    error: str | None = None
    reports: tuple[ModelReport, ...] = ()


class Switchboard:
    """Chooses detectors. Constructing it loads what the settings ask for; a download is waited for unless `auto`.

    `substituted` is called for a frame whose task asks for a known model that is not here; `trial`: see Loader.
    Raises InvalidRegistry, or ModelUnavailable or UnknownModel if what is asked for cannot be had.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        *,
        substituted: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        trial: Trying = try_model,
    ) -> None:
        self._settings = settings
        self._substituted = substituted
        self._changed: Callable[[], None] = lambda: None
        self._clock = clock
        self._registry = registry = registry_of(settings)
        for note in registry.notes:
            log.warning("models", note=note)
        self._loader = DetectorLoader(settings, registry, clock, trial)
        self._task_loader = DetectorLoader(settings, registry, clock, trial)
        self._for_tasks: dict[str, Detector] = {}
        self._absent: dict[str, float] = {}
        self._passed_over: dict[str, str] = {}
        self._desired = DesiredModels()
        self._wake: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="models", daemon=True)
        self.routes: Routes[Detector] = self._first()

    # --- any thread --------------------------------------------------------------------------------------

    def start(self, changed: Callable[[], None]) -> None:
        """Start following what operators desire; `changed` is called on the loading thread after each change."""
        self._changed = changed
        self._thread.start()

    def hear(self, desired: DesiredModels) -> None:
        """Take what operators desire; an older revision than the last one is not news."""
        if desired.revision > self._desired.revision:
            self._desired = desired
            self._wake.put(True)

    def stop(self) -> None:
        """Stop following. A download under way is left behind."""
        self._wake.put(False)

    # --- the inference thread ----------------------------------------------------------------------------

    def choose(self, model: str | None, camera_id: str) -> Detector:
        """The detector for a frame of that camera whose task names `model`, or none.

        A known model whose file is not here is substituted by the one in use (the result names it).
        Raises UnknownModel for what is in no registry, InvalidModelSpec for what is not a name.
        """
        routes = self.routes
        usual = routes.cameras.get(camera_id, routes.default)
        if model is None or model == AUTO:
            return usual
        known = routes.named.get(model) or self._for_tasks.get(model)
        if known is not None:
            return known
        if self._absent.get(model, 0.0) <= self._clock():
            spec = parse_model_spec(model)
            try:
                detector = self._task_loader.load(spec, fetch=False)
            except ModelUnavailable as error:
                log.warning("a task's model is not here: using another", model=model, error=str(error))
                if len(self._absent) >= 1_000:
                    self._absent.clear()
                self._absent[model] = self._clock() + ABSENT_SECONDS
            else:
                self._keep_for_tasks(model, detector)
                return detector
        self._substituted()
        return usual

    def _keep_for_tasks(self, model: str, detector: Detector) -> None:
        if len(self._for_tasks) >= TASK_MODELS:
            del self._for_tasks[next(iter(self._for_tasks))]
        self._for_tasks[model] = detector
        self._task_loader.keep(self._for_tasks)

    # --- the loading thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        patience = 0.0 if self.routes.fallback == FETCHING else RETRY_SECONDS
        while self._woken(patience):
            try:
                self.reconcile()
            except Exception:  # whatever a model file does to its loader: the frames go on
                log.exception("models could not be switched")
            patience = RETRY_SECONDS  # what failed may load now, and files come and go

    def _woken(self, patience: float) -> bool:
        """Wait for news, at most so many seconds; False to stop. Several at once count as one."""
        try:
            go_on = self._wake.get(timeout=patience)
            while go_on and not self._wake.empty():
                go_on = self._wake.get()
        except queue.Empty:
            return True
        return go_on

    def reconcile(self) -> None:
        """Bring the routes in line with what is desired, as far as it loads."""
        desired = self._desired
        errors: dict[str, str] = {}
        before = self.routes
        self._refresh(errors)
        if desired.revision != before.revision:
            self._loader.try_again()
        default, fallback = self._default(desired, errors)
        cameras: dict[str, Detector] = {}
        for camera_id, text in desired.cameras.items():
            detector = self._load(text, errors) or before.cameras.get(camera_id)
            if detector is not None:
                cameras[camera_id] = detector
        named = {detector.name: detector for detector in (default, *cameras.values())}
        self._loader.keep(named)
        self.routes = Routes(
            default,
            cameras,
            named,
            desired.revision,
            fallback,
            "; ".join(sorted(set(errors.values()))) or None,
            self._reports(errors),
        )
        if self.routes != before:
            say = log.warning if self.routes.error else log.info
            say("models", revision=desired.revision, model=default.model, error=self.routes.error)
            self._changed()

    def _refresh(self, errors: dict[str, str]) -> None:
        """Read the files and entries that operators have put there since."""
        try:
            self._registry = registry_of(self._settings)
        except InvalidRegistry as error:
            errors["models.toml"] = str(error)
        else:
            self._loader.registry = self._task_loader.registry = self._registry

    def _default(self, desired: DesiredModels, errors: dict[str, str]) -> tuple[Detector, str | None]:
        spec = desired.lanes.get(self._settings.lane.value) or desired.cluster or self._settings.own_model
        if spec != AUTO:
            detector = self._load(spec, errors)
            return (detector, None) if detector else (self.routes.default, self.routes.fallback)
        try:
            return self._must(BEST_MODEL), None
        except ModelUnavailable as error:
            built_in = self._built_in()
            if self.routes.fallback != FALLBACK:  # the log has the whole reason, a dashboard the short one
                log.warning("detector fallback", wanted=BEST_MODEL, using=built_in.model, reason=str(error))
            return built_in, FALLBACK

    def _load(self, text: str, errors: dict[str, str]) -> Detector | None:
        try:
            return self._must(text)
        except (UnknownModel, InvalidModelSpec, ModelUnavailable) as error:
            errors[text] = str(error)
            return None

    def _must(self, text: str) -> Detector:
        return self._loader.load(parse_model_spec(text))

    def _built_in(self) -> Detector:
        """The best of the detectors that need no file; the last of them is a part of OpenCV."""
        *better, last = BUILT_IN_MODELS
        for name in better:
            try:
                return self._must(name)
            except ModelUnavailable as error:
                if self._passed_over.get(name) != str(error):
                    log.info("detector passed over", wanted=name, reason=str(error))
                self._passed_over[name] = str(error)
        return self._must(last)

    def _first(self) -> Routes[Detector]:
        """Route as the worker's own settings ask. `auto` does not wait for a download.

        Raises ModelUnavailable, UnknownModel or InvalidModelSpec.
        """
        fallback = None
        if self._settings.own_model != AUTO:
            default = self._must(self._settings.own_model)
        else:
            try:
                default = self._loader.load(parse_model_spec(BEST_MODEL), fetch=False)
            except ModelUnavailable:
                default, fallback = self._built_in(), FETCHING
        return Routes(default, named={default.name: default}, fallback=fallback, reports=self._reports({}))

    def _reports(self, errors: Mapping[str, str]) -> tuple[ModelReport, ...]:
        return model_reports(self._registry, self._settings, self._loader.loaded, errors)
