"""Cameras of a producer, made for tests."""

from collections.abc import Awaitable, Callable
from typing import Any, Self

from prometheus_client import CollectorRegistry

from contract.topology import Lane
from producer.camera.camera import Camera
from producer.catalogue.grammar import CameraSpec
from producer.catalogue.settings import CameraSettings
from producer.frames import Frame, Source
from producer.inspection.sight import Sight
from producer.lane.permit import FrameLane, Holder
from producer.metrics import ProducerMetrics
from producer.trust import Trust

SIGHT = Sight(
    motion=None, refresh=10.0, health=False, masks=(), longer_side=None, recompress=False, quality=85
)


class OpenLane:
    """A lane that is always free: passes frames on as they come."""

    def __init__(self, sink: Callable[[Frame], Awaitable[None]]) -> None:
        self._sink = sink

    def permit(self, camera: Holder, patience: float = 0.0) -> "OpenPermit":
        return OpenPermit(self._sink)


class OpenPermit:
    void = False

    def __init__(self, sink: Callable[[Frame], Awaitable[None]]) -> None:
        self._sink = sink

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def send(self, frame: Frame) -> None:
        await self._sink(frame)


async def _nowhere(frame: Frame) -> None:
    del frame


def camera_settings(camera_id: str = "cam", **different: Any) -> CameraSettings:
    """A plain RTSP camera of the live lane whose frames all leave as they come, but for what is `different`."""
    values: dict[str, Any] = {
        "spec": CameraSpec(camera_id, "stream", "rtsp://h"),
        "fps": 0.0,
        "lane": Lane.LIVE,
        "model": None,
        "enabled": True,
        "priority": 1.0,
        "labels": None,
        "remote": False,
        "lossless": False,
        "timeout": 10.0,
        "trust": Trust(),
        "hosts": (),
        "sight": None,
    }
    return CameraSettings(**{**values, **different})


def camera(
    source: Source | None = None,
    way: FrameLane | None = None,
    metrics: ProducerMetrics | None = None,
    **different: Any,
) -> Camera:
    """The same as a producer has it before it runs; its frames leave by `way`."""
    return Camera(
        camera_settings(**different),
        source,
        way or OpenLane(_nowhere),
        metrics or ProducerMetrics(CollectorRegistry()),
        producer_id="p",
        wall=0.001,  # so that its frames are called `cam:1:0`, `cam:1:1` and so on
        changed=lambda camera: None,
    )
