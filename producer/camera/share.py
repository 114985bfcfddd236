"""The cameras that this producer serves: takes them up, changes them and lets them go. On the event loop only."""

import time
from collections.abc import Callable, Coroutine
from typing import Any

from producer.camera.camera import Camera
from producer.camera.capture import run_camera
from producer.camera.tasks import CameraTasks
from producer.catalogue.roster import Roster
from producer.catalogue.settings import CameraSettings
from producer.lane.lanes import Lanes
from producer.lane.permit import FrameLane
from producer.metrics import ProducerMetrics
from producer.settings import ProducerSettings
from producer.sources.factory import SourceFactory


class Share:
    """Runs those cameras of the roster that fall to this producer. `changed` hears of their states."""

    def __init__(
        self,
        settings: ProducerSettings,
        roster: Roster,
        lanes: Lanes,
        metrics: ProducerMetrics,
        changed: Callable[[Camera], None],
    ) -> None:
        self._settings = settings
        self._roster = roster
        self._offered = roster.cameras  # as it was when it was last looked at
        self._cameras: dict[str, Camera] = {}  # now or before
        self._lanes = lanes
        self._metrics = metrics
        self._changed = changed
        self._tasks = CameraTasks(self._run)
        self._sources = SourceFactory(settings)

    @property
    def cameras(self) -> list[Camera]:
        """All cameras that are served, those that have come to their end included."""
        return [self._cameras[camera_id] for camera_id in self._tasks.cameras]

    @property
    def results(self) -> list[bool]:
        """For each camera that has ended, whether it finished; else it failed for good."""
        return list(self._tasks.results.values())

    async def ended(self) -> None:
        """Wait until another one has ended."""
        await self._tasks.ended.get()

    def serve(self, cameras: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
        """Serve these and no others. Returns the new ones and those that were let go."""
        new, gone = self._tasks.only(cameras)
        for camera_id in gone:
            self._lanes.forget(camera_id)
            self._metrics.let_go(camera_id)
        return new, gone

    def take_on(self) -> None:
        """The roster has changed: some of it holds from the next frame on, some needs a source opened again."""
        before, self._offered = self._offered, self._roster.cameras
        for camera_id, settings in self._offered.items():
            if (
                camera_id not in before
                or settings == before[camera_id]
                or camera_id not in self._tasks.cameras
            ):
                continue
            if settings.reopens(before[camera_id]):
                self._tasks.again(camera_id)
            else:
                camera = self._cameras[camera_id]
                camera.change(settings, self._lane(settings))
                self._line_up(camera)

    def forget(self) -> None:
        """Forget those that are no longer on the roster, once nobody serves them here."""
        for camera_id in self._cameras.keys() - self._offered.keys() - self._tasks.cameras:
            self._cameras.pop(camera_id).forget()

    def send_next(self, camera_id: str) -> None:
        """Send the camera's next frame, whatever it shows: somebody begins to look at it."""
        camera = self._cameras.get(camera_id)
        if camera is not None:
            camera.send_next()

    async def close(self) -> None:
        """Let go of all, and wait until they are closed."""
        await self._tasks.close()
        await self._sources.close()

    def _run(self, camera_id: str) -> Coroutine[Any, Any, bool]:
        settings = self._offered[camera_id]
        source = self._sources.source(settings) if settings.enabled else None
        camera = Camera(
            settings,
            source,
            self._lane(settings),
            self._metrics,
            producer_id=self._settings.id,
            wall=time.time(),
            changed=self._changed,
        )
        self._cameras[camera_id] = camera
        self._metrics.up.labels(camera_id).set(0)
        self._metrics.no_defects(camera_id)
        self._line_up(camera)
        return run_camera(camera)

    def _line_up(self, camera: Camera) -> None:
        """Let the camera take turns if it does: the weight of one that does not would slow down the others."""
        settings = camera.settings
        if settings.enabled and not settings.lossless:
            self._lanes.enter(camera, settings.lane, settings.priority)
        else:
            self._lanes.forget(camera.camera_id)

    def _lane(self, settings: CameraSettings) -> FrameLane:
        return self._lanes.lossless if settings.lossless else self._lanes.lane(settings.lane)
