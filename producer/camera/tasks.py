"""One task per camera: starts and ends them as cameras come and go. On the event loop only."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

RunCamera = Callable[[str], Coroutine[Any, Any, bool]]


class CameraTasks:
    """`run` makes a camera's coroutine, which returns once the camera has ended for good: True if it finished."""

    def __init__(self, run: RunCamera) -> None:
        self._run = run
        self._tasks: dict[str, asyncio.Task[bool]] = {}
        self._ending: set[asyncio.Task[bool]] = set()
        self.ended: asyncio.Queue[None] = asyncio.Queue()  # something to look at: a camera has ended

    @property
    def cameras(self) -> frozenset[str]:
        """All cameras that have a task, those that have come to their end included."""
        return frozenset(self._tasks)

    @property
    def results(self) -> dict[str, bool]:
        """For each camera that has ended, whether it finished."""
        return {c: task.result() for c, task in self._tasks.items() if task.done() and not task.cancelled()}

    def only(self, cameras: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
        """Run these and no others. Returns the new ones and those that were let go."""
        gone, new = self.cameras - cameras, cameras - self.cameras
        for camera_id in gone:
            task = self._tasks.pop(camera_id)
            task.cancel()
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
        for camera_id in new:
            self._tasks[camera_id] = self._start(self._run(camera_id), camera_id)
        return new, gone

    def again(self, camera_id: str) -> None:
        """Close a camera that runs, then run it anew: many cameras bear one connection only."""
        before = self._tasks[camera_id]
        before.cancel()
        self._tasks[camera_id] = self._start(self._after(before, camera_id), camera_id)

    async def close(self) -> None:
        """Let go of all, and wait until they are closed."""
        self.only(frozenset())
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def _after(self, before: asyncio.Task[bool], camera_id: str) -> bool:
        await asyncio.wait([before])
        return await self._run(camera_id)

    def _start(self, run: Coroutine[Any, Any, bool], camera_id: str) -> asyncio.Task[bool]:
        task = asyncio.create_task(run, name=f"camera {camera_id}")
        task.add_done_callback(lambda task: self.ended.put_nowait(None))
        return task
