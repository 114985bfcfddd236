"""The settings of one camera, complete: from cameras.yaml where it says something, else from the producer's own."""

from dataclasses import dataclass

from contract.status import CameraLabels
from contract.topology import Lane
from producer.catalogue.file.cameras import CameraConfig
from producer.catalogue.grammar import LIVE_KINDS, CameraSpec
from producer.inspection.sight import Sight
from producer.settings import ProducerSettings
from producer.trust import Trust, strictest

REOPENED = frozenset({"spec", "fps", "enabled", "lossless", "timeout", "trust", "hosts"})
"""The settings that a source is opened with; all others hold from the next frame on."""


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """One camera. `fps` is frames a second, 0 the source's own rate; `timeout` is seconds.

    `sight` None: every frame leaves as it came.
    """

    spec: CameraSpec
    fps: float
    lane: Lane
    model: str | None
    enabled: bool
    priority: float
    labels: CameraLabels | None
    remote: bool
    lossless: bool
    timeout: float
    trust: Trust
    hosts: tuple[str, ...]
    sight: Sight | None

    @property
    def camera_id(self) -> str:
        return self.spec.camera_id

    def reopens(self, before: "CameraSettings") -> bool:
        """Return whether the source must be opened again to get from `before` to this."""
        return any(getattr(self, name) != getattr(before, name) for name in REOPENED)


def of_spec(spec: CameraSpec, settings: ProducerSettings) -> CameraSettings:
    """Make the settings of a camera that SOURCE names."""
    return of_config(CameraConfig(spec, name=spec.camera_id), settings)


def of_config(config: CameraConfig, settings: ProducerSettings) -> CameraSettings:
    """Make the settings of a camera that cameras.yaml names."""
    lane = config.lane or settings.lane
    return CameraSettings(
        spec=config.spec,
        fps=settings.fps if config.fps is None else config.fps,
        lane=lane,
        model=config.model or settings.model,
        enabled=config.enabled,
        priority=config.priority,
        labels=_labels(config),
        remote=config.remote,
        lossless=settings.end == "finish" and lane is Lane.BATCH,
        timeout=settings.timeout_seconds if config.timeout is None else config.timeout,
        trust=_trust(config, settings),
        hosts=(*config.hosts, *config.spec.hosts),
        sight=_sight(config, lane, settings),
    )


def _trust(config: CameraConfig, settings: ProducerSettings) -> Trust:
    """How its certificate is judged: where its address, `tls` and the older keys differ, the strictest holds."""
    fingerprint = None if config.tls_fingerprint is None else Trust(fingerprint=config.tls_fingerprint)
    verify = None if config.tls_verify is None else Trust(config.tls_verify)
    said = strictest(each for each in (config.spec.tls, config.tls, fingerprint, verify) if each is not None)
    return Trust(settings.tls_verify) if said is None else said


def _labels(config: CameraConfig) -> CameraLabels | None:
    labels = CameraLabels(
        name=config.name if config.name != config.camera_id else None,
        group=config.group,
        location=config.location,
        district=config.district,
    )
    return labels if labels != CameraLabels() else None


def _sight(config: CameraConfig, lane: Lane, settings: ProducerSettings) -> Sight | None:
    # Recordings and the batch lane are sent whole: there every frame is asked for.
    camera = config.spec.kind in LIVE_KINDS and lane is not Lane.BATCH and settings.end == "loop"
    motion = _switch(config.motion, settings.motion, camera)
    health = _switch(config.health, settings.health, camera)
    longer_side = config.longer_side or settings.longer_side or None
    whole = not (camera or motion or health or config.masks or longer_side or settings.recompress)
    if whole and config.spec.kind not in ("snapshot", "folder"):
        return None  # what a video gives is known to decode, and to be of a usual size
    threshold = config.motion_threshold or settings.motion_threshold
    area = config.motion_area or settings.motion_area
    return Sight(
        motion=(threshold, area) if motion else None,
        refresh=0.0 if whole else settings.refresh_seconds if config.refresh is None else config.refresh,
        health=health,
        masks=config.masks,
        longer_side=longer_side,
        recompress=settings.recompress,
        quality=settings.jpeg_quality,
    )


def _switch(own: bool | None, general: str, automatic: bool) -> bool:
    if own is not None:
        return own
    return automatic if general == "auto" else general == "on"
