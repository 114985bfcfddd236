"""What is desired of the workers, as one gateway holds it: changed, kept, announced, agreed upon with others."""

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Generic

from contract.status import NodeStatus
from gateway.desired.announcements import REPEAT_SECONDS, Announcements
from gateway.desired.file import save
from gateway.desired.revision import prevailing, successor
from gateway.desired.wish import Desired, Wish
from gateway.errors import CannotKeep, NotHeardYet
from gateway.nodes import Nodes
from runtime.logs import get_logger

log = get_logger("gateway")

PATIENCE_SECONDS = 2 * REPEAT_SECONDS
"""So long a revision that only nodes know of may be another gateway's; then it is lost, and may be overwritten."""


class Keeper(Generic[Desired]):
    """Belongs to the event loop. `desired` is what was kept in `folder`; `announce` publishes on `control`; `taken`
    hears what holds, at the beginning and after each change."""

    def __init__(
        self,
        wish: Wish[Desired],
        folder: Path,
        desired: Desired,
        nodes: Nodes,
        announce: Callable[[Desired], None],
        taken: Callable[[Desired], None],
    ) -> None:
        self._wish: Wish[Desired] = wish
        self._folder = folder
        self._nodes = nodes
        self._announcements: Announcements[Desired] = Announcements(announce)
        self._taken: Callable[[Desired], None] = taken
        self._writing = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._unheard_since: float | None = None
        self.desired: Desired = desired
        taken(desired)

    # --- changes -----------------------------------------------------------------------------------------

    async def change(self, changed: Callable[[Desired], Desired], **words: Any) -> Desired:
        """Desire what `changed` makes of what is desired now; kept, then announced. `words` are for the log.

        Always under a new revision: asking again makes workers try again. Raises CannotKeep, NotHeardYet, and what
        `changed` raises.
        """
        async with self._writing:
            while True:
                self._check_heard(time.monotonic())
                reported = self._highest(self._nodes.last_words())  # of lost ones, too
                wanted = successor(changed(self.desired), reported, time.time())
                try:
                    await asyncio.to_thread(save, self._folder, self._wish, wanted)
                except OSError as error:
                    raise CannotKeep(f"{self._folder}: {error.strerror or error}") from None
                if wanted.revision > self.desired.revision:
                    break  # else another gateway's wish came while we wrote: ours must build on it
            self._take(wanted)
        log.info(f"{self._wish.name} changed", revision=wanted.revision, **words)
        self.announce(time.monotonic())
        return wanted

    def heard(self, theirs: Desired, now: float) -> None:
        """Take another gateway's wish, or our own come back. Raises ValueError if no gateway of ours said it."""
        if theirs == self.desired:
            return  # as it is each time that anybody repeats it
        self._wish.check(theirs)
        held = prevailing(self.desired, theirs, self._wish.order)
        if held == self.desired:
            return
        before = self.desired.revision
        log.info(f"{self._wish.name} changed by another gateway", revision=held.revision, before=before)
        self._take(held)
        task = asyncio.create_task(self._keep())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        if held.revision > theirs.revision:  # settled by us: nobody has said it yet
            self.announce(now)

    def examine(self, theirs: Desired) -> None:
        """Raise ValueError for a wish that no gateway of ours said."""
        if theirs != self.desired:
            self._wish.check(theirs)

    async def stop(self) -> None:
        """Finish writing."""
        await asyncio.gather(*self._tasks)

    async def _keep(self) -> None:
        async with self._writing:
            try:
                await asyncio.to_thread(save, self._folder, self._wish, self.desired)
            except OSError as error:
                log.warning(
                    f"the desired {self._wish.name} cannot be kept: after a restart they are what other gateways say",
                    folder=str(self._folder),
                    error=str(error),
                )

    def _take(self, desired: Desired) -> None:
        self.desired = desired
        self._taken(desired)

    # --- announcements -----------------------------------------------------------------------------------

    def announce(self, now: float) -> None:
        """Say what is desired now, for example after a reconnect."""
        self._announcements.tell(self.desired, now)

    def reported(self, status: NodeStatus, now: float) -> None:
        """A node's heartbeat: one that has not heard is told at once."""
        if self._lags(status):
            self._announcements.follow(self.desired, now, lagging=True)

    def tick(self, now: float) -> None:
        """Repeat what is desired, if it is time; call this once a second."""
        running = [status for status in self._nodes.statuses(now) if status.state != "stopped"]
        self._announcements.follow(self.desired, now, lagging=any(map(self._lags, running)))
        if self._highest(running) <= self.desired.revision:
            self._unheard_since = None
        elif self._unheard_since is None:
            self._unheard_since = now

    def _lags(self, status: NodeStatus) -> bool:
        """Tell whether the node goes on and has not heard; one that ends need not."""
        ends = status.state == "stopped" or (status.state == "draining" and not status.drained)
        acts_on = self._wish.reported(status)
        return not ends and acts_on is not None and acts_on < self.desired.revision

    def _highest(self, statuses: Iterable[NodeStatus]) -> int:
        return max((self._wish.reported(status) or 0 for status in statuses), default=0)

    def _check_heard(self, now: float) -> None:
        reported = self._highest(self._nodes.statuses(now))
        since = self._unheard_since
        if reported > self.desired.revision and (since is None or now - since < PATIENCE_SECONDS):
            raise NotHeardYet(
                f"workers act on revision {reported}, of which this gateway has not heard; "
                "another gateway will say it within seconds"
            )
