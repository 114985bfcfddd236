"""The cameras that this producer serves: starts, changes and ends them. On the event loop only."""

import time
from collections.abc import Callable, Coroutine
from typing import Any

from producer.camera.camera import Camera
from producer.camera.capture import run_camera
from producer.camera.served import Served
from producer.camera.serving import Serving
from producer.catalogue.roster import Roster
from producer.catalogue.settings import CameraSettings
from producer.lane.outlet import Slot, Straight
from producer.lane.sender import Sender
from producer.metrics import ProducerMetrics
from producer.settings import ProducerSettings
from producer.sources.tools import Tools


class Fleet:
    """Runs those of the roster that are to be served. `served` is shared with the sender; `changed` hears of states."""

    def __init__(
        self,
        settings: ProducerSettings,
        roster: Roster,
        served: dict[str, Served],
        sender: Sender,
        metrics: ProducerMetrics,
        changed: Callable[[Camera], None],
    ) -> None:
        self._settings = settings
        self._roster = roster
        self._wanted = roster.cameras
        self._served = served  # now or before
        self._sender = sender
        self._metrics = metrics
        self._changed = changed
        self._serving = Serving(self._run)
        self._tools = Tools(settings)

    @property
    def cameras(self) -> list[Camera]:
        """Those that are served, the ones that have come to their end included."""
        return [self._served[camera_id].camera for camera_id in self._serving.cameras]

    @property
    def results(self) -> list[bool]:
        """Of each that has ended: whether it finished, or failed for good."""
        return list(self._serving.results.values())

    async def ended(self) -> None:
        """Wait until another one has ended."""
        await self._serving.ended.get()

    def serve(self, cameras: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
        """Serve these and no others. Returns the new ones and those let go."""
        new, gone = self._serving.only(cameras)
        for camera_id in gone:
            self._sender.forget(camera_id)
            self._metrics.let_go(camera_id)
        return new, gone

    def take_on(self) -> None:
        """The roster has changed: what holds from the next frame on, and what needs its source opened again."""
        before, self._wanted = self._wanted, self._roster.cameras
        for camera_id, wanted in self._wanted.items():
            if camera_id in before and wanted != before[camera_id] and camera_id in self._serving.cameras:
                self._change(wanted, before[camera_id])

    def forget(self) -> None:
        """Those that are no longer on the roster, once nobody serves them here."""
        for camera_id in self._served.keys() - self._wanted.keys() - self._serving.cameras:
            del self._served[camera_id]
            self._metrics.forget(camera_id)

    def show(self, camera_id: str) -> None:
        """Somebody begins to look at the camera: its next frame is sent, whether it shows something new or not."""
        served = self._served.get(camera_id)
        if served is not None and served.view is not None:
            served.view.lost()

    async def close(self) -> None:
        """Let go of all, and wait until they are closed."""
        await self._serving.close()
        await self._tools.close()

    def _change(self, wanted: CameraSettings, before: CameraSettings) -> None:
        if wanted.reopens(before):
            self._serving.again(wanted.camera_id)
            return
        self._served[wanted.camera_id].want(wanted)
        self._sender.weigh(wanted)
        if wanted.sight != before.sight:
            self._metrics.no_defects(wanted.camera_id)

    def _run(self, camera_id: str) -> Coroutine[Any, Any, bool]:
        wanted = self._wanted[camera_id]
        # Its frames are numbered from the moment that it is taken up: who served it before may have started in the
        # same second.
        wall = time.time()
        camera = Camera(
            wanted.spec,
            producer_id=self._settings.id,
            start=int(wall * 1000),
            wall=wall,
            fps=wanted.fps,
            changed=self._changed,
        )
        source = self._tools.source(wanted) if wanted.enabled else None
        served = self._served[camera_id] = Served(wanted, camera, source)
        self._metrics.up.labels(camera_id).set(0)
        self._metrics.no_defects(camera_id)
        self._sender.weigh(wanted)
        outlet = Straight(self._sender.deliver) if wanted.lossless else Slot(self._sender, served)
        return run_camera(served, outlet, self._metrics)
