"""Where a camera's frames go: into its slot, to be sent when its turn comes, or straight on.

A source that is asked for each picture (HTTP) is asked when the camera's turn has come, not before: under overload a
picture would grow old in its slot while others have their turns, and most would be fetched for nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from producer.camera.served import Served
from producer.frames import Frame
from producer.lane.sender import Sender

WITHOUT_TURN = 10.0  # seconds; then a picture is fetched all the same: is the camera still there, and well?
MOST_WITHOUT = 100.0  # such pictures a second of all cameras together: they cost what could be computed
HELD = 0.5  # seconds that a turn is kept for a picture; for a slow camera others shall not wait


class Outlet(Protocol):
    """One camera's."""

    async def turn(self) -> None:
        """Returns when a picture, fetched now, can be sent at once, or should be fetched for other reasons."""

    def give_back(self) -> None:
        """There is nothing to be sent after all."""

    async def offer(self, frame: Frame) -> None:
        """Send the frame when it can be sent."""


class Straight:
    """Passes frames on as they come."""

    def __init__(self, sink: Callable[[Frame], Awaitable[None]]) -> None:
        self._sink = sink

    async def turn(self) -> None:
        """At once."""

    def give_back(self) -> None:
        """There was nothing to hold."""

    async def offer(self, frame: Frame) -> None:
        await self._sink(frame)


class Slot:
    """A live camera's newest-wins slot at the sender."""

    def __init__(self, sender: Sender, served: Served) -> None:
        self._sender = sender
        self._served = served
        self._release: asyncio.TimerHandle | None = None  # as long as a turn is held

    async def turn(self) -> None:
        camera = self._served.camera
        camera.waiting_for_queue = True  # and so not stalled
        try:
            patience = max(WITHOUT_TURN, self._sender.cameras / MOST_WITHOUT)
            granted = await self._sender.turn(camera.camera_id, self._served.wanted.lane, patience)
        finally:
            camera.waiting_for_queue = False
        if granted:
            self._release = asyncio.get_running_loop().call_later(HELD, self.give_back)

    def give_back(self) -> None:
        if self._release is not None:
            self._release.cancel()
            self._release = None
            self._sender.give_back(self._served.camera.camera_id)

    async def offer(self, frame: Frame) -> None:
        held = self._release is not None
        if self._release is not None:
            self._release.cancel()
            self._release = None
        self._sender.offer(frame, held=held)
