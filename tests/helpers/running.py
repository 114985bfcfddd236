"""A camera that runs as the producer runs it: opened again whenever it fails."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from prometheus_client import CollectorRegistry

from producer.camera.capture import run_camera
from producer.catalogue.grammar import CameraSpec
from producer.frames import Frame, Source
from producer.metrics import ProducerMetrics
from tests.helpers.cameras import OpenLane, camera


class Running:
    """`frames`: when each came, monotonic seconds; `reasons`: of its failures, one word each with its count."""

    def __init__(self, name: str, source: Source) -> None:
        self.frames: list[float] = []
        self._registry = CollectorRegistry()
        one = camera(
            source,
            OpenLane(self._sink),
            ProducerMetrics(self._registry),
            spec=CameraSpec(name, "stream", name),
        )
        self.condition = one.condition
        self.task = asyncio.create_task(run_camera(one))

    async def _sink(self, frame: Frame) -> None:
        self.frames.append(time.monotonic())

    @property
    def reasons(self) -> dict[str, float]:
        return {
            sample.labels["reason"]: sample.value
            for metric in self._registry.collect()
            for sample in metric.samples
            if sample.name == "producer_camera_errors_total"
        }

    def since(self, when: float) -> int:
        """How many frames came since then."""
        return sum(frame > when for frame in self.frames)


@contextlib.asynccontextmanager
async def running(**sources: Source) -> AsyncIterator[dict[str, Running]]:
    """All of these cameras, until the block ends."""
    cameras = {name: Running(name, source) for name, source in sources.items()}
    try:
        yield cameras
    finally:
        for camera in cameras.values():
            camera.task.cancel()
        await asyncio.gather(*(camera.task for camera in cameras.values()), return_exceptions=True)
