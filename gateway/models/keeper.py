"""The desired models of this gateway: changed, kept, announced, and agreed upon with other gateways."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from contract.api.models import ModelSwitchView
from contract.models import DesiredModels
from contract.status import NodeStatus
from contract.topology import Lane
from gateway.errors import CannotKeep, NotHeardYet
from gateway.models.announcements import REPEAT_SECONDS, Announcements
from gateway.models.file import save_desired
from gateway.models.revision import check, newest_switch, prevailing, successor, switched
from gateway.nodes import Nodes
from runtime.logs import get_logger

log = get_logger("gateway")

PATIENCE_SECONDS = 2 * REPEAT_SECONDS
"""So long a revision that only nodes know of may be another gateway's; then it is lost, and may be overwritten."""


class ModelKeeper:
    """Belongs to the event loop. `desired` is what was kept in `folder`; `announce` publishes on `control`; `nodes`
    learns which revision settles it."""

    def __init__(
        self, folder: Path, desired: DesiredModels, nodes: Nodes, announce: Callable[[DesiredModels], None]
    ) -> None:
        self._folder = folder
        self._nodes = nodes
        self._announcements = Announcements(announce)
        self._writing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._unheard_since: float | None = None
        self.desired = desired
        self.last: ModelSwitchView | None = None
        nodes.revision = desired.revision

    # --- changes -----------------------------------------------------------------------------------------

    async def switch(
        self, spec: str | None, *, lane: Lane | None = None, camera_id: str | None = None
    ) -> DesiredModels:
        """Desire another model for the camera, the lane, or else the cluster (None: none); kept, then announced.

        Always under a new revision: asking again makes workers try again.
        Raises CannotKeep, NotHeardYet, TooManyCameras.
        """
        async with self._writing:
            while True:
                self._check_heard(time.monotonic())
                changed = switched(self.desired, spec, lane=lane, camera_id=camera_id)
                wanted = successor(changed, self._nodes.reported_revision, time.time())
                try:
                    await asyncio.to_thread(save_desired, self._folder, wanted)
                except OSError as error:
                    raise CannotKeep(f"{self._folder}: {error.strerror or error}") from None
                if wanted.revision > self.desired.revision:
                    break  # else another gateway's wish came while we wrote: ours must build on it
            self._take(wanted)
        log.info("models switched", revision=wanted.revision, model=spec, lane=lane, camera_id=camera_id)
        self.announce(time.monotonic())
        return wanted

    def heard(self, theirs: DesiredModels, now: float) -> None:
        """Take another gateway's wish, or our own come back. Raises ValueError if no gateway of ours said it."""
        if theirs == self.desired:
            return  # as it is each time that anybody repeats it
        check(theirs)
        held = prevailing(self.desired, theirs)
        if held == self.desired:
            return
        log.info("models switched by another gateway", revision=held.revision, before=self.desired.revision)
        self._take(held)
        task = asyncio.create_task(self._keep())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if held.revision > theirs.revision:  # settled by us: nobody has said it yet
            self.announce(now)

    def examine(self, theirs: DesiredModels) -> None:
        """Raise ValueError for a wish that no gateway of ours said."""
        if theirs != self.desired:
            check(theirs)

    async def stop(self) -> None:
        """Finish writing."""
        await asyncio.gather(*self._tasks)

    async def _keep(self) -> None:
        async with self._writing:
            try:
                await asyncio.to_thread(save_desired, self._folder, self.desired)
            except OSError as error:
                log.warning(
                    "the desired models cannot be kept: after a restart they are what other gateways say",
                    folder=str(self._folder),
                    error=str(error),
                )

    def _take(self, desired: DesiredModels) -> None:
        self.last = newest_switch(self.desired, desired, time.time()) or self.last
        self.desired = desired
        self._nodes.revision = desired.revision

    # --- announcements -----------------------------------------------------------------------------------

    def announce(self, now: float) -> None:
        """Say what is desired now, for example after a reconnect."""
        self._announcements.tell(self.desired, now)

    def reported(self, status: NodeStatus, now: float) -> None:
        """A node's heartbeat: one that has not heard is told at once."""
        if status.state == "running" and status.desired < self.desired.revision:
            self._announcements.follow(self.desired, now, lagging=True)

    def tick(self, now: float) -> None:
        """Repeat what is desired, if it is time; call this once a second."""
        reports = [status.desired for status in self._nodes.statuses(now) if status.state == "running"]
        lagging = any(revision < self.desired.revision for revision in reports)
        self._announcements.follow(self.desired, now, lagging=lagging)
        if max(reports, default=0) <= self.desired.revision:
            self._unheard_since = None
        elif self._unheard_since is None:
            self._unheard_since = now

    def _check_heard(self, now: float) -> None:
        reported = max((status.desired for status in self._nodes.statuses(now)), default=0)
        since = self._unheard_since
        if reported > self.desired.revision and (since is None or now - since < PATIENCE_SECONDS):
            raise NotHeardYet(
                f"workers act on revision {reported}, of which this gateway has not heard; "
                "another gateway will say it within seconds"
            )
