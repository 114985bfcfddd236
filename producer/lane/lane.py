"""The way of this producer's frames into one task queue. On the event loop only."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from contract.result import FailedReply, Reply
from contract.status import LaneLoad
from contract.topology import Lane
from producer.frames import Frame
from producer.lane.carrier import Carrier
from producer.lane.drops import Drops
from producer.lane.flow import Flow
from producer.lane.permit import Holder, Permit
from runtime.logs import get_logger

log: Any = get_logger("producer")

MOST_WITHOUT = 100.0  # a second, of all cameras: pictures fetched without a turn cost what could be computed


class TaskLane:
    """Gives permits to the cameras of one lane, in turn by their priority, as many as its window allows.

    Each lane has workers of its own, and so a window of its own.
    """

    def __init__(self, lane: Lane, carrier: Carrier, drops: Drops, cameras: Callable[[], int]) -> None:
        self.queue = lane.queue
        self._carrier = carrier
        self.flow: Flow[Permit] = Flow()
        self._drops = drops
        self._cameras = cameras  # how many there are, in all lanes
        self._scheduled = False
        self._told_silent = False
        self.stored = 0
        """How many frames the broker has confirmed."""

    @property
    def load(self) -> LaneLoad:
        """How the lane is filled, for other producers."""
        return LaneLoad(window=self.window, weight=self.flow.weight)

    @property
    def window(self) -> int:
        """How many frames may be under way at once."""
        return self.flow.window.size

    @property
    def waiting(self) -> int:
        """How many frames, or cameras without one yet, wait for their turn."""
        return self.flow.waiting

    @property
    def outstanding(self) -> int:
        """How many frames are under way, or about to be."""
        return self.flow.outstanding

    def permit(self, camera: Holder, patience: float = 0.0) -> Permit:
        """A new permit, which waits `patience` seconds for the camera's turn, or longer among many cameras."""
        return Permit(self, camera, patience)

    def patience(self, least: float) -> float:
        """Seconds after which a picture is fetched without a turn: more where many cameras would do so."""
        return max(least, self._cameras() / MOST_WITHOUT)

    def enter(self, camera_id: str, priority: float) -> None:
        """The camera has turns in this lane, by its priority."""
        self.flow.weigh(camera_id, priority)

    def forget(self, camera_id: str) -> None:
        """The camera has no turns in this lane any more."""
        permit = self.flow.forget(camera_id)
        if permit is not None:
            permit.hand_over()

    def tick(self, now: float, *, taken: bool, gain: float) -> None:
        """A few times a second: give up on late replies. `taken`: no frame waits in the queue, which is consumed.

        `gain` is by how many frames the window grows in a round trip.
        """
        for permit in self.flow.give_up(now, taken=taken):
            permit.give_up()
        self.flow.end_rests(now)
        self._tell_silence()
        self.flow.window.grow_by(gain)
        self.wake()

    def reset(self) -> None:
        """No reply can come any more."""
        for permit in self.flow.reset():
            permit.give_up()

    # --- turns ------------------------------------------------------------------------------------------

    def join(self, permit: Permit) -> None:
        """Let the permit wait for its camera's turn, which may come at once."""
        replaced = self.flow.offer(permit)
        if replaced is not None and replaced is not permit:
            replaced.replace()
        if not self.flow.full:
            self._pump()

    def leave(self, permit: Permit) -> None:
        """The permit is not used: it neither waits nor holds a place."""
        self.flow.withdraw(permit)
        if self.flow.free(permit):
            self.wake()

    def wake(self) -> None:
        """Something has changed: somebody's turn may have come."""
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._woken)

    def _woken(self) -> None:
        self._scheduled = False
        self._pump()

    def _pump(self) -> None:
        # Without a reply queue nothing could be answered; while the broker is away frames stay in their slots.
        while self._carrier.ready:
            permit = self.flow.take(time.monotonic())
            if permit is None:
                return
            permit.grant()

    # --- what becomes of a frame ------------------------------------------------------------------------

    def send(self, permit: Permit, frame: Frame) -> None:
        """Send the permit's frame in the place that it has."""
        self._carrier.send(frame, permit, self)

    def sent(self, permit: Permit, waited: float) -> None:
        """The permit's frame goes out, `waited` seconds after its capture."""
        self.flow.sent(permit, time.monotonic(), waited)

    def confirmed(self, permit: Permit) -> None:
        """The broker has the permit's frame."""
        self.stored += 1
        permit.camera.frame_sent()

    def failed(self, permit: Permit, reason: str, *, queue_full: bool = False) -> None:
        """The permit's frame does not reach the queue."""
        permit.camera.frame_dropped(reason)
        permit.camera.send_next()
        self._drops.add(reason)
        self.flow.failed(permit, time.monotonic(), queue_full=queue_full)
        self.wake()

    def answer(self, frame_id: str, reply: Reply) -> bool:
        """Take in the result of a frame, or why there is none; returns whether the frame was under way here."""
        permit = self.flow.under_way(reply.camera_id)
        if permit is None or permit.frame_id != frame_id:
            return False
        if reply.status != "ok":
            permit.camera.send_next()
        now = time.monotonic()
        if isinstance(reply, FailedReply):
            self.flow.refused(permit, now)
        else:
            self.flow.answered(permit, reply.queue_seconds, reply.processing_seconds, now)
        self.wake()
        return True

    def answer_late(self) -> None:
        """The answer came for a frame of this lane that was given up before."""
        self.flow.heard(time.monotonic())
        self.wake()

    def _tell_silence(self) -> None:
        silent = self.flow.window.silent
        if silent and not self._told_silent:
            log.warning("no worker answers: sending a frame now and then", queue=self.queue)
        elif self._told_silent and not silent:
            log.info("workers answer again", queue=self.queue)
        self._told_silent = silent
