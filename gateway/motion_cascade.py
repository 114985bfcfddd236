"""The rule `motion` of the cascade: a stretch of motion without a face becomes an event, whose picture is asked for.

`gateway.cascade` does the rest, as with any event. While no remote worker takes frames, nothing begins.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial

from contract.status import CameraLabels
from gateway.history.faults import reason
from gateway.history.motion_events import keep_motion
from gateway.history.recorder import Recorder
from gateway.history.store import ThumbnailRequest
from gateway.motion_watch import MotionWatch
from runtime.logs import get_logger

log = get_logger("gateway")

LOOK_SECONDS = 2.0


class MotionCascade:
    """`run` looks. `request` asks the workers for frames as the pictures of events; for the others see Cascade."""

    def __init__(
        self,
        watch: MotionWatch,
        recorder: Recorder,
        *,
        gap: float,
        labels: Callable[[str], CameraLabels],
        request: Callable[[Sequence[ThumbnailRequest]], None],
        open_: Callable[[], bool],
    ) -> None:
        self._watch = watch
        self._recorder = recorder
        self._gap = gap
        self._labels = labels
        self._request = request
        self._open = open_

    async def run(self) -> None:
        """Make events of stretches, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._look()
            except Exception as error:  # the recorder says what is wrong with the history
                log.debug("motion could not be kept as an event", reason=reason(error))

    async def _look(self) -> None:
        wall = time.time()
        due, longer = self._watch.due(wall) if self._open() else [], self._watch.longer()
        if not due and not longer:
            return
        until = {each.camera_id: each.ended for each in longer}
        keep = partial(keep_motion, due=due, longer=longer, wall=wall, gap=self._gap, labels=self._labels)
        begun = await self._recorder.change(keep)
        for each in longer:
            each.told = until[each.camera_id]
        requests = []
        for each in due:
            each.asked = True
            each.event, new = begun.get(each.camera_id, (None, False))
            if new:
                each.told = each.ended
                requests.append(ThumbnailRequest(each.camera_id, each.started, each.frame_id, first=True))
        self._request(requests)
