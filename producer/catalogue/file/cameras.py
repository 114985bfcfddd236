"""What cameras.yaml says once it is read: cameras, and problems with their lines."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from contract.topology import Lane
from producer.catalogue.grammar import CameraSpec
from producer.errors import FileProblem
from producer.trust import Trust

Polygon = tuple[tuple[float, float], ...]
"""Corners (x, y) in fractions (0-1) of the frame's width and height, from its top left; the last meets the first."""


@dataclass(frozen=True, slots=True)
class CameraConfig:
    """One camera as the file wants it; `keys` says what each value means.

    Where a value is None, the producer's own setting holds (PRODUCER_FPS, _LANE, _MODEL, ...).
    """

    spec: CameraSpec
    name: str
    group: str | None = None
    location: str | None = None
    district: str | None = None
    fps: float | None = None
    lane: Lane | None = None
    model: str | None = None
    enabled: bool = True
    priority: int = 1
    masks: tuple[Polygon, ...] = ()
    motion: bool | None = None
    motion_threshold: float | None = None
    motion_area: float | None = None
    refresh: float | None = None
    health: bool | None = None
    longer_side: int | None = None
    timeout: float | None = None
    tls_verify: bool | None = None
    tls_fingerprint: bytes | None = None
    tls: Trust | None = None
    hosts: tuple[str, ...] = ()
    remote: bool = False

    @property
    def camera_id(self) -> str:
        return self.spec.camera_id


@dataclass(frozen=True, slots=True)
class CameraFile:
    """The valid cameras by id, in the file's order, and what is wrong with the rest.

    `broken` names the cameras that cannot be used as the file has them; those of them that ran before a reload are
    still among `cameras`, as they were.
    """

    cameras: Mapping[str, CameraConfig] = field(default_factory=lambda: MappingProxyType({}))
    problems: tuple[FileProblem, ...] = ()
    broken: frozenset[str] = frozenset()
