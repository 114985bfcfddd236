"""A camera's permission to send one frame."""

import asyncio
from types import TracebackType
from typing import Protocol, Self

from producer.frames import Frame

HELD = 0.5  # seconds that a place is kept for a picture: others must not wait for a slow camera


class Holder(Protocol):
    """The camera that holds permits. They tell it what becomes of its frames."""

    camera_id: str
    waiting_for_queue: bool

    def frame_sent(self) -> None:
        """The broker has confirmed a frame."""

    def frame_dropped(self, reason: str) -> None:
        """A frame will not reach the queue."""

    def send_next(self) -> None:
        """Send the next frame, whatever it shows: one was not computed, and what that showed is still unseen."""

    def frame_unanswered(self) -> None:
        """A frame's result was not heard of in time."""

    def frame_failed(self, reason: str) -> None:
        """A worker answered that a frame is a dead letter."""


class FramePermit(Protocol):
    """A permit as a camera uses it; `Permit` says what it does."""

    void: bool

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def send(self, frame: Frame) -> None: ...


class FrameLane(Protocol):
    """A lane as a camera uses it: `TaskLane`, where the newest frame wins, or `LosslessLane`."""

    def permit(self, camera: Holder, patience: float = 0.0) -> FramePermit: ...


class PermitLane(Protocol):
    """What a permit needs of its lane."""

    def join(self, permit: "Permit") -> None: ...

    def leave(self, permit: "Permit") -> None: ...

    def send(self, permit: "Permit", frame: Frame) -> None: ...

    def patience(self, least: float) -> float: ...


class Permit:
    """Stands for one frame under way, from asking for a turn until its result is answered, given up or refused.

        async with lane.permit(camera, patience=10) as permit:  # the turn first ...
            frame = ...                                         # ... then the picture
            await permit.send(frame)

    The block is entered when it is the camera's turn, or after `patience` seconds all the same. Within, a place in the
    lane's window is kept: for `HELD` seconds, then others have it. Leaving the block without sending frees it at once;
    once a frame is sent, its place is freed by what becomes of it. A frame that is sent without a place waits for the
    camera's turn; if the camera has a newer permit by then, that replaces it.

    If the camera leaves the lane before its turn comes, the permit is `void`: the camera asks its new lane.

    A frame that is there already needs no block: `await lane.permit(camera).send(frame)`.
    """

    __slots__ = (
        "_frame",
        "_granted",
        "_lane",
        "_patience",
        "_timer",
        "_waiter",
        "camera",
        "camera_id",
        "frame_id",
        "void",
    )

    def __init__(self, lane: PermitLane, camera: Holder, patience: float) -> None:
        self.camera = camera
        self.camera_id = camera.camera_id
        self.frame_id: str | None = None  # as soon as there is a frame
        self.void = False
        # Until the carrier has it: the picture need not be kept for its result.
        self._frame: Frame | None = None
        self._lane = lane
        self._patience = patience
        self._granted = False
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None  # as long as a place is kept for a picture

    async def __aenter__(self) -> Self:
        self._lane.join(self)
        if not self._granted:
            await self._turn()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.frame_id is None:
            self._leave()

    async def send(self, frame: Frame) -> None:
        """Send the frame: at once in the place that is held, else when it is the camera's turn."""
        self.frame_id = frame.frame_id
        if self._granted:
            self._stop_timer()
            self._lane.send(self, frame)
        else:
            self._frame = frame
            self._lane.join(self)

    async def _turn(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        self.camera.waiting_for_queue = True  # and so not stalled
        try:
            # Not `wait_for`: before Python 3.12 it swallows a cancellation that comes with the result.
            async with asyncio.timeout(self._lane.patience(self._patience)):
                await self._waiter
        except TimeoutError:
            pass  # it stays in line, for the picture that comes now
        except asyncio.CancelledError:
            self._leave()  # it may have been granted in this very moment
            raise
        finally:
            self.camera.waiting_for_queue = False

    def _leave(self) -> None:
        self._stop_timer()
        self._granted = False
        self._lane.leave(self)

    def _end_wait(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # --- what the lane says -----------------------------------------------------------------------------

    def grant(self) -> None:
        """It is the camera's turn: the permit has a place in the window."""
        self._granted = True
        if self._frame is not None:
            frame, self._frame = self._frame, None
            self._lane.send(self, frame)
            return
        self._timer = asyncio.get_running_loop().call_later(HELD, self._leave)
        self._end_wait()

    def replace(self) -> None:
        """A newer permit of the same camera waits instead."""
        if self.frame_id is not None:
            self.camera.frame_dropped("replaced")

    def hand_over(self) -> None:
        """The camera is no longer served here, or in another lane, before its turn came."""
        self.void = True
        if self.frame_id is not None:
            self.camera.frame_dropped("handed_over")
        self._end_wait()

    def give_up(self) -> None:
        """The place is gone, since no reply came or none can come any more."""
        self._granted = False
        self._stop_timer()
        if self.frame_id is not None:
            self.camera.frame_unanswered()
            self.camera.send_next()
