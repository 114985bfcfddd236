"""Cameras to be served, made for tests."""

from typing import Any

from contract.topology import Lane
from producer.camera.camera import Camera
from producer.camera.served import Served
from producer.catalogue.grammar import CameraSpec
from producer.catalogue.settings import CameraSettings, Sight
from producer.frames import Source
from producer.sources.trust import Trust

SIGHT = Sight(
    motion=None, refresh=10.0, health=False, masks=(), longer_side=None, recompress=False, quality=85
)


def wanted(camera_id: str = "cam", **different: Any) -> CameraSettings:
    """A plain RTSP camera of the live lane whose frames all leave as they come, but for what is `different`."""
    values: dict[str, Any] = {
        "spec": CameraSpec(camera_id, "stream", "rtsp://h"),
        "fps": 0.0,
        "lane": Lane.LIVE,
        "model": None,
        "enabled": True,
        "priority": 1.0,
        "labels": None,
        "lossless": False,
        "timeout": 10.0,
        "trust": Trust(),
        "sight": None,
    }
    return CameraSettings(**{**values, **different})


def served(source: Source | None = None, **different: Any) -> Served:
    """The same while it is served."""
    want = wanted(**different)
    return Served(want, Camera(want.spec, producer_id="p", start=1, wall=1.0), source)
